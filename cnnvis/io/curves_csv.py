"""Pruning curves as one tidy table: a row per curve and share removed.

Columns: `name`, `run` (0, 1, ... of the curves that share a name), `order`, `kind`, `scope`, `n_total`, `share`,
`accuracy`, `loss`, balanced accuracy per class as `class[0]`, `class[1]` ..., and `options`, as JSON in the first row
of each curve.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from cnnvis.core import PruneCurve
from cnnvis.io._table import Table, options_text

HOLDS = "pruning curves, by name"
KEY = ("name", "run", "order", "kind", "scope", "n_total", "share", "accuracy", "loss")
"""First columns, by which such a table is known."""

Curves = Mapping[str, PruneCurve | Sequence[PruneCurve]]
"""Curves by the name to show; several of one name are repeats, of other seeds."""


def holds(obj: Any) -> bool:
    """Whether `obj` is one curve, or several by name."""
    if not isinstance(obj, Mapping):
        return isinstance(obj, PruneCurve)
    runs = [list(part) if isinstance(part, list | tuple) else [part] for part in obj.values()]
    return bool(runs) and all(run and all(isinstance(curve, PruneCurve) for curve in run) for run in runs)


def to_table(obj: PruneCurve | Curves) -> Table:
    """Return one curve, under the name of its order, or several by name."""
    curves = {obj.order: obj} if isinstance(obj, PruneCurve) else obj
    n_classes = max(curve.class_accuracy.shape[1] for part in curves.values() for curve in _runs(part))
    header = [*KEY, *(f"class[{index}]" for index in range(n_classes)), "options"]
    rows = (
        row
        for name, part in curves.items()
        for run, curve in enumerate(_runs(part))
        for row in _rows(curve, (name, run), n_classes)
    )
    return Table(header, list(rows))


def from_table(table: Table) -> dict[str, PruneCurve | tuple[PruneCurve, ...]]:
    """Return the curves by name, several of one name as a tuple; raise ValueError where it is no such table."""
    blocks: dict[str, dict[int, list[Sequence[str]]]] = {}
    for row in table.rows:
        blocks.setdefault(row[0], {}).setdefault(int(row[1]), []).append(row)
    if not blocks:
        raise ValueError("it has no rows")
    found = {name: tuple(_curve(runs[run]) for run in sorted(runs)) for name, runs in blocks.items()}
    return {name: curves[0] if len(curves) == 1 else curves for name, curves in found.items()}


def _runs(part: PruneCurve | Sequence[PruneCurve]) -> Sequence[PruneCurve]:
    return [part] if isinstance(part, PruneCurve) else part


def _rows(curve: PruneCurve, head: tuple[str, int], n_classes: int) -> Iterable[list[Any]]:
    facts = [*head, curve.order, curve.kind, curve.scope, curve.n_total]
    options = options_text(curve.options)
    blank = [""] * (n_classes - curve.class_accuracy.shape[1])
    numbers = np.column_stack([curve.shares, curve.accuracy, curve.loss, curve.class_accuracy])
    for row in numbers.tolist():
        yield [*facts, *row, *blank, options]
        options = ""


def _curve(rows: Sequence[Sequence[str]]) -> PruneCurve:
    """Return the curve that some rows of the table are."""
    facts = {tuple(row[2:6]) for row in rows}
    if len(facts) > 1:
        raise ValueError(f"run {rows[0][1]} of {rows[0][0]!r} has rows of several curves")
    order, kind, scope, n_total = facts.pop()
    filled = next((at for at, cell in enumerate(rows[0][:-1]) if at >= len(KEY) and cell == ""), len(rows[0]) - 1)
    numbers = np.array([row[6:filled] for row in rows], dtype=np.float64)
    return PruneCurve(
        shares=numbers[:, 0],
        accuracy=numbers[:, 1],
        loss=numbers[:, 2],
        class_accuracy=numbers[:, 3:],
        order=order,
        kind=kind,
        scope=scope,
        n_total=int(n_total),
        options=json.loads(next(filter(None, (row[-1] for row in rows)), "{}")),
    )
