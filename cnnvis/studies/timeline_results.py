"""What the study of a training is asked for and what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cnnvis.analysis import OrderMethod, OrderMethodName
from cnnvis.core import Ordering, TrainingCurve, Volume
from cnnvis.core.checks import parse_choice, require_number
from cnnvis.scene import TransferFunction
from cnnvis.studies.results import require_size
from cnnvis.training import StoredRun

MOST_PICTURES = 60
"""Of a film, a second."""


@dataclass(frozen=True)
class TrainingTimeline:
    """What to look at and how; `run` does it.

    Parameters
    ----------
    run : path or str
        Folder of a run that `cnnvis.Watcher` writes or wrote; or one of state dicts, whose names end in the number of
        the epoch, with `model`; or "fashion-cnn": the training that comes along.
    model : str
        Architecture of a folder of state dicts, as for `cnnvis.models.load`.
    data : str or path, optional
        Labelled images as for `cnnvis.models.folders.labelled_parts`: state dicts are measured on them, and the first
        of each class are the samples. Default: those with the network's classes.
    layer : str
        A recorded layer with maps; "" is the second of them, or the only one: the first changes little.
    sample : int, optional
        Number of the sample whose maps are shown. Default: the first that was wrong at first and is right at last.
    order : str
        Ordering method, of the last epoch's maps; all other epochs show the channels in the same order.
    fps : int
        Epochs per second of the films, 1 to 30.
    smooth : int
        Pictures of the films for each epoch, of which all but the first lead over to the next: the values of both,
        blended. At most 60 a second.
    size : (width, height)
        Of the pictures, in pixels, 64 to 8192 each.
    random_state : int
    command : str
        Command line that repeats the study, for the report.
    """

    run: str | Path = "fashion-cnn"
    layer: str = ""
    sample: int | None = None
    order: OrderMethodName = "kmeans"
    fps: int = 2
    smooth: int = 1
    model: str = ""
    data: str | Path | None = None
    size: tuple[int, int] = (960, 600)
    random_state: int = 0
    command: str = ""

    def __post_init__(self) -> None:
        parse_choice(OrderMethod, self.order, what="ordering method")
        require_number("fps", self.fps, 1, 30, whole=True)
        require_number("smooth", self.smooth, 1, MOST_PICTURES // self.fps, whole=True)
        require_size(self.size)


@dataclass(frozen=True)
class TimelineResult:
    """All that the study found and wrote.

    Parameters
    ----------
    run : StoredRun
    epochs : tuple of int
        Those of the run when the study began; one that is still written goes on.
    curves : (TrainingCurve, TrainingCurve)
        Of steps and of epochs.
    volumes : mapping of str to Volume
        Maps of the sample, by what is said of each epoch.
    ordering : Ordering
    transfer : TransferFunction
        One for all epochs, its range fixed.
    sample : int
    files : mapping of Path to str
        What was written, and what it is.
    seconds : mapping of str to float
        Wall time by stage.
    total_seconds : float
    """

    run: StoredRun
    epochs: tuple[int, ...]
    curves: tuple[TrainingCurve, TrainingCurve]
    volumes: Mapping[str, Volume]
    ordering: Ordering
    transfer: TransferFunction
    sample: int
    files: Mapping[Path, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    total_seconds: float = 0.0

    @property
    def layer(self) -> str:
        """Dotted name of the layer."""
        return next(iter(self.volumes.values())).layer

    @property
    def change(self) -> np.ndarray:
        """(E,) how far the maps of each epoch are from those of the last: L2 norm of the difference over theirs.

        1 where the maps were all 0, NaN where those of the last are.
        """
        *_, last = self.volumes.values()
        norm = np.linalg.norm(last.values)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.array([np.linalg.norm(each.values - last.values) / norm for each in self.volumes.values()])

    def class_name(self, index: int) -> str:
        """Return what a class is called."""
        return self.run.facts.class_name(index)

    @property
    def truth(self) -> str:
        """What the sample shows; "" where it is not known."""
        labels = self.run.facts.labels
        return "" if labels is None else self.class_name(labels[self.sample])

    @property
    def subject(self) -> str:
        """What the pictures show: "conv2: Ankle boot"."""
        return f"{self.layer}: {self.run.facts.subject(self.sample)}"
