"""What recording costs: a plain forward pass of EfficientNet-Lite0, recording its convolutions, copying their bytes.

The ratio (in extra_info) is recording / (plain forward + copying), to be at most 1.15. The three are
timed in turns, so that a busy moment of the machine meets all of them.
"""

import statistics
import time

import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

from cnnvis.capture import record, trace

pytestmark = pytest.mark.bench
ROUNDS = 15


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return EfficientNet.from_name("efficientnet-lite0").eval()


@pytest.fixture(scope="module")
def convolutions(model):
    return [name for name, module in model.named_modules() if isinstance(module, nn.Conv2d)]


def images(n):
    return torch.rand(n, 3, 224, 224, generator=torch.Generator().manual_seed(0))


def plain(model, inputs):
    with torch.no_grad():
        return model(inputs)


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@pytest.mark.parametrize("n_images", [1, 8])
def test_recording_all_convolutions(benchmark, model, convolutions, n_images):
    inputs = images(n_images)
    arrays = [maps.activations for maps in record(model, inputs, convolutions).maps.values()]
    works = {
        "plain": lambda: plain(model, inputs),
        "copy": lambda: [array.copy() for array in arrays],
        "record": lambda: record(model, inputs, convolutions),
    }
    times = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            times[name].append(seconds(work))
    medians = {name: statistics.median(values) for name, values in times.items()}
    benchmark.extra_info |= {f"{name}_ms": round(1000 * value, 1) for name, value in medians.items()}
    benchmark.extra_info["ratio"] = round(medians["record"] / (medians["plain"] + medians["copy"]), 3)
    benchmark.extra_info["megabytes"] = round(sum(array.nbytes for array in arrays) / 1e6, 1)
    benchmark.pedantic(works["record"], rounds=3)


def test_plain_forward(benchmark, model):
    benchmark(plain, model, images(1))


def test_recording_every_layer(benchmark, model):
    benchmark(record, model, images(1))


def test_trace(benchmark, model):
    benchmark(trace, model, images(1))
