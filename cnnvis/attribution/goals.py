"""Which class is differentiated for each image: its own, or one for all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnnvis.capture.inputs import ForwardCall
from cnnvis.capture.labelled import NO_LABELS, labelled_batches
from cnnvis.capture.targets import Quantity, QuantityName, Target
from cnnvis.core.checks import parse_choice
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.progress import Progress


class Goal(NamedTuple):
    """One forward pass, the class that is differentiated for each of its images, and their labels or None."""

    call: ForwardCall
    classes: NDArray[np.int64]
    labels: NDArray[np.int64] | None


class Goals:
    """The batches of `data`, each with the class that is differentiated for its images.

    Parameters
    ----------
    model : nn.Module or Network
    data
        As for `importance`.
    target : int or str, optional
        One class for all images; None is each image's own label.
    of : {"logit", "margin", "loss"}
    progress : callable

    Raises
    ------
    InvalidInputError
        While iterating: labels are missing and there is no target; anything that `labelled_batches` raises it for.
    """

    def __init__(self, model: Any, data: Any, *, target: Any, of: QuantityName, progress: Progress) -> None:
        self.of = parse_choice(Quantity, of, what="quantity `of` a class")
        self._batches = labelled_batches(model, data, optional=True)
        self._target = None if target is None else Target.of_model(model, target, of).classes
        self._progress = progress
        if isinstance(self._target, np.ndarray):
            raise InvalidInputError("target names one class for all images; a class per image goes into the labels.")

    @property
    def options(self) -> dict[str, Any]:
        """What an importance says about it."""
        return {"of": self.of.value, "target": self._target}

    def __iter__(self) -> Iterator[Goal]:
        done = 0
        for call, labels in self._batches:
            if self._target is None and labels is None:
                raise InvalidInputError(f"{NO_LABELS} Without, name the class that counts for all images: target=.")
            classes = labels if self._target is None else np.full(call.n_images, self._target)
            yield Goal(call, classes, labels)
            done += call.n_images
            self._progress(done, self._batches.n_images or 0)
