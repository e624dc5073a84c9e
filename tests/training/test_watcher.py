"""A training is watched: what is kept, that nothing of it changes, and that it goes on whatever happens to the disk."""

import copy
import errno
import gc
import os
import subprocess
import sys
import textwrap
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from watched_nets import images, net, train

import cnnvis
from cnnvis.core import RunState
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, OutputError
from cnnvis.io import run_writer
from cnnvis.io.run_table import append_rows
from cnnvis.training import Watcher


def watcher(module, folder, **options):
    samples, labels = images()
    return Watcher(module, folder, **({"samples": samples[:3], "labels": labels[:3]} | options))


def test_a_watched_training_is_kept_epoch_by_epoch(tmp_path):
    module = net()
    before = copy.deepcopy(module.state_dict())
    with watcher(module, tmp_path / "run") as watching:
        train(module, watching)
    run = cnnvis.load(tmp_path / "run")
    assert run.epochs == (0, 1, 2)
    assert run.finished
    assert run.problems == ()
    assert run.facts.name == "Sequential"
    assert run.facts.layers == ("0", "4")
    assert run.facts.graph.names == cnnvis.trace(module, run.samples[:1]).names
    assert all(torch.equal(tensor, before[name]) for name, tensor in run.state_dict(0).items())
    assert all(torch.equal(tensor, module.state_dict()[name]) for name, tensor in run.state_dict(2).items())
    assert [checkpoint.step for checkpoint in run.checkpoints] == [0, 3, 6]


def test_recording_and_predictions_are_those_of_the_network_of_then(tmp_path):
    module = net()
    with watcher(module, tmp_path) as watching:
        train(module, watching)
    run = cnnvis.load(tmp_path)
    for at, epoch in enumerate(run.epochs):
        network = run.network(epoch, net(seed=5))
        expected = cnnvis.record(network, run.samples, ["0", "4"])
        found = run.recording(epoch)
        assert np.array_equal(found["0"].activations, expected["0"].activations)
        logits = torch.from_numpy(expected.logits.copy()).double()
        shares = logits.softmax(1).numpy()
        assert run.predictions.predicted[at].tolist() == shares.argmax(1).tolist()
        assert np.allclose(run.predictions.probability[at], shares.max(1))
        assert np.allclose(run.predictions.truth[at], shares[[0, 1, 2], [0, 1, 0]])
    assert found.provenance.weights == "epoch 2"


def test_losses_are_read_back_to_the_last_bit(tmp_path):
    losses = [0.1 + 0.2, 1e-300, float("nan"), float("inf"), None]
    with watcher(net(), tmp_path) as watching:
        for loss in losses:
            watching.step(loss=loss, accuracy=torch.tensor(0.25))
        watching.epoch(loss=3)
    run = cnnvis.load(tmp_path)
    assert np.array_equal(run.curves.loss, [0.1 + 0.2, 1e-300, np.nan, np.inf, np.nan], equal_nan=True)
    assert (run.curves.accuracy == 0.25).all()
    assert run.curves.steps.tolist() == [1, 2, 3, 4, 5]
    assert (run.epoch_curves.steps.tolist(), run.epoch_curves.epochs.tolist()) == ([5], [1])
    assert run.epoch_curves.loss.tolist() == [3.0]


def test_training_is_the_same_with_and_without(tmp_path):
    class Nothing:
        def step(self, **_):
            pass

        epoch = step

    plain, watched = net(), net()
    watched[2] = nn.Sequential(nn.ReLU(), nn.Dropout(0.3))  # draws numbers
    plain[2] = copy.deepcopy(watched[2])
    torch.manual_seed(3)
    train(plain, Nothing())
    state = torch.get_rng_state()
    torch.manual_seed(3)
    with watcher(watched, tmp_path) as watching:
        train(watched, watching)
    assert torch.equal(torch.get_rng_state(), state)
    pairs = zip(plain.state_dict().values(), watched.state_dict().values(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
    pairs = zip(plain.parameters(), watched.parameters(), strict=True)
    assert all(torch.equal(one.grad, other.grad) for one, other in pairs)
    assert all(part.training for part in watched.modules())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in watched.modules())


def test_what_is_kept_does_not_follow_the_weights(tmp_path, monkeypatch):
    """The thread writes late; the weights have moved on by then."""
    gate, whole = threading.Event(), run_writer.RunWriter.add_checkpoint

    def late(*args):
        gate.wait(10)
        whole(*args)

    monkeypatch.setattr(run_writer.RunWriter, "add_checkpoint", late)
    module = net()
    before = module[0].weight.detach().clone()
    with watcher(module, tmp_path) as watching:
        with torch.no_grad():
            module[0].weight.add_(1)
        gate.set()
        watching.epoch()
    run = cnnvis.load(tmp_path)
    assert torch.equal(run.state_dict(0)["0.weight"], before)
    assert torch.equal(run.state_dict(1)["0.weight"], before + 1)


@pytest.mark.parametrize(
    ("every", "unit", "kept"),
    [("1 epoch", "epoch", (0, 1, 2, 3)), ("2 epochs", "epoch", (0, 2)), ("4 steps", "step", (0, 4, 8))],
)
def test_the_period(tmp_path, every, unit, kept):
    module = net()
    with watcher(module, tmp_path, every=every) as watching:
        train(module, watching, epochs=3)
    run = cnnvis.load(tmp_path)
    assert (run.unit, run.epochs) == (unit, kept)
    assert len(run.curves) == 9


@pytest.mark.parametrize("every", ["", "0 epochs", "two steps", "3", 3, "1.5 epochs"])
def test_a_period_that_is_none(tmp_path, every):
    with pytest.raises(InvalidInputError, match="200 steps"):
        watcher(net(), tmp_path, every=every)


def test_layers_are_chosen(tmp_path):
    with watcher(net(), tmp_path, layers=["2", "0"]):
        pass
    assert cnnvis.load(tmp_path).recording(0).layers == ("0", "2")
    with pytest.raises(LayerNotFoundError, match="conv9"):
        watcher(net(), tmp_path / "other", layers="conv9")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samples": torch.zeros(0, 1, 6, 6)}, "at least one image"),
        ({"samples": "chelsea"}, "got str"),
        ({"labels": [0, 1]}, "2 labels for 3 samples"),
        ({"labels": [0, -1, 1]}, r"\[-1\]"),
    ],
)
def test_samples_that_do_not_fit(tmp_path, options, message):
    with pytest.raises(InvalidInputError, match=message):
        watcher(net(), tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


def test_a_network_without_class_scores_has_no_predictions(tmp_path):
    class Maps(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 3)

        def forward(self, x):
            return self.conv(x)

    with watcher(Maps(), tmp_path):
        pass
    run = cnnvis.load(tmp_path)
    assert run.predictions is None
    assert run.recording(0).layers == ("conv",)


def test_halves_and_tied_weights_come_back_as_they_are(tmp_path):
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(36, 36, bias=False), nn.Linear(36, 36, bias=False)
            self.second.weight = self.first.weight

        def forward(self, x):
            return self.second(self.first(x.flatten(1)).relu())

    module = Tied().to(torch.bfloat16)
    samples, labels = images()
    with Watcher(module, tmp_path, samples=samples[:3].to(torch.bfloat16), labels=labels[:3]):
        pass
    run = cnnvis.load(tmp_path)
    found = run.state_dict(0)
    assert found["first.weight"].dtype == torch.bfloat16
    assert all(torch.equal(tensor, found[name]) for name, tensor in module.state_dict().items())
    assert run.predictions.predicted.shape == (1, 3)


def test_a_run_is_not_overwritten_unless_asked(tmp_path):
    module = net()
    with watcher(module, tmp_path) as watching:
        train(module, watching)
    (tmp_path / "weights" / "notes.txt").write_text("mine")
    with pytest.raises(InvalidInputError, match="overwrite=True"):
        watcher(net(), tmp_path)
    first = cnnvis.load(tmp_path)
    with watcher(net(), tmp_path, overwrite=True):
        assert first.refresh()  # a reader of the old one reads the new one
        assert first.epochs in ((), (0,))
    assert cnnvis.load(tmp_path).epochs == (0,)
    assert (tmp_path / "weights" / "notes.txt").read_text() == "mine"
    assert sorted(path.name for path in (tmp_path / "weights").iterdir()) == ["000000.safetensors", "notes.txt"]


def test_an_error_in_the_loop_is_written_down(tmp_path):
    with pytest.raises(ZeroDivisionError), watcher(net(), tmp_path):
        _ = 1 / 0
    run = cnnvis.load(tmp_path)
    assert run.state is RunState.FAILED
    assert run.error == "ZeroDivisionError: division by zero"
    assert not run.finished


def test_losses_are_there_before_what_follows_them(tmp_path, monkeypatch):
    """Who sees an epoch, or the end, sees the losses up to it."""
    seen = []
    for name in ("add_checkpoint", "end"):
        whole = getattr(run_writer.RunWriter, name)

        def looked(self, *args, whole=whole):
            seen.append(len((tmp_path / "curves.csv").read_text().splitlines()) - 1)
            whole(self, *args)

        monkeypatch.setattr(run_writer.RunWriter, name, looked)
    module = net()
    with watcher(module, tmp_path) as watching:
        train(module, watching)
        watching.step(loss=1)
    assert seen[1] >= 4  # three steps and the epoch; the thread may be late
    assert seen[2] >= 8
    assert seen[3:] == [9]


def test_a_loss_that_is_none(tmp_path):
    with watcher(net(), tmp_path) as watching, pytest.raises(InvalidInputError, match="one number"):
        watching.step(loss=torch.zeros(2))


def train_and_close(module, watching, epochs):
    train(module, watching, epochs=epochs, pause=0.1)  # the thread has time to fail
    watching.close()


def _full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("what", ["add_rows", "add_checkpoint"])
def test_on_a_full_disk_the_training_goes_on_and_it_is_said_once(tmp_path, monkeypatch, what):
    module = net()
    watching = watcher(module, tmp_path)
    train(module, watching, epochs=1)
    monkeypatch.setattr(run_writer.RunWriter, what, _full)
    with pytest.warns(UserWarning, match="not watched any more.*No space left") as caught:
        train_and_close(module, watching, epochs=4)
    assert len(caught) == 1
    assert caught[0].filename.endswith(("watched_nets.py", "test_watcher.py"))  # where the user's loop is
    run = cnnvis.load(tmp_path)
    assert run.state is RunState.STOPPED
    assert "No space left" in run.error
    assert set(run.epochs) <= {0, 1}
    assert run.problems == ()


def test_a_disk_that_fills_up_for_real(tmp_path, full_disk):
    module = net()
    watching = watcher(module, tmp_path)
    train(module, watching, epochs=1, pause=0.2)
    with full_disk(600), pytest.warns(UserWarning, match="The training goes on") as caught:
        train_and_close(module, watching, epochs=3)
    assert len(caught) == 1
    run = cnnvis.load(tmp_path)
    assert run.epochs == (0, 1)
    assert not run.finished
    assert run.recording(1).layers == ("0", "4")
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_network_that_can_no_longer_be_run_ends_the_watching(tmp_path):
    module = net()
    with watcher(module, tmp_path) as watching:
        module[4] = nn.Linear(7, 2)
        with pytest.warns(UserWarning, match="not watched any more"):
            watching.epoch()
        watching.epoch()
        watching.step(loss=1)
    assert cnnvis.load(tmp_path).state is RunState.STOPPED


def test_a_folder_that_cannot_be_written_is_an_error_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        watcher(net(), tmp_path / "file")


def test_who_forgets_to_close_loses_nothing(tmp_path):
    module = net()
    watching = watcher(module, tmp_path)
    train(module, watching)
    del watching
    gc.collect()
    run = cnnvis.load(tmp_path)
    assert run.epochs == (0, 1, 2)
    assert len(run.curves) == 6
    assert run.state is RunState.TRAINING  # nobody said that it ended


def test_a_process_that_ends_without_a_word_loses_nothing(tmp_path):
    code = f"""
        from watched_nets import *
        module = net()
        watching = Watcher(module, {str(tmp_path / "run")!r}, samples=images()[0][:3])
        train(module, watching)
    """
    here = Path(__file__).parent
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(here), *sys.path])}
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, env=environment, timeout=60)
    run = cnnvis.load(tmp_path / "run")
    assert run.epochs == (0, 1, 2)
    assert len(run.curves) == 6


def test_closed_twice_and_used_afterwards(tmp_path):
    watching = watcher(net(), tmp_path)
    watching.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        watching.close("again")
        watching.step(loss=1)
        watching.epoch()
    run = cnnvis.load(tmp_path)
    assert (run.finished, len(run.curves), run.epochs) == (True, 0, (0,))


def test_a_growing_network_is_kept_and_its_odd_epoch_is_named(tmp_path):
    module = net()
    with watcher(module, tmp_path) as watching:
        watching.epoch()
        module[0], module[1], module[4] = nn.Conv2d(1, 5, 3), nn.BatchNorm2d(5), nn.Linear(80, 2)
        watching.epoch()
    run = cnnvis.load(tmp_path)
    assert run.epochs == (0, 1)
    assert run.problems == (
        "epoch 2 is left out: its weights or maps have other shapes than those of the other epochs.",
    )


def test_rows_are_added_at_the_end(tmp_path):
    append_rows([("step", 1, 0, 0.5, None)], tmp_path / "table.csv")
    append_rows([("epoch", 1, 1, None, None)], tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_text() == "step,1,0,0.5,\nepoch,1,1,,\n"
