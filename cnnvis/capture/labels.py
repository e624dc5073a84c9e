"""Labels that say which units the entries of a value hold, and how they move with the values.

The labels of a value are rows: tensors that have its shape, an axis along which all is alike having length 1. An entry
is the number of a unit plus 1, or 0 for none. One row holds one unit per entry; a sum of two layers has two rows.
Numbers are float64, so that every operation that moves values about moves labels as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from cnnvis.capture.calls import Call
from cnnvis.capture.nested import map_tensors, tensors_in

Rows = tuple[Tensor, ...]

MOVES = frozenset(
    [
        *("flatten", "unflatten", "view", "view_as", "reshape", "reshape_as", "ravel"),
        *("permute", "transpose", "movedim", "moveaxis", "t", "T", "mT", "squeeze", "unsqueeze"),
        *("expand", "expand_as", "repeat", "repeat_interleave", "tile", "broadcast_to"),
        *("getitem", "select", "narrow", "chunk", "split", "tensor_split", "unbind", "index_select", "gather"),
        *("cat", "stack", "hstack", "vstack", "dstack", "setitem", "flip", "roll", "unfold"),
        *("channel_shuffle", "native_channel_shuffle", "channelshuffle"),
        *("pixel_shuffle", "pixel_unshuffle", "pixelshuffle", "pixelunshuffle"),
    ]
)
"""Operations and layers that put entries elsewhere and change none."""


def opened(shape: Sequence[int], axis: int, first: int, size: int) -> Rows:
    """Return the labels of a value with the units from `first` to `first + size - 1` along an axis, in equal blocks."""
    block = shape[axis] // size
    numbers = torch.arange(shape[axis], dtype=torch.float64).div(block, rounding_mode="floor") + first + 1
    return (numbers.view([-1 if place == axis % len(shape) else 1 for place in range(len(shape))]),)


def merged(contents: Iterable[Rows], n_axes: int) -> Rows:
    """Return the labels of what is combined value by value, with broadcasting."""
    rows = [row.view(*[1] * (n_axes - row.ndim), *row.shape) for content in contents for row in content]
    return _distinct(rows)


def _distinct(rows: Iterable[Tensor]) -> Rows:
    """Return each row once, without those that hold no unit."""
    found = {(row.shape, row.numpy().tobytes()): row for row in rows if bool(row.any())}
    return tuple(found.values())


def kept(rows: Rows, axis: int, n_axes: int, new_axis: int) -> Rows | None:
    """Return the labels of a value with the same channels at other positions; None where they depend on positions."""
    if any(row.numel() != row.shape[axis] for row in rows):
        return None
    return tuple(row.reshape([-1 if place == new_axis else 1 for place in range(n_axes)]) for row in rows)


def reduced(rows: Rows, axes: Sequence[int], *, keep: bool) -> Rows:
    """Return the labels of a mean, sum or extremum over axes: along these, each entry holds all units."""
    n_axes = rows[0].ndim if rows else 0
    for axis in sorted({axis % n_axes for axis in axes} if rows else (), reverse=True):
        parts = (part for row in rows for part in row.unbind(axis))
        rows = _distinct(part.unsqueeze(axis) if keep else part for part in parts)
    return rows


def moved(call: Call, contents: dict[int, Rows]) -> list[Rows]:
    """Return the labels of each value of an operation that moves entries: what the operation makes of labels.

    Parameters
    ----------
    call : Call
    contents : dict of int to Rows
        Labels of the tensors that go in, by their id().
    """
    found: list[list[Tensor]] = [[] for _ in call.values]
    for index in range(max(map(len, contents.values()), default=0)):
        results = _run(call, {key: rows[index] for key, rows in contents.items() if index < len(rows)})
        for row, result in zip(found, results, strict=True):
            row.append(_compact(result))
    return [_distinct(rows) for rows in found]


def _run(call: Call, rows: dict[int, Tensor]) -> list[Tensor]:
    """Return what the call makes of one row of labels."""

    def label(tensor: Tensor) -> Tensor:
        if not tensor.is_floating_point():
            return tensor.cpu()  # where entries are taken from
        row = rows.get(id(tensor))
        if row is None:
            return torch.zeros(tensor.shape, dtype=torch.float64)
        return row.expand(tensor.shape).contiguous()

    args, kwargs = map_tensors(call.args, label), map_tensors(call.kwargs, label)
    if call.type == "setitem":
        target, place, value = args
        target[place] = value if isinstance(value, Tensor) else 0.0
        return [target]
    run = call.origin.forward if isinstance(call.origin, nn.Module) else call.origin
    return [tensor for _, tensor in tensors_in(run(*args, **kwargs))]


def padded(call: Call, rows: Rows) -> Rows:
    """Return the labels of a value to which constants were put at the ends of its channel axis, as `pad` does."""
    tensor = call.args[0]
    pads = call.args[1] if len(call.args) > 1 else call.kwargs["pad"]
    return tuple(_compact(functional.pad(row.expand(tensor.shape), list(pads))) for row in rows)


def _compact(row: Tensor) -> Tensor:
    """Return the row with length 1 along each axis along which all is alike."""
    for axis in range(row.ndim):
        first = row.narrow(axis, 0, 1)
        if row.shape[axis] > 1 and bool((row == first).all()):
            row = first
    return row.contiguous()


def entries_and_units(rows: Rows, axis: int, n_entries: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which units each entry along an axis of a value holds, as pairs without repetition, entry by entry."""
    pairs = [np.zeros((0, 2), dtype=np.int64)]
    for row in rows:
        units = row.movedim(axis, 0).flatten(1) if row.ndim > 1 else row[:, None]
        units = units.expand(n_entries, -1).numpy().astype(np.int64) - 1
        entries = np.broadcast_to(np.arange(n_entries)[:, None], units.shape)
        pairs.append(np.stack([entries[units >= 0], units[units >= 0]], axis=1))
    found = np.unique(np.concatenate(pairs), axis=0)
    return found[:, 0], found[:, 1]
