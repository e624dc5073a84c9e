"""What Lightning and trainers like it call of a callback; none of them is imported."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

HOOKS = re.compile(r"(on_|setup$|teardown$|load_state_dict$|state_dict$)")
"""Names of what a trainer may call."""

LOSSES = ("val_loss", "train_loss_epoch", "train_loss", "loss")
ACCURACIES = ("val_acc", "val_accuracy", "train_acc_epoch", "train_acc", "accuracy", "acc")
"""Under which names trainers log what belongs to an epoch: the first one that is there is taken."""


class TrainerHooks:
    """Makes a callback of whatever has `step`, `epoch` and `close`.

    Trainers call many hooks of each callback; those that are not below do nothing.
    """

    state_key = "cnnvis.Watcher"
    """Under which name a trainer keeps the state of the callback: there is none."""

    def step(self, loss: Any = None, accuracy: Any = None) -> None:  # noqa: D102
        raise NotImplementedError

    def epoch(self, loss: Any = None, accuracy: Any = None) -> None:  # noqa: D102
        raise NotImplementedError

    def close(self, error: str = "") -> None:  # noqa: D102
        raise NotImplementedError

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if HOOKS.match(name):
            return _nothing
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def state_dict(self) -> dict[str, Any]:
        """Return nothing to be kept in a trainer's checkpoint."""
        return {}

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, *_: Any) -> None:
        """Count a step, with the loss that training_step returned."""
        self.step(loss=outputs.get("loss") if isinstance(outputs, Mapping) else outputs)

    def on_train_epoch_end(self, trainer: Any, *_: Any) -> None:
        """Keep an epoch, with what was logged for it."""
        logged = getattr(trainer, "callback_metrics", {})
        self.epoch(loss=_first(logged, LOSSES), accuracy=_first(logged, ACCURACIES))

    def on_train_end(self, *_: Any) -> None:
        """End the run."""
        self.close()

    def on_exception(self, trainer: Any, module: Any, exception: BaseException, *_: Any) -> None:
        """End the run, and say why."""
        self.close(error=f"{type(exception).__name__}: {exception}")


def _first(logged: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((logged[name] for name in names if name in logged), None)


def _nothing(*_: Any, **__: Any) -> None:
    """Stand for a hook that is not listened to."""
