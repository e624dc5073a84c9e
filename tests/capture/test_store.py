import json
import mmap
import os
import resource
import signal
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch
from capture_nets import IMAGES, Residual

from cnnvis.capture import open_store, record
from cnnvis.core.errors import CancelledError, FileFormatError, InvalidInputError, OutputError


@pytest.fixture
def model():
    return Residual().eval()


def assert_same(one, other):
    assert one.layers == other.layers
    for layer in one:
        np.testing.assert_array_equal(one[layer].activations, other[layer].activations)
    np.testing.assert_array_equal(one.logits, other.logits)
    assert one.inputs == other.inputs


def names_in(folder):
    return [path.name for path in folder.iterdir()]


def is_mapped(maps):
    array = maps.activations
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(array, mmap.mmap)


def test_a_store_reads_back_as_it_was(model, tmp_path):
    images, names = torch.rand(5, 3, 8, 8), list("abcde")
    stored = record(model, images, names=names, batch_size=2, store=tmp_path / "new" / "run")
    assert_same(stored, record(model, images, names=names, batch_size=2))
    again = open_store(str(tmp_path / "new" / "run"))
    assert_same(again, stored)
    assert again.provenance == stored.provenance
    assert is_mapped(again["conv1"])
    assert names_in(tmp_path / "new") == ["run"]


def test_plain_numpy_reads_the_files(model, tmp_path):
    record(model, torch.rand(IMAGES), "conv1", store=tmp_path / "run")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    values = np.load(tmp_path / "run" / manifest["layers"][0]["file"], allow_pickle=False)
    assert values.shape == (2, 4, 8, 8)


def test_a_finished_store_replaces_an_older_one(model, tmp_path):
    store = tmp_path / "run"
    record(model, torch.rand(IMAGES), "conv1", store=store)
    record(model, torch.rand(IMAGES), "conv2", store=store)
    assert open_store(store).layers == ("conv2",)
    assert names_in(tmp_path) == ["run"]


def fail(done, total):
    raise CancelledError("stop")


def test_an_unfinished_store_leaves_the_older_one(model, tmp_path):
    store = tmp_path / "run"
    old = record(model, torch.rand(IMAGES), "conv1", store=store)
    with pytest.raises(CancelledError):
        record(model, torch.rand(IMAGES), "conv2", store=store, progress=fail)
    assert_same(open_store(store), old)
    assert names_in(tmp_path) == ["run"]


def test_a_killed_run_leaves_the_older_store(model, tmp_path):
    store = tmp_path / "run"
    old = record(model, torch.rand(IMAGES), "conv1", store=store)
    program = (
        "import os, signal, sys, torch; from capture_nets import Residual; from cnnvis.capture import record\n"
        "kill = lambda done, total: os.kill(os.getpid(), signal.SIGKILL)\n"
        "record(Residual(), torch.rand(2, 3, 8, 8), store=sys.argv[1], progress=kill)"
    )
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    environment = os.environ | {"PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", program, str(store)], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    assert_same(open_store(store), old)


def test_a_full_disk_leaves_the_older_store(model, tmp_path):
    store = tmp_path / "run"
    old = record(model, torch.rand(IMAGES), "conv1", store=store)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        with pytest.raises(OutputError, match=r"Cannot write .*conv2\.npy"):
            record(model, torch.rand(IMAGES), "conv2", store=store)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert_same(open_store(store), old)
    assert names_in(tmp_path) == ["run"]


def test_too_small_a_disk_is_noticed_before_writing(model, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda folder: namedtuple("Usage", "total used free")(10, 5, 5))
    with pytest.raises(OutputError, match=r"needs 2\.0 kB on disk.*5 B free"):
        record(model, torch.rand(IMAGES), "conv1", store=tmp_path / "run")
    assert names_in(tmp_path) == []


def test_folders_that_are_no_store_are_not_overwritten(model, tmp_path):
    (tmp_path / "mine").write_text("precious")
    for target in (tmp_path, tmp_path / "mine"):
        with pytest.raises(OutputError, match="is not overwritten"):
            record(model, torch.rand(IMAGES), "conv1", store=target)
    with pytest.raises(OutputError, match="Cannot write"):
        record(model, torch.rand(IMAGES), "conv1", store=tmp_path / "mine" / "run")
    assert (tmp_path / "mine").read_text() == "precious"


def test_over_the_budget_layers_go_to_a_temporary_store_that_vanishes(model, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    images = torch.rand(4, 3, 8, 8)
    seen = []
    one_layer = 4 * 4 * 8 * 8 * 4
    recording = record(
        model,
        images,
        ["conv1", "bn", "conv2"],
        batch_size=2,
        memory_budget=2 * one_layer,
        progress=lambda done, total: seen.append([path.name for path in tmp_path.glob("*/*")]),
    )
    assert seen == [["0002_conv2.npy"], ["0002_conv2.npy"]]
    assert_same(recording, record(model, images, ["conv1", "bn", "conv2"], batch_size=2))
    kinds = {layer: is_mapped(recording[layer]) for layer in recording}
    assert kinds == {"conv1": False, "bn": False, "conv2": True}
    assert not any(tmp_path.rglob("*.npy"))


def test_an_unknown_number_of_images_is_streamed(model, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    images = torch.rand(5, 3, 8, 8)
    recording = record(model, (images[i : i + 2] for i in range(0, 5, 2)))
    assert_same(recording, record(model, images, batch_size=2))


def test_a_failed_run_leaves_no_temporary_files(model, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(CancelledError):
        record(model, torch.rand(IMAGES), memory_budget=0, progress=fail)
    assert names_in(tmp_path) == []


def test_a_loader_that_gives_more_than_it_says():
    from torch.utils.data import DataLoader, SequentialSampler

    class Short(SequentialSampler):
        def __len__(self):
            return 2

    images = torch.rand(6, 3, 8, 8)
    with pytest.raises(InvalidInputError, match="more than the 2 images"):
        record(Residual(), DataLoader(images, batch_size=2, sampler=Short(images)), "conv1")


@pytest.mark.parametrize("damage", ["missing folder", "no json", "newer", "cut off", "missing file", "other shape"])
def test_damaged_stores_are_refused(model, tmp_path, damage):
    store = tmp_path / "run"
    record(model, torch.rand(IMAGES), "conv1", store=store)
    manifest, values = store / "manifest.json", store / "0000_conv1.npy"
    if damage == "missing folder":
        store = tmp_path / "other"
    elif damage == "no json":
        manifest.write_text("{")
    elif damage == "newer":
        manifest.write_text(manifest.read_text().replace('"version": 1', '"version": 2'))
    elif damage == "cut off":
        values.write_bytes(values.read_bytes()[:-10])
    elif damage == "missing file":
        values.unlink()
    else:
        np.save(values, np.zeros((2, 4), np.float32))
    with pytest.raises(FileFormatError, match=str(store)):
        open_store(store)
