"""Orderings of one layer as a table: one row per position.

Columns: `position`, then for each ordering `<name>.channel` (original channel shown there) and, where the ordering has
them, `<name>.group`, `<name>.score` and `<name>.constant` (0 or 1) of that channel. Quality and options are not in
the table.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cnnvis.core import Ordering
from cnnvis.core.atomic import AtomicWrite
from cnnvis.core.errors import FileFormatError, InvalidInputError

POSITION = "position"


def save(obj: Ordering | Mapping[str, Ordering], path: Path) -> None:
    """Write one ordering, under the name of its method, or several by name; all of as many channels."""
    if isinstance(obj, Ordering):
        obj = {obj.method: obj}
    if not isinstance(obj, Mapping) or not obj or not all(isinstance(order, Ordering) for order in obj.values()):
        raise InvalidInputError(f"A .csv file holds an Ordering or a dict of them by name, got {type(obj).__name__}.")
    lengths = {name: len(order) for name, order in obj.items()}
    if len(set(lengths.values())) > 1:
        raise InvalidInputError(f"Orderings in one table need as many channels each, got {lengths}.")
    columns: dict[str, list[object]] = {POSITION: list(range(next(iter(lengths.values()))))}
    for name, order in obj.items():
        columns |= {f"{name}.{part}": values for part, values in _columns(order).items()}
    with AtomicWrite() as write, write.file(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def load(path: Path) -> dict[str, Ordering]:
    """Return the orderings by name, in the order of the columns.

    Raises
    ------
    FileFormatError
        When it is not such a table.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header, *rows = list(csv.reader(file, strict=True))
        table = dict(zip(header, zip(*rows, strict=True), strict=True))
        names = [column.removesuffix(".channel") for column in header if column.endswith(".channel")]
        if not names:
            raise ValueError(f"no column ends in '.channel'; columns are {', '.join(header)}")
        return {name: _ordering(name, table) for name in names}
    except (ValueError, csv.Error) as error:
        raise FileFormatError(f"{path} is not a table of orderings: {error}") from error


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


def _ordering(name: str, table: Mapping[str, tuple[str, ...]]) -> Ordering:
    """Return the ordering `name` of the table."""
    permutation = np.array([int(cell) for cell in table[f"{name}.channel"]], dtype=np.int64)
    inverse = Ordering(permutation, method=name).inverse  # checks the permutation

    def by_channel(part: str, kind: type) -> np.ndarray | None:
        cells = table.get(f"{name}.{part}")
        return None if cells is None else np.array([kind(cell) for cell in cells])[inverse]

    return Ordering(
        permutation,
        method=name,
        groups=by_channel("group", int),
        scores=by_channel("score", float),
        constant=by_channel("constant", int),
    )
