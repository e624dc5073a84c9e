"""A training as it went: what was watched, what was kept of it, losses, and what became of the samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.checks import frozen_array, frozen_integers, require_shape
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.graph import ModelGraph

Unit = Literal["epoch", "step"]


class RunState(StrEnum):
    """How far a training is.

    `training`: it goes on. `finished`: it came to its end. `failed`: an error ended it. `stopped`: it may go on, but it
    could not be written any more. `crashed`: nobody said that it ended, and there has been no sign of life for a while.
    """

    TRAINING = "training"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is known of a training before it begins.

    Parameters
    ----------
    name : str
        Of the network.
    samples : tuple of str
        Name of each sample image.
    layers : tuple of str
        Layers whose values are kept for the samples, in order of execution.
    unit : {"epoch", "step"}
        What the kept checkpoints are numbered by.
    labels : tuple of int or None
        Class of each sample.
    class_names : tuple of str or None
    graph : ModelGraph or None
    run_id : str
        Differs between any two runs, also of one folder.
    """

    name: str
    samples: tuple[str, ...]
    layers: tuple[str, ...] = ()
    unit: Unit = "epoch"
    labels: tuple[int, ...] | None = None
    class_names: tuple[str, ...] | None = None
    graph: ModelGraph | None = None
    run_id: str = ""

    def __post_init__(self) -> None:
        if self.unit not in ("epoch", "step"):
            raise InvalidInputError(f"The unit of a run is epoch or step, got {self.unit!r}.")
        for name in ("samples", "layers", "labels", "class_names"):
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else tuple(value))
        if self.labels is None:
            return
        if len(self.labels) != len(self.samples):
            raise InvalidInputError(f"There are {len(self.labels)} labels for {len(self.samples)} samples.")
        n_classes = len(self.class_names) if self.class_names else None
        wrong = sorted({label for label in self.labels if label < 0 or (n_classes and label >= n_classes)})
        if wrong:
            allowed = f"0 to {n_classes - 1}" if n_classes else "0 or more"
            raise InvalidInputError(f"Labels of samples are {allowed}, got {wrong}.")

    @property
    def layers_with_maps(self) -> tuple[str, ...]:
        """Those of `layers` whose values are maps (channel, row, column)."""
        graph = self.graph
        return tuple(name for name in self.layers if graph is not None and name in graph and graph[name].has_maps)

    def class_name(self, index: int) -> str:
        """Return what a class is called."""
        names = self.class_names
        return names[index] if names and index < len(names) else f"class {index}"

    def subject(self, sample: int) -> str:
        """Return what a sample shows: its class, or its name where that is not known."""
        return self.samples[sample] if self.labels is None else self.class_name(self.labels[sample])


@dataclass(frozen=True, slots=True)
class PieceFacts:
    """A file of a run as it was written: its size and its hash."""

    n_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class RunCheckpoint:
    """One point of a training of which weights and the samples' values were kept.

    Parameters
    ----------
    number : int
        Finished epochs or steps, by the unit of the run; 0 is before the first.
    step, epoch : int
        Finished steps and epochs.
    pieces : mapping of str to PieceFacts
        Its files: "weights", "recordings".
    shapes : str
        Hash of the names and shapes of all weights and recorded layers: the same throughout a training.
    predicted : tuple of int
        Likeliest class of each sample; empty where the network gives no class scores.
    probability, truth : tuple of float
        Probability of that class, and of the sample's own (empty without labels).
    """

    number: int
    step: int
    epoch: int
    pieces: Mapping[str, PieceFacts] = field(default_factory=dict)
    shapes: str = ""
    predicted: tuple[int, ...] = ()
    probability: tuple[float, ...] = ()
    truth: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class TrainingCurve:
    """Loss and accuracy over a training.

    Parameters
    ----------
    steps, epochs : (P,) ndarray of int64
        Finished when the value was taken.
    loss, accuracy : (P,) ndarray of float64
        NaN where it was not given, or was none.
    """

    steps: NDArray[np.int64]
    epochs: NDArray[np.int64]
    loss: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    def __post_init__(self) -> None:
        steps = frozen_integers("steps of a TrainingCurve", self.steps)
        object.__setattr__(self, "steps", steps)
        object.__setattr__(self, "epochs", frozen_integers("epochs of a TrainingCurve", self.epochs))
        for name in ("loss", "accuracy"):
            object.__setattr__(self, name, frozen_array(getattr(self, name), dtype=np.float64))
        for name in ("steps", "epochs", "loss", "accuracy"):
            require_shape(f"{name} of a TrainingCurve", getattr(self, name), (steps.size,))

    def __len__(self) -> int:
        return self.steps.size


@dataclass(frozen=True, slots=True, eq=False)
class SamplePredictions:
    """What a network took its samples for, at each kept point of its training.

    Parameters
    ----------
    numbers : (E,) ndarray of int64
        Epochs, or steps.
    predicted : (E, N) ndarray of int64
        Likeliest class.
    probability : (E, N) ndarray of float64
        Probability of that class.
    truth : (E, N) ndarray of float64 or None
        Probability of the sample's own class; None where it is not known.
    labels : (N,) ndarray of int64 or None
        The sample's own class.
    """

    numbers: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probability: NDArray[np.float64]
    truth: NDArray[np.float64] | None = None
    labels: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        predicted = frozen_integers("predicted", self.predicted)
        object.__setattr__(self, "predicted", predicted)
        object.__setattr__(self, "numbers", frozen_integers("numbers", self.numbers))
        object.__setattr__(self, "probability", frozen_array(self.probability, dtype=np.float64))
        require_shape("predicted", predicted, (self.numbers.size, None))
        require_shape("probability", self.probability, predicted.shape)
        if self.truth is not None:
            object.__setattr__(self, "truth", frozen_array(self.truth, dtype=np.float64))
            require_shape("truth", self.truth, predicted.shape)
        if self.labels is not None:
            object.__setattr__(self, "labels", frozen_integers("labels", self.labels))
            require_shape("labels", self.labels, predicted.shape[1:])

    @property
    def right(self) -> NDArray[np.bool_] | None:
        """Whether each is right, (E, N); None without labels."""
        return None if self.labels is None else self.predicted == self.labels


@dataclass(frozen=True, slots=True, eq=False)
class RunMoment:
    """All that is known of a training at one moment but its weights and values: what a window shows of it.

    Parameters
    ----------
    facts : RunFacts
    checkpoints : tuple of RunCheckpoint
        Those that can be read, rising.
    curves, epoch_curves : TrainingCurve
        Of steps and of epochs.
    predictions : SamplePredictions or None
        Of `checkpoints`.
    samples : (N, ...) ndarray or None
        As the network takes them; None where they are lost.
    state : RunState
    error : str
        What ended it, where an error did.
    problems : tuple of str
        A sentence for everything that is left out.
    """

    facts: RunFacts
    checkpoints: tuple[RunCheckpoint, ...]
    curves: TrainingCurve
    epoch_curves: TrainingCurve
    predictions: SamplePredictions | None
    samples: NDArray[np.floating] | None
    state: RunState
    error: str = ""
    problems: tuple[str, ...] = ()

    @property
    def epochs(self) -> tuple[int, ...]:
        """Numbers of the checkpoints."""
        return tuple(checkpoint.number for checkpoint in self.checkpoints)
