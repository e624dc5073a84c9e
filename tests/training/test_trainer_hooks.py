"""The Watcher as a callback of Lightning and trainers like it, none of which is needed here."""

import pytest
import torch
from watched_nets import images, net

import cnnvis
from cnnvis.core import RunState
from cnnvis.training import Watcher


def watcher(module, folder):
    samples, labels = images()
    return Watcher(module, folder, samples=samples[:3], labels=labels[:3])


class Trainer:
    """Calls every hook that Lightning knows of, in its order, on what is no Callback of its own."""

    def __init__(self):
        self.callback_metrics = {"val_loss": torch.tensor(0.5), "val_acc": torch.tensor(0.75)}

    def fit(self, module, callback, fail=False):
        callback.setup(self, module, stage="fit")
        callback.on_fit_start(self, module)
        callback.on_train_start(self, module)
        for _ in range(2):
            callback.on_train_epoch_start(self, module)
            for at in range(3):
                callback.on_train_batch_start(self, module, None, at)
                callback.on_before_zero_grad(self, module, None)
                callback.on_train_batch_end(self, module, {"loss": torch.tensor(float(at))}, None, at)
            if fail:
                callback.on_exception(self, module, RuntimeError("no memory"))
                return
            callback.on_validation_epoch_end(self, module)
            callback.on_train_epoch_end(self, module)
            callback.on_save_checkpoint(self, module, {})
        callback.on_train_end(self, module)
        callback.teardown(self, module, stage="fit")


def test_it_is_a_callback_of_trainers(tmp_path):
    module = net()
    Trainer().fit(module, watcher(module, tmp_path))
    run = cnnvis.load(tmp_path)
    assert run.finished
    assert run.epochs == (0, 1, 2)
    assert run.curves.loss.tolist() == [0, 1, 2] * 2
    assert (run.epoch_curves.loss.tolist(), run.epoch_curves.accuracy.tolist()) == ([0.5] * 2, [0.75] * 2)


def test_a_trainer_that_fails(tmp_path):
    module = net()
    Trainer().fit(module, watcher(module, tmp_path), fail=True)
    run = cnnvis.load(tmp_path)
    assert (run.state, run.error) == (RunState.FAILED, "RuntimeError: no memory")


def test_other_attributes_are_missing(tmp_path):
    with watcher(net(), tmp_path) as watching, pytest.raises(AttributeError, match="epochs"):
        _ = watching.epochs
