"""How well a network tells classes: accuracy, loss, and balanced accuracy of each class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cnnvis.capture import switch_off
from cnnvis.capture.inputs import ForwardCall, as_batches, as_module
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.nested import map_tensors
from cnnvis.capture.state import evaluating
from cnnvis.capture.targets import as_labels, require_classes
from cnnvis.core.errors import InvalidInputError

BATCH_SIZE = 100
"""Images that are run at a time, 0.5 GB for the widest layer of EfficientNet-Lite0; a DataLoader brings its own."""


class LabelledBatch(NamedTuple):
    """One forward pass, and the labels (N,) of its images."""

    call: ForwardCall
    labels: Tensor


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


def labelled_batches(model: Any, data: Any) -> list[LabelledBatch]:
    """Return `data` cut into forward passes on the model's device, with labels; all are held in memory.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
    data : pair (inputs, labels) of tensors or arrays, or a DataLoader of such pairs
        Labels (N,) are whole numbers from 0.

    Raises
    ------
    InvalidInputError
        For zero images, missing labels, and labels that are not one whole number per image.
    """
    module = as_module(model)
    if _is_pair(data):
        labels = torch.from_numpy(as_labels(data[1]))
        calls = list(as_batches(module, data[0], BATCH_SIZE))
        if sum(call.n_images for call in calls) != len(labels):
            n_images = sum(call.n_images for call in calls)
            raise InvalidInputError(f"There are {n_images} images but {len(labels)} labels; each image needs one.")
        return [LabelledBatch(*pair) for pair in zip(calls, labels.split(BATCH_SIZE), strict=True)]
    try:
        batches = list(data)
    except TypeError:
        batches = [data]
    if not batches or not all(_is_pair(batch) for batch in batches):
        raise InvalidInputError(
            "Data to measure accuracy on must be a pair (inputs, labels) or a DataLoader of such pairs, "
            f"got {type(data).__name__} {'without batches' if not batches else 'without labels'}."
        )
    return [part for batch in batches for part in labelled_batches(module, tuple(batch))]


def measure(run: Callable[..., Any], batches: Sequence[LabelledBatch]) -> Measured:
    """Return how well `run` tells the classes of `batches`.

    Parameters
    ----------
    run : callable
        The network in eval mode, called as in `ForwardCall`; gives (N, K) scores, of which the highest wins (of
        equals, the lower class).
    batches : sequence of LabelledBatch

    Raises
    ------
    InvalidInputError
        When it has no class output (N, K), or a label is K or more.
    """
    confusion, total = None, 0.0
    for call, labels in batches:
        logits = _logits(run(*call.args, **call.kwargs), call.n_images)
        n_classes = logits.shape[1]
        require_classes(labels.numpy(), n_classes)
        if confusion is None:
            confusion = np.zeros((n_classes, n_classes + 1), dtype=np.int64)
        values = logits.detach().cpu().double()
        total += float(functional.cross_entropy(values, labels, reduction="sum"))
        found = np.where(values.isnan().any(dim=1), n_classes, values.numpy().argmax(axis=1))
        np.add.at(confusion, (labels.numpy(), found), 1)
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
    module, batches = as_module(model), labelled_batches(model, data)
    off = switch_off(model, without, example=example_of(model, batches)) if without else nullcontext()
    with evaluating(ModuleTree(module)), off:
        return measure(module, batches)


def example_of(model: Any, batches: Sequence[LabelledBatch]) -> Any:
    """Return what to follow one forward pass on: the network's own example, else the first images."""
    if getattr(model, "example", None) is not None:
        return model.example
    call = batches[0].call
    return map_tensors(call.kwargs or call.args, lambda tensor: tensor[:2])


def _is_pair(data: Any) -> bool:
    return isinstance(data, tuple | list) and len(data) == 2 and isinstance(data[1], Tensor | np.ndarray)


def _logits(output: Any, n_images: int) -> Tensor:
    if not isinstance(output, Tensor) or output.ndim != 2 or len(output) != n_images:
        got = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise InvalidInputError(
            f"The network has no class output: one score per image and class ({n_images}, classes) is needed, got "
            f"{got}."
        )
    return output
