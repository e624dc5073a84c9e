"""Files of other programs: a TensorFlow checkpoint of 100 MB, and a network filled from it."""

import tracemalloc
from collections import OrderedDict

import numpy as np
import pytest
import tensorflow_writer
import torch
from torch import nn

from cnnvis.models import Network, import_network
from cnnvis.models.importers import _crc32c, read_tensorflow

pytestmark = pytest.mark.bench

SIZES = {
    "conv/kernel": (3, 3, 512, 1024),
    "dense/kernel": (4096, 4096),
    "out/kernel": (4096, 800),
    "out/bias": (800,),
}
"""25 million values: 100 MB in four tensors, the largest of 67 MB."""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A checkpoint of 100 MB; its checks are made by the reader's code, as the definition takes minutes in Python."""
    rng = np.random.default_rng(0)
    tensors = {name: rng.standard_normal(shape, np.float32) for name, shape in SIZES.items()}
    patch = pytest.MonkeyPatch()
    patch.setattr(tensorflow_writer, "crc32c", _crc32c.crc32c)
    prefix = tensorflow_writer.write_checkpoint(tmp_path_factory.mktemp("tf") / "model.ckpt-1", tensors)
    patch.undo()
    return prefix


def read_all(prefix):
    weights = read_tensorflow(prefix)
    return sum(weights[name].nbytes for name in weights)


def test_read_and_check_100_mb(benchmark, checkpoint):
    assert benchmark(read_all, checkpoint) > 99e6


def test_memory_beside_the_file(checkpoint):
    """One tensor at a time: what is allocated is at most the largest one."""
    read_all(checkpoint)
    tracemalloc.start()
    read_all(checkpoint)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 67e6


def test_fill_a_network_from_100_mb(benchmark, checkpoint):
    with torch.device("meta"):
        layers = OrderedDict(
            conv=nn.Conv2d(512, 1024, 3, bias=False),
            flat=nn.Flatten(),
            dense=nn.Linear(4096, 4096, bias=False),
            out=nn.Linear(4096, 800),
        )
        module = nn.Sequential(layers)
    module = module.to_empty(device="cpu")
    names = {f"{layer}/kernel": f"{layer}.weight" for layer in ("conv", "dense", "out")} | {"out/bias": "out.bias"}
    network = Network(module, example=torch.zeros(1, 512, 4, 4))
    found = benchmark(import_network, checkpoint, structure=network, names=names)
    assert found.left_out == ()
