"""`import_network`: what a source holds, what it needs, and what it leaves out."""

import json

import numpy as np
import pytest
import torch
from tensorflow_writer import write_checkpoint

from cnnvis.core.errors import CheckpointError, FileFormatError, InvalidInputError
from cnnvis.models import import_network, load

FACTORY = """
from torch import nn
import torch
def build():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 3)), torch.zeros(1, 1, 4, 4)
"""
NAMES = {"conv/kernel": "0.weight", "conv/bias": "0.bias", "fc/kernel": "2.weight", "fc/bias": "2.bias"}


def tensors(scale):
    shapes = {"conv/kernel": (3, 3, 1, 2), "conv/bias": (2,), "fc/kernel": (8, 3), "fc/bias": (3,)}
    return {name: np.full(shape, scale, np.float32) for name, shape in shapes.items()} | {"global_step": np.int64(5)}


@pytest.fixture
def source(tmp_path):
    """Two epochs, the code of their network and a map of names."""
    for epoch in (1, 2):
        write_checkpoint(tmp_path / "run" / f"model.ckpt-{epoch}", tensors(epoch))
    (tmp_path / "net.py").write_text(FACTORY)
    (tmp_path / "names.json").write_text(json.dumps(NAMES))
    return tmp_path


@pytest.mark.parametrize(("epoch", "taken"), [(None, 2), (1, 1)])
def test_an_epoch_of_a_folder(epoch, taken, source):
    found = import_network(source / "run", structure=f"{source}/net.py:build", names=source / "names.json", epoch=epoch)
    assert (found.epoch, found.epochs) == (taken, (1, 2))
    assert all(torch.all(value == taken) for value in found.network.module.state_dict().values())
    assert found.network.weights == f"model.ckpt-{taken}"
    assert found.left_out == ("1 kept by the optimizer: global_step.",)
    assert not found.network.module.training


def test_a_single_checkpoint_has_no_epochs_to_choose_from(source):
    found = import_network(source / "run" / "model.ckpt-1", structure=f"{source}/net.py:build", names=NAMES)
    assert found.epoch is None


def test_without_structure_or_names_it_lists_what_there_is(source):
    with pytest.raises(InvalidInputError, match=r"(?s)no layers.*--structure, --names.*conv/kernel  3x3x1x2"):
        import_network(source / "run")
    with pytest.raises(
        InvalidInputError, match=r"(?s)conv/kernel  3x3x1x2.*Sequential has.*0\.weight  2x1x3x3"
    ) as caught:
        import_network(source / "run", structure=f"{source}/net.py:build")
    assert "global_step" not in str(caught.value)


def test_what_is_refused(source):
    with pytest.raises(InvalidInputError, match=r"no epoch 3\. It has 1, 2"):
        import_network(source / "run", structure=f"{source}/net.py:build", names=NAMES, epoch=3)
    with pytest.raises(FileFormatError, match="no format that can be imported"):
        import_network(source / "net.py")
    with pytest.raises(FileFormatError, match="no format that can be imported"):
        import_network(source / "nothing")
    with pytest.raises(CheckpointError, match=r"without a source:\n  0\.bias"):
        import_network(source / "run", structure=f"{source}/net.py:build", names={"conv/kernel": "0.weight"})


def test_load_says_how_to_import_what_has_no_layers(source):
    for name in ("run", "run/model.ckpt-1", "run/model.ckpt-1.index"):
        with pytest.raises(InvalidInputError, match=r"cnnvis import .* --structure file.py:factory --names MAP.json"):
            load(source / name)
        with pytest.raises(InvalidInputError, match="and a map of names: cnnvis import"):
            load(f"{source}/net.py:build", weights=source / name)
