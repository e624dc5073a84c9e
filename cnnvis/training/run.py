"""A training under way: optimiser, learning rate, random numbers; it can be saved after an epoch and taken up again."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cnnvis.core.atomic import save_bytes
from cnnvis.core.errors import FileFormatError
from cnnvis.training.options import TrainOptions

SHIFT = 2
"""Pixels by which an augmented image is shifted at most."""


class TrainingRun:
    """What changes during a training besides the losses.

    Parameters
    ----------
    module : nn.Module
    weights : sequence of Parameter
        Those that are trained.
    n_images : int
    options : TrainOptions

    Attributes
    ----------
    epoch, step : int
        Finished epochs and steps.
    history : list of [loss, accuracy]
        One per finished epoch.
    """

    def __init__(self, module: nn.Module, weights: Sequence[Tensor], n_images: int, options: TrainOptions) -> None:
        self._module, self._n_images, self._options = module, n_images, options
        self.n_steps = options.epochs * -(-n_images // options.batch_size)
        self.epoch = self.step = 0
        self.history: list[list[float]] = []
        self._shuffle = torch.Generator().manual_seed(options.random_state)
        self._shifts = torch.Generator().manual_seed(options.random_state)
        self.optimiser = _optimiser(weights, options)
        self._cycle = (
            torch.optim.lr_scheduler.OneCycleLR(
                self.optimiser,
                options.learning_rate,
                total_steps=self.n_steps,
                cycle_momentum=options.optimiser == "sgd",
            )
            if options.one_cycle
            else None
        )

    def order(self) -> Tensor:
        """Return the images in the order of the next epoch."""
        return torch.randperm(self._n_images, generator=self._shuffle)

    def augmented(self, images: Tensor) -> Tensor:
        """Return (n, C, H, W) images shifted and mirrored, where that was asked for."""
        if not self._options.augment:
            return images
        n, height, width = len(images), images.shape[2], images.shape[3]
        moved = torch.randint(0, 2 * SHIFT + 1, (n, 2), generator=self._shifts)
        mirrored = torch.rand(n, generator=self._shifts) < 0.5
        padded = nn.functional.pad(images, (SHIFT,) * 4)
        rows = moved[:, :1] + torch.arange(height)
        columns = moved[:, 1:] + torch.where(mirrored[:, None], torch.arange(width - 1, -1, -1), torch.arange(width))
        rows, columns = rows[:, None, :, None].to(images.device), columns[:, None, None, :].to(images.device)
        each = torch.arange(n, device=images.device)[:, None, None, None]
        channel = torch.arange(images.shape[1], device=images.device)[None, :, None, None]
        return padded[each, channel, rows, columns]

    def count_step(self) -> None:
        """Note that a step was made."""
        self.step += 1
        if self._cycle is not None:
            self._cycle.step()

    def end_epoch(self, means: Tensor) -> None:
        """Note that an epoch was finished, and its mean loss and accuracy (2,)."""
        self.epoch += 1
        self.history.append(means.tolist())

    def save(self, path: Path) -> None:
        """Write everything that the next epoch depends on; the file is whole or not there."""
        buffer = io.BytesIO()
        torch.save(self._state(), buffer)
        save_bytes(buffer.getvalue(), path)

    def _state(self) -> dict[str, Any]:
        return {
            "options": asdict(self._options),
            "n_images": self._n_images,
            "epoch": self.epoch,
            "step": self.step,
            "history": self.history,
            "module": self._module.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "cycle": None if self._cycle is None else self._cycle.state_dict(),
            "random": [self._shuffle.get_state(), self._shifts.get_state(), torch.get_rng_state()],
        }

    def restore(self, path: Path) -> None:
        """Go on from what `save` wrote.

        Raises
        ------
        FileFormatError
            When the file is damaged, or of a training with other options, images or network.
        """
        try:
            state = torch.load(path, weights_only=True)
            same = state["options"] == asdict(self._options) and state["n_images"] == self._n_images
            if same:
                self._module.load_state_dict(state["module"])
                self.optimiser.load_state_dict(state["optimiser"])
        except Exception as error:
            raise FileFormatError(
                f"{path} is no checkpoint of this training ({type(error).__name__}); remove it to begin anew."
            ) from error
        if not same:
            raise FileFormatError(
                f"{path} is the checkpoint of a training with other options or images; remove it to begin anew."
            )
        if self._cycle is not None:
            self._cycle.load_state_dict(state["cycle"])
        self.epoch, self.step, self.history = state["epoch"], state["step"], state["history"]
        self._shuffle.set_state(state["random"][0])
        self._shifts.set_state(state["random"][1])
        torch.set_rng_state(state["random"][2])


def _optimiser(weights: Sequence[Tensor], options: TrainOptions) -> torch.optim.Optimizer:
    if options.optimiser == "adam":
        return torch.optim.Adam(weights, lr=options.learning_rate, weight_decay=options.weight_decay)
    return torch.optim.SGD(
        weights, lr=options.learning_rate, momentum=0.9, nesterov=True, weight_decay=options.weight_decay
    )
