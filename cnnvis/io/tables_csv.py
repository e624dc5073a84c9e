"""The .csv format: which kind of table an object makes, and which kind a file is by its first columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cnnvis.core.errors import FileFormatError, InvalidInputError
from cnnvis.io import curves_csv, importance_csv, orders_csv
from cnnvis.io._table import read_table, write_table

CONTENTS = (orders_csv, importance_csv, curves_csv)
"""A content has `holds(obj)`, `to_table(obj)`, `from_table(table)`, what it `HOLDS` in words, and its first columns."""


def save(obj: Any, path: Path) -> None:
    """Write orderings, importance or pruning curves."""
    for content in CONTENTS:
        if content.holds(obj):
            write_table(content.to_table(obj), path)
            return
    kinds = "; ".join(content.HOLDS for content in CONTENTS)
    raise InvalidInputError(f"A .csv file holds one of these: {kinds}. Got {type(obj).__name__}.")


def load(path: Path) -> Any:
    """Return what `save` wrote.

    Raises
    ------
    FileFormatError
        When it is none of these tables, or a damaged one.
    """
    table = read_table(path)
    for content in CONTENTS:
        if tuple(table.header[: len(content.KEY)]) == content.KEY:
            try:
                return content.from_table(table)
            except (KeyError, ValueError) as error:
                raise FileFormatError(f"{path} is not a table of {content.HOLDS}: {error}") from error
    known = "; ".join(f"{content.HOLDS} ({', '.join(content.KEY)} ...)" for content in CONTENTS)
    raise FileFormatError(f"{path} is not a table of {known}; its columns are {', '.join(table.header)}.")
