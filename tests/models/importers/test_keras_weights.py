"""Weights in the files of Keras 2 and 3, written here with h5py as Keras lays them out."""

import io
import sys
import zipfile

import numpy as np
import pytest
import torch
from torch import nn

from cnnvis.core.errors import CheckpointError, InvalidInputError, MissingDependencyError, MissingFileError
from cnnvis.models import Network, import_network, load
from cnnvis.models.importers import read_keras

KERNEL, BIAS = np.arange(36, dtype=np.float32).reshape(3, 3, 1, 4), np.arange(4, dtype=np.float32)


@pytest.fixture
def h5py():
    """The library, which is an extra of its own."""
    return pytest.importorskip("h5py")


def write(h5py, target, places):
    with h5py.File(target, "w") as file:
        for place, value in places.items():
            file[place] = value
    return target


def one_layer():
    return Network(nn.Sequential(nn.Conv2d(1, 4, 3)), example=torch.zeros(1, 1, 5, 5))


@pytest.mark.parametrize(
    ("prefix", "name"),
    [("", "c0/kernel"), ("model_weights/", "c0/kernel"), ("model_weights/c0/sequential/", "c0/kernel")],
)
def test_keras_2(prefix, name, h5py, tmp_path):
    places = {f"{prefix}c0/kernel:0" if "sequential" in prefix else f"{prefix}c0/c0/kernel:0": KERNEL}
    weights = read_keras(write(h5py, tmp_path / "w.h5", places))
    assert dict(weights.shapes) == {name: (3, 3, 1, 4)}
    np.testing.assert_array_equal(weights[name], KERNEL)


def test_weights_that_would_share_a_short_name_keep_their_places(h5py, tmp_path):
    places = {"model_weights/a/a/kernel:0": KERNEL, "a/a/kernel:0": KERNEL}
    assert set(read_keras(write(h5py, tmp_path / "w.h5", places))) == set(places)


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_keras_3_into_a_network(suffix, h5py, tmp_path):
    places = {"layers/conv2d/vars/0": KERNEL, "layers/conv2d/vars/1": BIAS, "optimizer/vars/0": np.int64(3)}
    path = tmp_path / f"net{suffix}"
    content = io.BytesIO()
    write(h5py, content, places | {"note": "text"})
    if suffix == ".keras":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", "{}")
            archive.writestr("model.weights.h5", content.getvalue())
    else:
        path.write_bytes(content.getvalue())
    names = {"layers/conv2d/vars/0": "0.weight", "layers/conv2d/vars/1": "0.bias"}
    found = import_network(path, structure=one_layer(), names=names)
    conv = found.network.module[0]
    np.testing.assert_array_equal(conv.weight.detach().numpy(), KERNEL.transpose(3, 2, 0, 1))
    np.testing.assert_array_equal(conv.bias.detach().numpy(), BIAS)
    assert found.left_out == ("1 kept by the optimizer: optimizer/vars/0.", "1 that are no numbers: note (text).")
    assert found.epoch is None
    with pytest.raises(InvalidInputError, match="leave --epoch out"):
        import_network(path, structure=one_layer(), names=names, epoch=1)


def test_load_says_how_to_import_it(h5py, tmp_path):
    with pytest.raises(InvalidInputError, match=r"cnnvis import .*w\.h5 --structure file\.py:factory"):
        load(write(h5py, tmp_path / "w.h5", {"a/kernel:0": KERNEL}))


@pytest.mark.parametrize("share", [0, 0.3, 0.9])
@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_damaged_files_are_named(suffix, share, h5py, tmp_path):
    path = write(h5py, tmp_path / f"w{suffix}", {"a/kernel:0": np.zeros(5000)})
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(CheckpointError, match=rf"w\{suffix} cannot be read as weights of Keras"):
        read_keras(path)


def test_an_archive_without_weights_and_a_file_without_arrays(h5py, tmp_path):
    with zipfile.ZipFile(tmp_path / "w.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(CheckpointError, match="cannot be read as weights of Keras"):
        read_keras(tmp_path / "w.keras")
    with pytest.raises(CheckpointError, match="holds no weights"):
        read_keras(write(h5py, tmp_path / "w.h5", {"note": "text"}))
    with pytest.raises(MissingFileError, match=r"no file .*none\.h5"):
        read_keras(tmp_path / "none.h5")


def test_without_h5py_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "h5py", None)
    (tmp_path / "w.h5").touch()
    with pytest.raises(MissingDependencyError, match=r"pip install 'cnnvis\[keras\]'"):
        read_keras(tmp_path / "w.h5")
