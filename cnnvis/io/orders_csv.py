"""Orderings of one layer as a table: one row per position.

Columns: `position`, then for each ordering `<name>.channel` (original channel shown there) and, where the ordering has
them, `<name>.group`, `<name>.score` and `<name>.constant` (0 or 1) of that channel. Quality and options are not in
the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cnnvis.core import Ordering
from cnnvis.core.errors import InvalidInputError
from cnnvis.io._table import Table

HOLDS = "orderings of one layer, by name"
KEY = ("position",)
"""First columns, by which such a table is known."""


def holds(obj: Any) -> bool:
    """Whether `obj` is one ordering, or several by name."""
    parts = obj.values() if isinstance(obj, Mapping) else [obj]
    return bool(parts) and all(isinstance(part, Ordering) for part in parts)


def to_table(obj: Ordering | Mapping[str, Ordering]) -> Table:
    """Return one ordering, under the name of its method, or several by name; all of as many channels."""
    orders = {obj.method: obj} if isinstance(obj, Ordering) else obj
    lengths = {name: len(order) for name, order in orders.items()}
    if len(set(lengths.values())) > 1:
        raise InvalidInputError(f"Orderings in one table need as many channels each, got {lengths}.")
    columns: dict[str, list[object]] = {KEY[0]: list(range(next(iter(lengths.values()))))}
    for name, order in orders.items():
        columns |= {f"{name}.{part}": values for part, values in _columns(order).items()}
    return Table(list(columns), zip(*columns.values(), strict=True))


def from_table(table: Table) -> dict[str, Ordering]:
    """Return the orderings by name, in the order of the columns; raise ValueError where it is no such table."""
    columns = table.columns()
    names = [column.removesuffix(".channel") for column in table.header if column.endswith(".channel")]
    if not names:
        raise ValueError(f"no column ends in '.channel'; columns are {', '.join(table.header)}")
    return {name: _ordering(name, columns) for name in names}


def _columns(order: Ordering) -> dict[str, list[object]]:
    """Return the columns of one ordering, by position."""
    columns = {"channel": order.permutation}
    if order.groups is not None:
        columns["group"] = order.groups[order.permutation]
    if order.scores is not None:
        columns["score"] = order.scores[order.permutation]
    if order.constant is not None and order.constant.any():
        columns["constant"] = order.constant[order.permutation].astype(np.int64)
    return {part: values.tolist() for part, values in columns.items()}


def _ordering(name: str, columns: Mapping[str, tuple[str, ...]]) -> Ordering:
    """Return the ordering `name` of the table."""
    permutation = np.array([int(cell) for cell in columns[f"{name}.channel"]], dtype=np.int64)
    inverse = Ordering(permutation, method=name).inverse  # checks the permutation

    def by_channel(part: str, kind: type) -> np.ndarray | None:
        cells = columns.get(f"{name}.{part}")
        return None if cells is None else np.array([kind(cell) for cell in cells])[inverse]

    return Ordering(
        permutation,
        method=name,
        groups=by_channel("group", int),
        scores=by_channel("score", float),
        constant=by_channel("constant", int),
    )
