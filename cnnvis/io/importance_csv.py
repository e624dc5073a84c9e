"""Importance as a table: one row per channel.

Columns: `method`, `layer`, `channel`, `score`, `signed` where there is one, a column per class - `class.<name>`, or
`class[0]`, `class[1]` ... where classes have no names - and `options`, as JSON in the first row. A cell is empty
where a layer has no such value. The rows may stand in any order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import Importance
from cnnvis.core.errors import InvalidInputError
from cnnvis.io._table import Table, options_text

HOLDS = "importance by one method"
KEY = ("method", "layer", "channel", "score")
"""First columns, by which such a table is known."""

SIGNED, OPTIONS = "signed", "options"
NAMED = "class."


def holds(obj: Any) -> bool:
    """Whether `obj` is importance."""
    return isinstance(obj, Importance)


def to_table(obj: Importance) -> Table:
    """Return the table; what it cannot hold are layers without channels, and other numbers of classes by layer."""
    if not obj.scores or not all(scores.size for scores in obj.scores.values()):
        raise InvalidInputError("A table of importance needs at least one layer, and a channel in each.")
    widths = {array.shape[1] for array in (obj.per_class or {}).values()} or {len(obj.class_names or ())}
    if len(widths) > 1:
        raise InvalidInputError(f"A table of importance needs as many classes in each layer, got {sorted(widths)}.")
    width = widths.pop()
    names = [f"{NAMED}{name}" for name in obj.class_names or ()] or [f"class[{index}]" for index in range(width)]
    header = [*KEY, *([SIGNED] if obj.signed else []), *names, OPTIONS]
    return Table(header, _rows(obj, width))


def _rows(obj: Importance, width: int) -> Iterable[Sequence[Any]]:
    options = options_text(obj.options)
    for layer, scores in obj.scores.items():
        signed, classes = obj.signed.get(layer), (obj.per_class or {}).get(layer)
        for channel, score in enumerate(scores.tolist()):
            cells: list[Any] = [obj.method, layer, channel, score]
            if obj.signed:
                cells.append("" if signed is None else float(signed[channel]))
            cells += [""] * width if classes is None else classes[channel].tolist()
            yield [*cells, options]
            options = ""


def from_table(table: Table) -> Importance:
    """Return the importance; raise ValueError where it is no such table."""
    header, cells = list(table.header), np.array(list(table.rows), dtype=str)
    if not cells.size or header[-1] != OPTIONS:
        raise ValueError(f"it has no rows, or its last column is not {OPTIONS!r}")
    methods = sorted(set(cells[:, 0]))
    if len(methods) > 1:
        raise ValueError(f"it holds several methods, {', '.join(methods)}; one file holds one")
    first = len(KEY) + (SIGNED in header[len(KEY) : len(KEY) + 1])
    titles = header[first:-1]
    named = bool(titles) and all(title.startswith(NAMED) for title in titles)
    layers = {layer: cells[rows] for layer, rows in _places(*cells[:, 1:3].T.tolist()).items()}
    return Importance(
        scores={layer: block[:, 3].astype(np.float64) for layer, block in layers.items()},
        method=str(methods[0]),
        per_class=_filled({layer: block[:, first:-1] for layer, block in layers.items()}) or None,
        signed=_filled({layer: block[:, first - 1] for layer, block in layers.items()}) if first > len(KEY) else {},
        options=json.loads(next(filter(None, cells[:, -1].tolist()), "{}")),
        class_names=tuple(title.removeprefix(NAMED) for title in titles) if named else None,
    )


def _places(layers: Sequence[str], channels: Sequence[str]) -> dict[str, list[int]]:
    """Return, by layer, the rows of its channels 0, 1, ..."""
    found: dict[str, dict[int, int]] = {}
    for row, (layer, channel) in enumerate(zip(layers, channels, strict=True)):
        rows = found.setdefault(layer, {})
        if int(channel) in rows:
            raise ValueError(f"channel {channel} of layer {layer!r} occurs twice")
        rows[int(channel)] = row
    for layer, rows in found.items():
        if set(rows) != set(range(len(rows))):
            raise ValueError(f"layer {layer!r} has {len(rows)} rows, which are not its channels 0 to {len(rows) - 1}")
    return {layer: [rows[channel] for channel in range(len(rows))] for layer, rows in found.items()}


def _filled(cells: dict[str, NDArray[np.str_]]) -> dict[str, NDArray[np.float64]]:
    """Return the numbers of the layers that have them: the others' cells are empty."""
    return {layer: block.astype(np.float64) for layer, block in cells.items() if (block != "").any()}
