"""A table of text as a .csv file, and what its cells hold."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cnnvis.core.atomic import AtomicWrite
from cnnvis.core.errors import FileFormatError, InvalidInputError


class Table(NamedTuple):
    """A header and rows of as many cells; as text once it is read."""

    header: Sequence[str]
    rows: Iterable[Sequence[Any]]

    def columns(self) -> dict[str, tuple[Any, ...]]:
        """Return the columns by name; of columns with one name, the last."""
        cells = list(zip(*self.rows, strict=True)) or [()] * len(self.header)
        return dict(zip(self.header, cells, strict=True))


def write_table(table: Table, path: Path) -> None:
    """Write a table, whole or not at all. Floats are written so that they read back the same to the last bit."""
    with AtomicWrite() as write, write.file(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.header)
        writer.writerows(table.rows)


def read_table(path: Path) -> Table:
    """Return a table as text; raise FileFormatError where the file is empty, no text, or a row has other cells."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header, *rows = list(csv.reader(file, strict=True))
        for line, row in enumerate(rows, 2):
            if len(row) != len(header):
                raise ValueError(f"row {line} has {len(row)} cells, the header {len(header)}; it may be cut off")
    except (ValueError, csv.Error) as error:
        raise FileFormatError(f"{path} is not a table: {error}") from error
    return Table(header, rows)


def options_text(options: Mapping[str, Any]) -> str:
    """Return options as JSON; numbers and arrays of numpy as plain ones, tuples as lists.

    Raises
    ------
    InvalidInputError
        When one is of a type that JSON does not have: it is named.
    """
    for name, value in options.items():
        try:
            json.dumps(value, default=_plain)
        except (TypeError, ValueError) as error:
            raise InvalidInputError(f"The option {name!r} cannot be written as JSON: {error}") from error
    return json.dumps(dict(options), default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"it is a {type(value).__name__}")
