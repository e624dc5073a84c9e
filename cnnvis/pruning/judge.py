"""How well changed versions of a network do, with labels or without."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import nn

from cnnvis.capture.inputs import as_module
from cnnvis.capture.labelled import labelled_batches
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.state import evaluating
from cnnvis.capture.targets import class_scores
from cnnvis.pruning.measure import measure

BATCH_SIZE = 64
"""Images per pass: what layers of a VGG give to so many stays in the cache, and they take a third less time."""


class Verdict(NamedTuple):
    """Loss, the smaller the better, and accuracy."""

    loss: float
    accuracy: float


class Judge:
    """Tells how well versions of a network do on the same images.

    With labels by cross-entropy and accuracy. Without, by the mean squared distance of the logits from those of the
    network itself, and the share of the images that get the same class.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
    data : pair (inputs, labels), inputs alone, or a DataLoader

    Raises
    ------
    InvalidInputError
        For labels that are no classes, and a network without class output.
    """

    def __init__(self, model: Any, data: Any) -> None:
        self._batches = list(labelled_batches(model, data, optional=True, batch_size=BATCH_SIZE))
        self.has_labels = all(labels is not None for _, labels in self._batches)
        self.n_images = sum(call.n_images for call, _ in self._batches)
        self._expected = None if self.has_labels else self._scores(as_module(model))

    def __call__(self, module: nn.Module) -> Verdict:
        """Return how well `module` does."""
        if self._expected is None:
            with evaluating(ModuleTree(module)):
                measured = measure(module, self._batches)
            return Verdict(measured.loss, measured.accuracy)
        found = self._scores(module)
        agrees = (found.argmax(axis=1) == self._expected.argmax(axis=1)) & ~np.isnan(found).any(axis=1)
        return Verdict(float(np.square(found - self._expected).mean()), float(agrees.mean()))

    def _scores(self, module: nn.Module) -> NDArray[np.float64]:
        """Return the (N, K) class scores of all images."""
        with evaluating(ModuleTree(module)):
            parts = [class_scores(module(*call.args, **call.kwargs), call.n_images) for call, _ in self._batches]
        return np.concatenate([part.detach().double().cpu().numpy() for part in parts])
