"""Images with their labels, batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnvis.capture.inputs import (
    Batches,
    ForwardCall,
    as_batches,
    as_call,
    as_module,
    loader_length,
    n_required,
    with_images,
)
from cnnvis.capture.nested import tensors_in
from cnnvis.capture.targets import as_labels
from cnnvis.core.errors import InvalidInputError

BATCH_SIZE = 256
"""Images per pass at most; fewer of large ones."""

BATCH_VALUES = 2**21
"""Input values per pass at most: 13 images of 3 x 224 x 224, since a backward pass keeps every value of every layer."""


class Labelled(NamedTuple):
    """One forward pass and the labels (n,) of its images, None where there are none."""

    call: ForwardCall
    labels: NDArray[np.int64] | None


@dataclass(frozen=True, slots=True)
class LabelledBatches:
    """Forward passes with labels, one after the other; `n_images` is None where it is not known beforehand."""

    batches: Iterable[Labelled]
    n_images: int | None

    def __iter__(self) -> Iterator[Labelled]:
        return iter(self.batches)


def labelled_batches(model: Any, data: Any) -> LabelledBatches:
    """Return `data` as forward passes with labels.

    Parameters
    ----------
    model : nn.Module or Network
    data : pair (inputs, labels), inputs alone, or iterable of batches, each inputs that labels may follow
        Inputs are image files, or tensors and arrays as for `record`; a tuple is always a pair. Batches are taken
        as they are; what forward() requires comes first in each, the labels are its last entry.

    Raises
    ------
    InvalidInputError
        For zero images, labels that are no whole numbers from 0, and not one label per image.
    """
    module = as_module(model)
    if data is None:
        raise InvalidInputError("There are no images: data must be (inputs, labels) or a DataLoader of such batches.")
    inputs, labels = data if isinstance(data, tuple) and len(data) == 2 else (data, None)
    inputs, _ = with_images(model, inputs, ())
    if labels is None and not isinstance(inputs, (Tensor, np.ndarray, dict)):
        return LabelledBatches(_from_loader(module, inputs), loader_length(inputs))
    batches = as_batches(module, inputs, _batch_size(inputs))
    if labels is not None:
        labels = as_labels(labels)
        if labels.size != batches.n_images:
            raise InvalidInputError(
                f"There are {labels.size} labels for {batches.n_images} images; give one label per image."
            )
    return LabelledBatches(_with_labels(batches, labels), batches.n_images)


def _batch_size(inputs: Any) -> int:
    values = max((tensor[:1].numel() for _, tensor in tensors_in(inputs) if tensor.ndim), default=1)
    if isinstance(inputs, np.ndarray):
        values = inputs[:1].size
    return max(1, min(BATCH_SIZE, BATCH_VALUES // max(values, 1)))


def _with_labels(batches: Batches, labels: NDArray[np.int64] | None) -> Iterator[Labelled]:
    start = 0
    for call in batches:
        stop = start + call.n_images
        yield Labelled(call, None if labels is None else labels[start:stop])
        start = stop


def _from_loader(module: nn.Module, loader: Any) -> Iterator[Labelled]:
    if not isinstance(loader, Iterable):
        raise InvalidInputError(
            f"data must be (inputs, labels) or a DataLoader of such batches, got {type(loader).__name__}."
        )
    required, n_batches = n_required(module), 0
    for batch in loader:
        n_batches += 1
        entries = tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
        call = as_call(module, entries[:required] if isinstance(batch, (tuple, list)) else batch)
        labels = as_labels(entries[-1]) if len(entries) > required else None
        if labels is not None and labels.size != call.n_images:
            raise InvalidInputError(f"A batch holds {labels.size} labels for {call.n_images} images.")
        yield Labelled(call, labels)
    if n_batches == 0:
        raise InvalidInputError(f"There are zero images: the {type(loader).__name__} gave no batch.")
