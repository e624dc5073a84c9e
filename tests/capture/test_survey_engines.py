"""Surveys of picture files, in several processes, on a cluster, and taken up again."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file, save_file
from torch import nn

import cnnvis
from cnnvis.capture import SurveyOptions
from cnnvis.capture.surveying.engines import in_processes
from cnnvis.core import Survey
from cnnvis.core.errors import CancelledError, FileFormatError, InvalidInputError, MissingFileError
from cnnvis.models import labelled_images, load

OPTIONS = SurveyOptions(shard_size=20)


@pytest.fixture(scope="module")
def network():
    return load("fashion-cnn")


@pytest.fixture(scope="module")
def data():
    images, labels = labelled_images("fashion-mnist", "test").pair
    return [(images[start : start + 20], labels[start : start + 20]) for start in range(0, 100, 20)]


@pytest.fixture(scope="module")
def pair(data):
    """The same images and labels in one piece."""
    return torch.cat([images for images, _ in data]), torch.cat([labels for _, labels in data])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten pictures of two classes, one of them no picture."""
    images, labels = labelled_images("fashion-mnist", "test").pair
    for label, name in ((1, "Trouser"), (9, "Ankle boot")):
        place = tmp_path / "pictures" / name
        place.mkdir(parents=True)
        for number, image in enumerate(images[labels == label][:5]):
            Image.fromarray((image[0].numpy() * 255).astype(np.uint8)).save(place / f"{number}.png")
    (tmp_path / "pictures" / "Trouser" / "2.png").write_text("no picture")
    return tmp_path / "pictures"


def assert_same(one: Survey, other: Survey, *, exact: bool) -> None:
    assert list(one) == list(other)
    assert one.n_images == other.n_images
    np.testing.assert_array_equal(one.confusion, other.confusion)
    np.testing.assert_array_equal(one.convergence.n_images, other.convergence.n_images)
    for layer in one:
        for name in ("mean", "std", "correlation", "quantiles", "window", "top_averages", "n_missing"):
            first, second = getattr(one[layer], name), getattr(other[layer], name)
            if exact:
                np.testing.assert_array_equal(first, second, err_msg=f"{layer} {name}")
            else:
                np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6, err_msg=f"{layer} {name}")


class Interrupted:
    """A progress that cancels when so many images are done."""

    def __init__(self, at: int) -> None:
        self.at = at

    def __call__(self, done: int, _total: int) -> None:
        if done >= self.at:
            raise CancelledError


# ---------------------------------------------------------------------------------------------------- picture files


def test_a_folder_is_read_as_its_pictures(network, folder):
    found = cnnvis.survey(network, folder, options=SurveyOptions(shard_size=4))
    kept = sorted(folder.glob("*/*.png"), key=lambda path: (path.parent.name != "Trouser", path.name))
    read = [path for path in kept if path.read_bytes()[:4] != b"no p"]
    images = torch.cat([network.preprocess(path) for path in read])
    labels = torch.tensor([1 if path.parent.name == "Trouser" else 9 for path in read])
    expected = cnnvis.survey(network, (images, labels), options=SurveyOptions(shard_size=4))
    assert found.n_images == 9
    assert found.n_skipped == 1
    assert found.skipped[0].name.endswith("2.png")
    assert "not a picture" in found.skipped[0].reason
    np.testing.assert_array_equal(found.confusion, expected.confusion)
    np.testing.assert_allclose(found["conv1"].correlation, expected["conv1"].correlation, atol=1e-6)
    assert found.window_images.tolist() == [0, 1, 3, 4, 5, 6, 7, 8, 9]  # numbers are places in the data
    assert found.image_names[3].endswith("3.png")


def test_pictures_without_classes_and_lists_of_files(network, folder):
    files = sorted((folder / "Ankle boot").iterdir())
    flat = cnnvis.survey(network, folder / "Ankle boot")
    listed = cnnvis.survey(network, (files, [9] * 5))
    assert flat.confusion is None
    assert listed.confusion.sum() == 5
    np.testing.assert_array_equal(flat["conv1"].mean, listed["conv1"].mean)


def test_folders_that_cannot_be_surveyed_say_why(network, tmp_path, folder):
    with pytest.raises(MissingFileError, match="nowhere"):
        cnnvis.survey(network, tmp_path / "nowhere")
    with pytest.raises(InvalidInputError, match="preprocessed"):
        cnnvis.survey(network.module, folder)
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "a.png").write_text("x")
    with pytest.raises(InvalidInputError, match="None of the 1 files"):
        cnnvis.survey(network, bad)


# ------------------------------------------------------------------------------------------------------- checkpoints


def test_a_survey_taken_up_again_gives_the_same(network, data, tmp_path):
    path = tmp_path / "survey.safetensors"
    whole = cnnvis.survey(network, data, options=OPTIONS)
    with pytest.raises(CancelledError):
        cnnvis.survey(network, data, options=OPTIONS, checkpoint=path, progress=Interrupted(60))
    assert path.exists()
    seen = []
    again = cnnvis.survey(
        network, data, options=OPTIONS, checkpoint=path, progress=lambda done, total: seen.append((done, total))
    )
    assert seen[0][0] > 40
    assert_same(whole, again, exact=True)
    assert not path.exists()


def test_a_checkpoint_of_another_run_is_refused(network, data, tmp_path):
    path = tmp_path / "survey.safetensors"
    with pytest.raises(CancelledError):
        cnnvis.survey(network, data, options=OPTIONS, checkpoint=path, progress=Interrupted(60))
    with pytest.raises(InvalidInputError, match="weights"):
        cnnvis.survey(load("fashion-cnn@3"), data, options=OPTIONS, checkpoint=path)
    with pytest.raises(InvalidInputError, match="window"):
        cnnvis.survey(network, data, options=SurveyOptions(shard_size=20, window=5), checkpoint=path)
    save_file(load_file(path), path)  # without its header
    with pytest.raises(FileFormatError, match="no survey"):
        cnnvis.survey(network, data, options=OPTIONS, checkpoint=path)


def test_other_images_are_not_taken_for_those_of_the_checkpoint(network, tmp_path):
    """As many of them: only a value of the last, the order, or the labels are others."""
    path = tmp_path / "survey.safetensors"
    images, labels = (part[:520] for part in labelled_images("fashion-mnist", "test").pair)
    with pytest.raises(CancelledError):
        cnnvis.survey(network, (images, labels), options=OPTIONS, checkpoint=path, progress=Interrupted(300))
    assert path.exists()
    late = images.clone()
    late[-1] = 1 - late[-1]
    for others in ((late, labels), (images.flip(0), labels), (images, labels.flip(0))):
        with pytest.raises(InvalidInputError, match=r"different are: images .* to begin anew"):
            cnnvis.survey(network, others, options=OPTIONS, checkpoint=path)
    assert cnnvis.survey(network, (images, labels), options=OPTIONS, checkpoint=path).n_images == 520


def test_a_loader_that_shuffles_is_not_gone_on_with(network, pair, tmp_path):
    path = tmp_path / "survey.safetensors"
    dataset = torch.utils.data.TensorDataset(*pair)
    ordered = torch.utils.data.DataLoader(dataset, batch_size=10)
    shuffled = torch.utils.data.DataLoader(dataset, batch_size=10, shuffle=True)
    with pytest.raises(CancelledError):
        cnnvis.survey(network, ordered, options=OPTIONS, checkpoint=path, progress=Interrupted(60))
    with pytest.raises(InvalidInputError, match="images"):
        cnnvis.survey(network, shuffled, options=OPTIONS, checkpoint=path)
    assert_same(
        cnnvis.survey(network, ordered, options=OPTIONS),
        cnnvis.survey(network, ordered, options=OPTIONS, checkpoint=path),
        exact=True,
    )


def test_other_files_are_not_taken_for_those_of_the_checkpoint(network, folder, tmp_path):
    path = tmp_path / "survey.safetensors"
    options = SurveyOptions(shard_size=2)
    files = sorted(file for file in folder.rglob("*") if file.suffix == ".png")
    with pytest.raises(CancelledError):
        cnnvis.survey(network, files, options=options, checkpoint=path, progress=Interrupted(3))
    with pytest.raises(InvalidInputError, match="images"):
        cnnvis.survey(network, files[::-1], options=options, checkpoint=path)
    assert_same(
        cnnvis.survey(network, files, options=options),
        cnnvis.survey(network, files, options=options, checkpoint=path),
        exact=True,
    )


# -------------------------------------------------------------------------------------------------- other processes


def test_several_processes_give_what_one_gives(network, data):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        serial = cnnvis.survey(network, data, options=OPTIONS)
    finally:
        torch.set_num_threads(threads)
    assert_same(serial, cnnvis.survey(network, data, options=OPTIONS, workers=2), exact=True)


class Deadly:
    """A shard that ends its process the first time it is read, for want of memory it seems."""

    def __init__(self, shard, flag: Path) -> None:
        self.shard, self.flag = shard, flag

    def batches(self, model):
        if not self.flag.exists():
            self.flag.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        yield from self.shard.batches(model)


# Tensors travel through a thread of Python's own, which says on stderr that the other end is gone: no fault here.
@pytest.mark.qt_no_exception_capture
def test_the_share_of_a_process_that_dies_is_done_again(network, data, tmp_path):
    from cnnvis.capture.surveying.network import NetworkAccumulator
    from cnnvis.capture.surveying.plan import make_plan
    from cnnvis.capture.surveying.survey import source_of

    source = source_of(network, data)
    plan = make_plan(network, source.example().call, None, OPTIONS, has_labels=True)
    shards = list(source.shards(20))
    shards[2] = Deadly(shards[2], tmp_path / "died")
    taken = NetworkAccumulator(plan)
    for part in in_processes(2)(network, plan, shards):
        taken.merge(part)
    whole = cnnvis.survey(network, data, options=OPTIONS)
    assert (tmp_path / "died").exists()
    assert taken.n_images == 100
    np.testing.assert_array_equal(taken.recent[:, 0], np.arange(100))
    np.testing.assert_array_equal(taken.confusion, whole.confusion)


def test_a_model_that_cannot_be_sent_is_refused():
    class Local(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 3)

        def forward(self, images):
            return self.conv(images)

    with pytest.raises(InvalidInputError, match="one worker"):
        cnnvis.survey(Local(), torch.zeros(4, 1, 8, 8), workers=2)


def test_a_cluster_gives_what_one_process_gives(network, data, tmp_path):
    distributed = pytest.importorskip("distributed")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        serial = cnnvis.survey(network, data, options=OPTIONS)
    finally:
        torch.set_num_threads(threads)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=str(tmp_path)
    ) as cluster:
        found = cnnvis.survey(network, data, options=OPTIONS, scheduler=cluster.scheduler_address)
    assert_same(serial, found, exact=True)


def test_a_full_disk_leaves_the_last_checkpoint(network, data, tmp_path, monkeypatch):
    path = tmp_path / "folder" / "survey.safetensors"
    path.parent.mkdir()
    with pytest.raises(CancelledError):
        cnnvis.survey(network, data, options=OPTIONS, checkpoint=path, progress=Interrupted(60))
    kept = path.read_bytes()
    monkeypatch.setattr("cnnvis.core.atomic.os.replace", _full)
    with pytest.raises(OSError, match="left"):
        cnnvis.survey(network, data, options=OPTIONS, checkpoint=path)
    assert path.read_bytes() == kept


def _full(*_):
    raise OSError(28, "No space left on device")
