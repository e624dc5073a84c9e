"""Links between pixels of maps, from what layers were called with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import LayerOperation
from cnnvis.core.operation_rules import Pooling, WeightedSum
from cnnvis.core.pixel_links import PixelLinks


def pixel_links(
    operations: Mapping[str, LayerOperation],
    shown_by: Mapping[str, str],
    layers: Sequence[str],
    shapes: Sequence[tuple[int, ...]],
    n_entries: int,
) -> tuple[PixelLinks, ...]:
    """Return the strongest entries of the windows of layers, where both ends are shown.

    Parameters
    ----------
    operations : mapping of str to LayerOperation
        What the layers did, as `capture.explaining.explain_layers` says.
    shown_by : mapping of str to str
        By the name of a value the shown layer that stands for it.
    layers, shapes : sequences of str and of (C, H, W)
        That are shown.
    n_entries : int
        Of each layer at most: those with the largest |weight|.
    """
    number = {layer: place for place, layer in enumerate(layers)}
    found = []
    for layer, operation in operations.items():
        if layer not in number or not operation.sources:
            continue
        source = number.get(shown_by.get(operation.sources[0].name, ""))
        if source is None or not isinstance(operation.rule, WeightedSum | Pooling):
            continue
        links = _links(operation.rule, source, number[layer], shapes[source], shapes[number[layer]], n_entries)
        if links is not None:
            found.append(links)
    return tuple(found)


def _links(
    rule: WeightedSum | Pooling,
    source: int,
    target: int,
    read: tuple[int, ...],
    made: tuple[int, ...],
    n_entries: int,
) -> PixelLinks | None:
    if isinstance(rule, Pooling):
        return _of_pooling(rule, source, target, read, made, n_entries)
    if len(rule.taps) == 0:
        return _of_dense(rule, source, target, read, n_entries)
    if len(rule.taps) != 2 or (len(rule.taps[0]), len(rule.taps[1])) != made[1:]:
        return None  # along one axis, or three: maps show a part of it
    n_out, n_read = rule.weight.shape[:2]
    kept = _strongest(rule.weight, n_entries)
    to, own, row, column = np.unravel_index(kept, rule.weight.shape)
    group = to * (read[0] // n_read) // n_out
    return PixelLinks(
        source=source,
        target=target,
        maps=np.stack([group * n_read + own, to], axis=1),
        places=np.stack([row, column], axis=1),
        weights=rule.weight.reshape(-1)[kept],
        rows=rule.taps[0],
        columns=rule.taps[1],
        n_entries=rule.weight.size,
    )


def _of_dense(rule: WeightedSum, source: int, target: int, read: tuple[int, ...], n_entries: int) -> PixelLinks | None:
    """Return those of a dense layer: a window as large as the maps that it reads, at its one position."""
    n_out = rule.weight.shape[0]
    if rule.weight.shape[1] != int(np.prod(read)):
        return None
    weight = rule.weight.reshape(n_out, *read)
    kept = _strongest(weight, n_entries)
    to, own, row, column = np.unravel_index(kept, weight.shape)
    return PixelLinks(
        source=source,
        target=target,
        maps=np.stack([own, to], axis=1),
        places=np.stack([row, column], axis=1),
        weights=weight.reshape(-1)[kept],
        rows=np.arange(read[1])[None],
        columns=np.arange(read[2])[None],
        n_entries=weight.size,
    )


def _of_pooling(
    rule: Pooling, source: int, target: int, read: tuple[int, ...], made: tuple[int, ...], n_entries: int
) -> PixelLinks | None:
    """Return those of a pooling, which reads each map by itself; every entry counts the same."""
    if len(rule.taps) != 2 or read[0] != made[0] or (len(rule.taps[0]), len(rule.taps[1])) != made[1:]:
        return None
    window = (rule.taps[0].shape[1], rule.taps[1].shape[1])
    size = window[0] * window[1]
    n_maps = min(read[0], max(n_entries // size, 1))
    channel = np.unique(np.linspace(0, read[0] - 1, n_maps).astype(np.int64))
    maps = np.repeat(channel, size)
    row, column = np.divmod(np.tile(np.arange(size), len(channel)), window[1])
    return PixelLinks(
        source=source,
        target=target,
        maps=np.stack([maps, maps], axis=1),
        places=np.stack([row, column], axis=1),
        weights=np.ones(len(maps)),
        rows=rule.taps[0],
        columns=rule.taps[1],
        n_entries=read[0] * size,
        weighted=False,
    )


def _strongest(weight: NDArray[np.float32], n: int) -> NDArray[np.int64]:
    """Return the flat places of the `n` weights of largest size, rising; of equal ones the first."""
    flat = np.abs(weight.reshape(-1))
    if flat.size <= n:
        return np.arange(flat.size)
    bound = np.partition(flat, flat.size - n)[flat.size - n]
    above, equal = np.flatnonzero(flat > bound), np.flatnonzero(flat == bound)
    return np.sort(np.concatenate([above, equal[: n - len(above)]]))
