"""Images with their labels, batch by batch or all at once; the one place that reads (inputs, labels) and loaders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
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
from cnnvis.capture.nested import map_tensors, tensors_in
from cnnvis.capture.targets import as_labels
from cnnvis.core.errors import InvalidInputError

BATCH_SIZE = 256
"""Images per pass at most; fewer of large ones."""

BATCH_VALUES = 2**21
"""Input values per pass at most: 13 images of 3 x 224 x 224, since a backward pass keeps every value of every layer."""

NO_LABELS = "There are no labels: data must be (inputs, labels), or a DataLoader of such batches."


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


def labelled_batches(model: Any, data: Any, *, optional: bool = False, batch_size: int = BATCH_SIZE) -> LabelledBatches:
    """Return `data` as forward passes with labels.

    Parameters
    ----------
    model : nn.Module or Network
    data : pair (inputs, labels), inputs alone, or iterable of batches, each inputs that labels may follow
        Inputs are image files, or tensors and arrays as for `record`; a tuple is always a pair. Batches are taken
        as they are; what forward() requires comes first in each, the labels are its last entry.
    optional : bool
        Whether labels may be missing; they are None then.
    batch_size : int
        Images per pass at most; fewer of large ones.

    Raises
    ------
    InvalidInputError
        For zero images, missing labels, labels that are no whole numbers from 0, and not one label per image; what is
        wrong with the batches of a loader is found while iterating.
    """
    module = as_module(model)
    inputs, labels = _parts(model, data)
    if _is_loader(inputs, labels):
        return LabelledBatches(_from_loader(module, inputs, optional), loader_length(inputs))
    batches = as_batches(module, inputs, min(batch_size, _batch_size(inputs)))
    labels = _checked(labels, batches.n_images, optional)
    return LabelledBatches(_with_labels(batches, labels), batches.n_images)


def all_labelled(model: Any, data: Any) -> Labelled:
    """Return every image of `data` as one forward pass, held in memory, and the labels (N,).

    Parameters
    ----------
    model, data
        As for `labelled_batches`.

    Raises
    ------
    InvalidInputError
        As `labelled_batches`; and for batches of a loader with images of several sizes.
    """
    module = as_module(model)
    inputs, labels = _parts(model, data)
    if _is_loader(inputs, labels):
        return _joined(list(_from_loader(module, inputs, optional=False)))
    call = as_call(module, inputs)
    return Labelled(call, _checked(labels, call.n_images, optional=False))


def image_batches(model: Any, data: Any) -> Batches:
    """Return `data`, the same as for `labelled_batches`, as forward passes; labels are left out unread."""
    inputs, _ = _parts(model, data)
    return as_batches(as_module(model), inputs, _batch_size(inputs))


def _parts(model: Any, data: Any) -> tuple[Any, Any]:
    """Return inputs, image files among them read, and labels or None."""
    if data is None:
        raise InvalidInputError("There are no images: data must be (inputs, labels) or a DataLoader of such batches.")
    is_pair = isinstance(data, tuple) and len(data) == 2 and not isinstance(data[1], str | os.PathLike)
    inputs, labels = data if is_pair else (data, None)
    return with_images(model, inputs, ())[0], labels


def _is_loader(inputs: Any, labels: Any) -> bool:
    return labels is None and not isinstance(inputs, (Tensor, np.ndarray, dict))


def _checked(labels: Any, n_images: int | None, optional: bool) -> NDArray[np.int64] | None:
    """Return labels (n,), one per image, or None where they may be missing."""
    if labels is None:
        if optional:
            return None
        raise InvalidInputError(NO_LABELS)
    labels = as_labels(labels)
    if labels.size != n_images:
        raise InvalidInputError(f"There are {labels.size} labels for {n_images} images; give one label per image.")
    return labels


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


def _from_loader(module: nn.Module, loader: Any, optional: bool) -> Iterator[Labelled]:
    if not isinstance(loader, Iterable):
        raise InvalidInputError(
            f"data must be (inputs, labels) or a DataLoader of such batches, got {type(loader).__name__}."
        )
    required, n_batches = n_required(module), 0
    for batch in loader:
        n_batches += 1
        entries = tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
        call = as_call(module, entries[:required] if isinstance(batch, (tuple, list)) else batch)
        labels = entries[-1] if len(entries) > required else None
        yield Labelled(call, _checked(labels, call.n_images, optional))
    if n_batches == 0:
        raise InvalidInputError(f"There are zero images: the {type(loader).__name__} gave no batch.")


def _joined(batches: Sequence[Labelled]) -> Labelled:
    """Return the images of all batches as one forward pass."""
    calls = [batch.call for batch in batches]
    columns = zip(*([tensor for _, tensor in tensors_in((call.args, call.kwargs))] for call in calls), strict=True)
    try:
        whole = iter([torch.cat(column) for column in columns])
    except RuntimeError as error:
        raise InvalidInputError(f"The batches do not fit together: {error}. All images must have one size.") from error
    args, kwargs = map_tensors((calls[0].args, calls[0].kwargs), lambda _: next(whole))
    n_images = sum(call.n_images for call in calls)
    return Labelled(ForwardCall(args, kwargs, n_images), np.concatenate([batch.labels for batch in batches]))
