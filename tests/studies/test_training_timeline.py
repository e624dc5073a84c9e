"""The study of a training: its files, the order and range that all epochs share, bad runs; verb and pipelines."""

import json
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import cnnvis
from cnnvis.cli import main
from cnnvis.core import Volume
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, MissingFileError
from cnnvis.core.pictures import as_picture
from cnnvis.models import Network, data_path
from cnnvis.studies import TrainingTimeline, training_timeline
from cnnvis.studies.timeline_pictures import blended, chosen_epochs
from cnnvis.training import Watcher, first_of_each_class, shipped_run

ROOT = Path(__file__).parents[2]
SAMPLES = torch.rand(3, 1, 10, 10, generator=torch.Generator().manual_seed(0))
SIZE = (320, 200)
FILES = {
    "maps.pvd",
    "scene.json",
    "epochs.png",
    "training.mp4",
    "training.gif",
    "samples.png",
    "view3d.html",
    "index.html",
}


def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = (nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3), nn.Flatten(), nn.Linear(216, 2))
    return Network(nn.Sequential(*layers), name="tiny", example=SAMPLES[:1], class_names=("cat", "dog"))


def watch(folder, *, epochs=2, end=True, **options):
    """Write the run of a network whose second convolution grows by half each epoch."""
    model = network()
    watcher = Watcher(model, folder, **({"samples": SAMPLES, "labels": [0, 1, 0]} | options))
    for epoch in range(epochs):
        with torch.no_grad():
            model.module[2].weight.mul_(1.5)
            model.module[2].bias.mul_(1.5)
        watcher.step(loss=1 / (epoch + 1))
        watcher.epoch(accuracy=0.5)
    if end:
        watcher.close()
    return watcher


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    watch(path)
    return path


@pytest.fixture(scope="module")
def done(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return training_timeline.run(TrainingTimeline(run=folder, size=SIZE, order="pca"), out), out


def test_all_files_are_there_and_listed(done):
    result, out = done
    assert {path.name for path in out.iterdir() if path.is_file()} == FILES | {"curves.png"}
    assert {path.name for path in result.files} == FILES | {"curves.png"}
    assert result.layer == "2"  # the second with maps
    assert Image.open(out / "training.gif").n_frames == 3


def test_every_epoch_is_in_the_order_and_range_of_all(done, folder):
    result, out = done
    run = cnnvis.load(folder)
    scene = cnnvis.load(out / "scene.json")
    assert scene.series.axis == "epoch"
    assert [label.split(" · ")[0] for label in scene.series.labels] == ["0", "1", "2"]
    item = scene.items[0]
    frames = scene.frames[item.name]
    expected = cnnvis.order(run.recording(2)["2"].activations[:1], "pca", normalize="zscore")
    assert all(np.array_equal(frame.channels, expected.permutation) for frame in frames)
    whole = run.recording(0)["2"].activations[result.sample]
    assert np.array_equal(frames[0].values, whole[expected.permutation])
    span = item.transfer.span
    assert np.allclose(span, result.transfer.span)
    assert span[1] > frames[0].values.max()  # the range is that of all, not of the first
    for index in range(3):
        scene.frame = index
        assert item.transfer.span == span
    assert list(cnnvis.load(out / "maps.pvd")) == list(scene.series.labels)


def test_labels_say_what_the_sample_is_taken_for(done, folder):
    result, _ = done
    found = cnnvis.load(folder).predictions
    for at, label in enumerate(result.volumes):
        name = ("cat", "dog")[found.predicted[at, result.sample]]
        assert label == f"{at} · taken for {name}, {100 * found.probability[at, result.sample]:.1f} %"


def test_distance_of_the_maps_by_hand(done):
    # The convolution grows by 1.5 twice, its bias too: 1/2.25, 1/1.5 and 1 of the last.
    result, _ = done
    assert np.allclose(result.change, [1 - 1 / 2.25, 1 - 1 / 1.5, 0], atol=1e-6)


def test_the_page_says_what_was_measured(done):
    _, out = done
    text = (out / "index.html").read_text()
    rows = re.findall(r"<tr><th scope=\"row\"[^>]*>(\d)</th>(.*?)</tr>", text)
    assert [row[0] for row in rows[:3]] == ["0", "1", "2"]
    assert "50.0%" in rows[1][1]
    assert "0.333" in rows[1][1]
    assert "The training of tiny" in text
    assert "note" not in re.findall(r'role="(\w+)"', text)  # no warnings
    assert ">loss<" not in text  # none was given for epochs


def test_a_run_that_goes_on_and_one_that_lost_a_piece(tmp_path):
    watcher = watch(tmp_path / "run", end=False)
    follow = cnnvis.load(tmp_path / "run").follow(poll=0.05)
    next(run for run in follow if run.epochs == (0, 1, 2))
    (tmp_path / "run" / "weights" / "000001.safetensors").unlink()
    out = tmp_path / "out"
    result = training_timeline.run(TrainingTimeline(run=tmp_path / "run", layer="0", sample=2, size=SIZE), out)
    watcher.close()
    assert result.epochs == (0, 2)
    assert (result.layer, result.sample) == ("0", 2)
    text = (out / "index.html").read_text()
    assert "goes on" in text
    assert "epoch 1 is left out" in text


def test_a_run_of_steps_without_labels_or_losses(tmp_path):
    model = network()
    with Watcher(model, tmp_path / "run", samples=SAMPLES.repeat(1, 1, 1, 1), every="2 steps") as watcher:
        for _ in range(4):
            watcher.step()
    result = training_timeline.run(TrainingTimeline(run=tmp_path / "run", size=SIZE), tmp_path / "out")
    assert result.epochs == (0, 2, 4)
    assert result.truth == ""
    assert not (tmp_path / "out" / "curves.png").exists()
    assert cnnvis.load(tmp_path / "out" / "scene.json").series.axis == "step"


def test_the_default_sample_is_one_that_was_learned(tmp_path):
    model = network()
    with torch.no_grad():
        model.module[4].weight.zero_()
        model.module[4].bias.copy_(torch.tensor([1.0, 0.0]))  # all cats
    with Watcher(model, tmp_path / "run", samples=SAMPLES, labels=[0, 0, 1]) as watcher:
        with torch.no_grad():
            model.module[4].bias.copy_(torch.tensor([0.0, 1.0]))  # all dogs
        watcher.epoch()
    result = training_timeline.run(TrainingTimeline(run=tmp_path / "run", size=SIZE), tmp_path / "out")
    assert (result.sample, result.truth) == (2, "dog")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"layer": "9"}, LayerNotFoundError, "kept no layer '9'"),
        ({"layer": "4"}, ValueError, "volume needs maps"),
        ({"sample": 3}, InvalidInputError, "samples 0 to 2"),
        ({"run": "nowhere"}, MissingFileError, "nowhere holds no run"),
    ],
)
def test_what_is_not_there(folder, tmp_path, changes, error, message):
    with pytest.raises(error, match=message):
        training_timeline.run(TrainingTimeline(**({"run": folder, "size": SIZE} | changes)), tmp_path / "out")


def test_a_folder_without_a_run(tmp_path):
    with pytest.raises(MissingFileError, match=r"run\.json"):
        training_timeline.run(TrainingTimeline(run=tmp_path, size=SIZE), tmp_path / "out")


@pytest.mark.parametrize(
    "changes",
    [{"order": "alphabet"}, {"fps": 0}, {"fps": 31}, {"size": (10, 10)}, {"fps": 10, "smooth": 7}],
    ids=["order", "fps", "fast", "size", "smooth"],
)
def test_wrong_options(changes):
    with pytest.raises(InvalidInputError):
        TrainingTimeline(**changes)


def test_a_network_whose_layers_have_no_maps(tmp_path):
    with Watcher(nn.Sequential(nn.Flatten(), nn.Linear(100, 3)), tmp_path / "run", samples=SAMPLES):
        pass
    with pytest.raises(InvalidInputError, match="layers="):
        training_timeline.run(TrainingTimeline(run=tmp_path / "run", size=SIZE), tmp_path / "out")


@pytest.mark.parametrize(("n", "expected"), [(1, (0,)), (2, (0, 1)), (4, (0, 1, 3)), (11, (0, 1, 3, 10))])
def test_epochs_side_by_side_are_denser_at_the_beginning(n, expected):
    assert chosen_epochs(n) == expected


def test_between_two_epochs_values_are_blended_and_said_to_be():
    volumes = {
        name: Volume(np.full((1, 1, 2), value)) for name, value in (("0 · cat", 0.0), ("4 · dog", 8.0), ("5", -8))
    }
    found = blended(volumes, (0, 4, 5), 4)
    assert [volume.values[0, 0, 0] for volume in found.values()] == [0, 2, 4, 6, 8, 4, 0, -4, -8]
    labels = list(found)
    assert labels[:3] == ["0 · cat", "0 to 4 · values blended, 25%", "0 to 4 · values blended, 50%"]
    assert labels[-2:] == ["4 to 5 · values blended, 75%", "5"]
    assert blended(volumes, (0, 4, 5), 1) == volumes


def test_state_dicts_alone_are_played_back_without_code(tmp_path, capsys):
    states = tmp_path / "states"
    states.mkdir()
    for epoch in (0, 10):
        shutil.copy(data_path(f"networks/fashion-cnn-{epoch:02d}.safetensors"), states / f"after_{epoch}.safetensors")
    (states / "after_3.pt").write_bytes(b"damaged")
    line = ["timeline", str(states), "--size", "320x200", "--out", str(tmp_path / "out")]
    assert main([*line, "-q"]) == 1
    assert "timeline FOLDER --model NAME" in capsys.readouterr().err
    assert main([*line, "--model", "fashion-cnn", "--smooth", "3"]) == 0
    out = capsys.readouterr().out
    assert "2 epochs kept" in out
    assert "epoch 3 is left out" in out
    with Image.open(tmp_path / "out" / "training.gif") as film:
        assert film.n_frames == 4, "two epochs, and two pictures between them"
    run = cnnvis.load(tmp_path / "out" / "run")
    assert run.epochs == (0, 10)
    assert run.facts.labels == tuple(range(10))
    assert 0.85 < run.epoch_curves.accuracy[-1] < 1
    assert "blended" in (tmp_path / "out" / "index.html").read_text()


def test_samples_as_pictures():
    grey = as_picture(np.array([[[-1.0, 0.0], [1.0, 3.0]]]))
    assert grey[..., 0].tolist() == [[0, 64], [128, 255]]
    assert grey.shape == (2, 2, 3)
    assert as_picture(np.zeros((3, 2, 2))).max() == 0
    assert as_picture(np.zeros((2, 2, 2))) is None
    assert as_picture(np.zeros(4)) is None


def test_the_verb_says_what_it_found(folder, tmp_path, capsys):
    line = ["timeline", str(folder), "--layer", "0", "--sample", "1", "--size", "320x200", "--out", str(tmp_path)]
    assert main(line) == 0
    out = capsys.readouterr().out
    assert "tiny: finished, 3 epochs kept; 0: dog" in out
    assert str(tmp_path / "training.mp4") in out
    assert main(["timeline", str(tmp_path / "nothing"), "-q"]) == 1
    assert "nothing" in capsys.readouterr().err


def test_the_shipped_training(tmp_path):
    seen = []
    run = shipped_run(tmp_path / "run", progress=lambda *at: seen.append(at))
    assert run.epochs == tuple(range(11))
    assert run.facts.labels == tuple(range(10))
    assert seen[-1] == (11, 11)
    assert run.epoch_curves.accuracy[0] < 0.2
    assert run.epoch_curves.accuracy[-1] > 0.9
    assert run.network(3).sha256 == cnnvis.models.load("fashion-cnn@3").sha256
    recording = cnnvis.record(cnnvis.models.load("fashion-cnn@3"), run.samples, "conv2")
    assert np.array_equal(recording["conv2"].activations, run.recording(3)["conv2"].activations)


def test_first_of_each_class():
    images = cnnvis.models.labelled_images("mnist", "test")
    chosen = first_of_each_class(images)
    assert chosen.labels.tolist() == list(range(10))
    first = images.labels.tolist().index(7)
    assert chosen.names[7] == images.names[first]
    assert torch.equal(chosen.images[7], images.images[first])


def test_the_pipeline_of_a_live_training_and_its_timeline(tmp_path):
    script = runpy.run_path(str(ROOT / "pipelines" / "watch_training.py"))
    script["watch_training"](epochs=1, batch=400, out=tmp_path / "run", quiet=True)
    run = cnnvis.load(tmp_path / "run")
    assert (run.epochs, len(run.curves), run.finished) == ((0, 1), 5, True)
    assert run.network(1).name == "fashion-cnn"
    command = [sys.executable, str(ROOT / "pipelines" / "training_timeline.py"), str(tmp_path / "run"), "-q"]
    subprocess.run([*command, "--size", "320x200", "--out", str(tmp_path / "out")], check=True)
    state = json.loads((tmp_path / "out" / "scene.json").read_text())
    assert "epoch" in json.dumps(state)
