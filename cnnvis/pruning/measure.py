"""How well a network tells classes: accuracy, loss, and balanced accuracy of each class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from cnnvis.capture import switch_off
from cnnvis.capture.inputs import as_module
from cnnvis.capture.labelled import Labelled, labelled_batches
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.nested import map_tensors
from cnnvis.capture.state import evaluating
from cnnvis.capture.targets import class_scores, require_classes


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What `measure` found.

    Parameters
    ----------
    confusion : (K, K + 1) ndarray of int
        Images by label (row) and likeliest class (column); those with NaN among their outputs in the last column.
    loss : float
        Mean cross-entropy; infinite or NaN where outputs are.
    """

    confusion: NDArray[np.int64]
    loss: float

    @property
    def accuracy(self) -> float:
        """Share of the images whose likeliest class is right."""
        return float(np.trace(self.confusion) / self.confusion.sum())

    @property
    def class_accuracy(self) -> NDArray[np.float64]:
        """Balanced accuracy (K,) of each class against the rest; NaN for a class that has no images, or all."""
        hits = np.diagonal(self.confusion)
        images = self.confusion.sum(axis=1)
        others = images.sum() - images
        called = self.confusion.sum(axis=0)[: hits.size]
        with np.errstate(invalid="ignore"):  # 0 of 0 images is NaN, as announced
            balanced: NDArray[np.float64] = (hits / images + 1 - (called - hits) / others) / 2
        return balanced

    @property
    def class_error(self) -> NDArray[np.float64]:
        """Share of the images (K,) of each class that are taken for others; NaN for a class without images."""
        with np.errstate(invalid="ignore"):
            errors: NDArray[np.float64] = 1 - np.diagonal(self.confusion) / self.confusion.sum(axis=1)
        return errors


def measure(run: Callable[..., Any], batches: Sequence[Labelled]) -> Measured:
    """Return how well `run` tells the classes of `batches`.

    Parameters
    ----------
    run : callable
        The network in eval mode, called as in `ForwardCall`; gives (N, K) scores, of which the highest wins (of
        equals, the lower class).
    batches : sequence of Labelled

    Raises
    ------
    InvalidInputError
        When it has no class output (N, K), or a label is K or more.
    """
    confusion, total = None, 0.0
    for call, labels in batches:
        scores = class_scores(run(*call.args, **call.kwargs), call.n_images)
        n_classes = scores.shape[1]
        require_classes(labels, n_classes)
        if confusion is None:
            confusion = np.zeros((n_classes, n_classes + 1), dtype=np.int64)
        values = scores.detach().cpu().double()
        total += float(functional.cross_entropy(values, torch.from_numpy(labels), reduction="sum"))
        found = np.where(values.isnan().any(dim=1), n_classes, values.numpy().argmax(axis=1))
        np.add.at(confusion, (labels, found), 1)
    return Measured(confusion, total / int(confusion.sum()))


def evaluate(model: Any, data: Any, *, without: Mapping[str, Any] | None = None) -> Measured:
    """Return how well a network tells the classes of labelled images, as a whole or with units switched off.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
        Left as it was.
    data : pair (inputs, labels), or a DataLoader of such pairs
    without : mapping of str to channels, optional
        Units that are off, as for `cnnvis.capture.switch_off`.

    Raises
    ------
    InvalidInputError
        For labels that are missing or no class, and a network without class output.
    """
    module, batches = as_module(model), list(labelled_batches(model, data))
    off = switch_off(model, without, example=example_of(model, batches)) if without else nullcontext()
    with evaluating(ModuleTree(module)), off:
        return measure(module, batches)


def example_of(model: Any, batches: Sequence[Labelled]) -> Any:
    """Return what to follow one forward pass on: the network's own example, else the first images."""
    if getattr(model, "example", None) is not None:
        return model.example
    call = batches[0].call
    return map_tensors(call.kwargs or call.args, lambda tensor: tensor[:2])
