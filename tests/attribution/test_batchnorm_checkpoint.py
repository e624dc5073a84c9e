import numpy as np
import pytest
import torch
from batchnorm_nets import blobs, perceptron
from safetensors.torch import save_file

from cnnvis.attribution import _scale_groups
from cnnvis.attribution._scale_training import ScaleTraining
from cnnvis.attribution.batchnorm import by_batchnorm
from cnnvis.core.errors import CancelledError, DivergedError, FileFormatError, InvalidInputError

OPTIONS = {"steps": 12, "batch_size": 8, "learning_rate": 0.02}


def assert_equal(found, expected):
    assert list(found) == list(expected)
    for layer in expected:
        np.testing.assert_array_equal(found.per_class[layer], expected.per_class[layer])
        np.testing.assert_array_equal(found.signed[layer], expected.signed[layer])
    assert found.options["report"] == expected.options["report"]


def stop_at(count, error):
    """Return a progress callback that raises `error` when `count` steps are done."""

    def progress(done, total):
        if done >= count:
            raise error

    return progress


@pytest.fixture
def steps_taken(monkeypatch):
    """Return the (classes, step) of each optimiser step taken from now on."""
    taken = []
    advance = ScaleTraining.advance

    def counted(self, state):
        taken.append((self.classes, state.step))
        return advance(self, state)

    monkeypatch.setattr(ScaleTraining, "advance", counted)
    return taken


@pytest.mark.parametrize("error", [KeyboardInterrupt, CancelledError("stop")])
def test_an_interrupted_run_goes_on_to_the_same_result(error, tmp_path, steps_taken):
    data, path = blobs(), tmp_path / "run" / "scales.safetensors"
    expected = by_batchnorm(perceptron(), data, **OPTIONS)
    with pytest.raises(type(error) if isinstance(error, Exception) else error):
        by_batchnorm(perceptron(), data, checkpoint=path, progress=stop_at(3 * 5, error), **OPTIONS)
    steps_taken.clear()
    assert_equal(by_batchnorm(perceptron(), data, checkpoint=path, **OPTIONS), expected)
    assert steps_taken == [((0, 1, 2), step) for step in range(5, 12)]


def test_finished_classes_are_not_trained_again(tmp_path, steps_taken, monkeypatch):
    monkeypatch.setattr(_scale_groups, "GROUP_BYTES", 1)
    data, path = blobs(), tmp_path / "scales.safetensors"
    expected = by_batchnorm(perceptron(), data, **OPTIONS)
    with pytest.raises(KeyboardInterrupt):
        by_batchnorm(perceptron(), data, checkpoint=path, progress=stop_at(12 + 4, KeyboardInterrupt), **OPTIONS)
    steps_taken.clear()
    assert_equal(by_batchnorm(perceptron(), data, checkpoint=path, **OPTIONS), expected)
    assert steps_taken[0] == ((2,), 0) or steps_taken[0] == ((1,), 4)
    assert len(steps_taken) == 2 * 12 - 4
    steps_taken.clear()
    assert_equal(by_batchnorm(perceptron(), data, checkpoint=path, **OPTIONS), expected)
    assert not steps_taken


def test_more_steps_and_other_classes_go_on_from_a_checkpoint(tmp_path, steps_taken):
    data, path = blobs(), tmp_path / "scales.safetensors"
    by_batchnorm(perceptron(), data, classes=[1], checkpoint=path, **{**OPTIONS, "steps": 7})
    steps_taken.clear()
    found = by_batchnorm(perceptron(), data, classes=[2, 1], checkpoint=path, **OPTIONS)
    assert len(steps_taken) == 12 + 5
    expected = by_batchnorm(perceptron(), data, classes=[2, 1], **OPTIONS)
    for layer in expected:
        np.testing.assert_allclose(found.per_class[layer], expected.per_class[layer], atol=1e-5)
    with pytest.raises(InvalidInputError, match="12 steps behind it, more than steps=3"):
        by_batchnorm(perceptron(), data, classes=[1], checkpoint=path, **{**OPTIONS, "steps": 3})


def test_the_checkpoint_is_written_while_the_work_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(_scale_groups, "SAVE_EVERY", 0.0)
    path, seen = tmp_path / "scales.safetensors", []
    by_batchnorm(perceptron(), blobs(), checkpoint=path, progress=lambda *_: seen.append(path.exists()), **OPTIONS)
    assert all(seen)


def test_a_run_that_diverges_keeps_the_classes_it_can(tmp_path, monkeypatch, steps_taken):
    """Class 2 meets NaN at its fourth step; the others can go on without it."""
    data, path = blobs(), tmp_path / "scales.safetensors"
    advance = ScaleTraining.advance

    def failing(self, state):
        if 2 in self.classes and state.step == 3:
            raise DivergedError("The loss of class 2 is not finite at step 4 of 12.")
        return advance(self, state)

    expected = by_batchnorm(perceptron(), data, classes=[0, 1], **OPTIONS)
    monkeypatch.setattr(ScaleTraining, "advance", failing)
    with pytest.raises(DivergedError):
        by_batchnorm(perceptron(), data, checkpoint=path, **OPTIONS)
    steps_taken.clear()
    found = by_batchnorm(perceptron(), data, classes=[0, 1], checkpoint=path, **OPTIONS)
    assert steps_taken == [((0, 1), step) for step in range(3, 12)]
    for layer in expected:
        np.testing.assert_allclose(found.per_class[layer], expected.per_class[layer], atol=1e-5)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"learning_rate": 0.05}, r"learning_rate \(0.02 there, 0.05 here\)"),
        ({"init": "zero", "l1": 0.5}, r"init \(one there, zero here\), l1"),
        ({"layers": ["0"]}, "layers"),
        ({"random_state": 1}, "random_state"),
    ],
)
def test_a_checkpoint_of_other_options_says_which(change, says, tmp_path):
    path = tmp_path / "scales.safetensors"
    by_batchnorm(perceptron(), blobs(), checkpoint=path, **OPTIONS)
    with pytest.raises(InvalidInputError, match=says):
        by_batchnorm(perceptron(), blobs(), checkpoint=path, **{**OPTIONS, **change})


def test_a_checkpoint_of_another_network_or_other_data(tmp_path):
    path, (images, labels) = tmp_path / "scales.safetensors", blobs()
    by_batchnorm(perceptron(), (images, labels), checkpoint=path, **OPTIONS)
    for model, data, says in (
        (perceptron(seed=5), (images, labels), "weights"),
        (perceptron(), (images + 1, labels), "images"),
        (perceptron(), (images, labels.flip(0)), "labels"),
    ):
        with pytest.raises(InvalidInputError, match=rf"different are: {says} \("):
            by_batchnorm(model, data, checkpoint=path, **OPTIONS)


def test_files_that_are_no_checkpoint(tmp_path):
    path = tmp_path / "scales.safetensors"
    path.write_bytes(b"not a file of tensors")
    with pytest.raises(FileFormatError, match="damaged"):
        by_batchnorm(perceptron(), blobs(), checkpoint=path, **OPTIONS)
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(FileFormatError, match="holds no scales"):
        by_batchnorm(perceptron(), blobs(), checkpoint=path, **OPTIONS)
    save_file({"a": torch.zeros(1)}, path, {"format": "cnnvis-scales", "version": "99"})
    with pytest.raises(FileFormatError, match="update cnnvis"):
        by_batchnorm(perceptron(), blobs(), checkpoint=path, **OPTIONS)
