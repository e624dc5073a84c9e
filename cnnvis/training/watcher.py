"""Watches a training from inside its loop, and writes what changes into a folder that others can follow."""

from __future__ import annotations

import re
import warnings
import weakref
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal

from numpy.typing import ArrayLike
from torch import Tensor, nn

from cnnvis.core.errors import InvalidInputError
from cnnvis.core.training_run import RunCheckpoint, RunState, Unit
from cnnvis.io.run_table import Row
from cnnvis.io.run_writer import RunWriter
from cnnvis.models import Network
from cnnvis.training.background import BackgroundWriter
from cnnvis.training.trainer_hooks import TrainerHooks
from cnnvis.training.watched import WatchedNetwork


class Watcher(TrainerHooks):
    """Keeps a training as it goes: losses, and every so often the weights and what the layers make of some samples.

    Call `step` after each step and `epoch` after each epoch of any training loop, and leave the `with` block, or call
    `close`, at the end. It is a callback of Lightning, too, and of trainers like it. `cnnvis.load(folder)` opens the
    run, during the training and afterwards, also in another process.

    The training goes on whatever happens here: an error while writing, such as a full disk, is a warning, once, and
    ends the watching. The network is left as it was, and so are torch's random numbers.

    Parameters
    ----------
    model : nn.Module or Network
        What is trained, with one tensor as its input. A Network brings its name and those of its classes along.
    folder : path
        Made if it is missing.
    samples : (N, ...) tensor or array
        A few images, as the network takes them; always the same ones.
    labels : (N,) array_like of int, optional
        Their classes.
    layers : str or iterable of str, optional
        Layers whose values are kept for the samples, as for `cnnvis.record`; default all convolutions and dense layers.
    every : str, default "1 epoch"
        How often weights and values are kept: "5 epochs", "200 steps". The first are those before training, number 0.
    names : sequence of str, optional
        One per sample.
    overwrite : bool
        Replace a run that the folder holds.

    Raises
    ------
    InvalidInputError, LayerNotFoundError, LayerNotRunError
        When samples, labels or layers do not fit the network, or the folder holds a run.
    OutputError
        When the folder cannot be written.

    Notes
    -----
    The training waits for one forward pass of the samples and a copy of the weights each time something is kept; a
    thread of its own writes. Of a distributed training, watch one process. On disk: the weights and the values of the
    samples, each time.

    Examples
    --------
    >>> with cnnvis.Watcher(net, "runs/one", samples=images[:8], labels=labels[:8]) as watcher:  # doctest: +SKIP
    ...     for epoch in range(10):
    ...         for batch in loader:
    ...             watcher.step(loss=train_on(batch))
    ...         watcher.epoch(accuracy=measure(net))
    """

    def __init__(
        self,
        model: nn.Module | Network,
        folder: str | Path,
        *,
        samples: Any,
        labels: ArrayLike | None = None,
        layers: str | Iterable[str] | None = None,
        every: str = "1 epoch",
        names: Sequence[str] = (),
        overwrite: bool = False,
    ) -> None:
        self._period, self._unit = _period(every)
        self._watched = WatchedNetwork(model, samples, labels=labels, layers=layers, names=names)
        self._writer = RunWriter(
            Path(folder), self._watched.facts(self._unit), self._watched.samples.numpy(), overwrite=overwrite
        )
        self._n_steps = self._n_epochs = 0
        self._rows: deque[tuple[Any, ...]] = deque()
        self._said = self._closed = False
        self._background = BackgroundWriter(partial(_flush, self._rows, self._writer))
        # Who never calls close must not lose what is waiting; the run then says that nobody ended it.
        self._at_exit = weakref.finalize(self, BackgroundWriter.close, self._background)
        self._keep(0)

    @property
    def folder(self) -> Path:
        """Where the run lies."""
        return self._writer.folder

    def __enter__(self) -> Watcher:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.close("" if kind is None else f"{kind.__name__}: {error}")

    def step(self, loss: Any = None, accuracy: Any = None) -> None:
        """Count a step of the optimiser.

        Parameters
        ----------
        loss, accuracy : float, or tensor of one value, optional
            Of its batch.
        """
        if not self._goes_on():
            return
        self._n_steps += 1
        self._note("step", loss, accuracy)
        if self._unit == "step" and self._n_steps % self._period == 0:
            self._keep(self._n_steps)

    def epoch(self, loss: Any = None, accuracy: Any = None) -> None:
        """Count an epoch.

        Parameters
        ----------
        loss, accuracy : float, or tensor of one value, optional
            Whatever is measured once per epoch; on validation images, rather.
        """
        if not self._goes_on():
            return
        self._n_epochs += 1
        self._note("epoch", loss, accuracy)
        if self._unit == "epoch" and self._n_epochs % self._period == 0:
            self._keep(self._n_epochs)

    def close(self, error: str = "") -> None:
        """Wait until all is written, and say that the training has ended; further calls do nothing.

        Parameters
        ----------
        error : str
            What ended it before its time.
        """
        if not self._goes_on():
            return
        state = RunState.FAILED if error else RunState.FINISHED
        self._background.put(partial(self._writer.end, state, error))
        self._background.close()
        self._goes_on()
        self._closed = True

    def _goes_on(self) -> bool:
        """Whether there is anything to watch still; says once what has gone wrong, where the training can see it."""
        if self._background.error is not None and not self._said:
            self._stop(self._background.error)
        return not (self._said or self._closed)

    def _stop(self, error: Exception) -> None:
        self._said = True
        self._background.close()
        warnings.warn(
            f"The training goes on, but is not watched any more: {error} What was kept before is in {self.folder}.",
            stacklevel=4,
        )
        with suppress(Exception):  # a full disk may not take even this; the run then looks crashed, which is near
            self._writer.end(RunState.STOPPED, str(error))

    def _note(self, of: Literal["step", "epoch"], loss: Any, accuracy: Any) -> None:
        self._rows.append((of, self._n_steps, self._n_epochs, _held(loss), _held(accuracy)))

    def _keep(self, number: int) -> None:
        """Copy what is kept, and have it written."""
        when = RunCheckpoint(number, self._n_steps, self._n_epochs)
        try:
            recording = self._watched.recording(f"{self._unit} {number}")
            weights = self._watched.weights()
        except Exception as error:  # noqa: BLE001 - the network's own code, or no memory: the training must go on
            self._stop(error)
            return
        self._background.put(partial(self._writer.add_checkpoint, when, weights, recording))


def _period(every: str) -> tuple[int, Unit]:
    """Return how many of what lie between two checkpoints."""
    match = re.fullmatch(r"\s*([1-9]\d*)\s+(epoch|step)s?\s*", every) if isinstance(every, str) else None
    if match is None:
        raise InvalidInputError(f"every reads like '1 epoch' or '200 steps', got {every!r}.")
    return int(match[1]), "epoch" if match[2] == "epoch" else "step"


def _held(value: Any) -> Any:
    """Return a value that stays what it is; one on a GPU is not waited for."""
    if value is None:
        return None
    if isinstance(value, Tensor) and value.is_cuda and value.numel() == 1:
        return value.detach().clone()
    try:
        return float(value.detach() if isinstance(value, Tensor) else value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InvalidInputError(f"A loss or accuracy is one number, got {type(value).__name__}: {error}") from error


def _flush(rows: deque[tuple[Any, ...]], writer: RunWriter) -> None:
    """Write all rows that wait, and give a sign of life."""
    found = [rows.popleft() for _ in range(len(rows))]
    if found:
        writer.add_rows(Row(*row[:3], *(None if value is None else float(value) for value in row[3:])) for row in found)
    writer.touch()
