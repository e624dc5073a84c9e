"""Orders as plain columns, for CSV files and reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import Ordering
from cnnvis.core.errors import InvalidInputError


def orders_table(orderings: Mapping[str, Ordering]) -> dict[str, NDArray[Any]]:
    """Return columns of equal length, one row per position.

    Parameters
    ----------
    orderings : mapping of str to Ordering
        By the name their columns get; all of one layer.

    Returns
    -------
    dict of str to (C,) ndarray of int
        "position", and for each order "<name>", the channel that stands there, and "<name>_group"
        where the order has groups (-1: constant).

    Raises
    ------
    InvalidInputError
        Without orders, or when their numbers of channels differ.
    """
    sizes = {len(ordering) for ordering in orderings.values()}
    if len(sizes) != 1:
        raise InvalidInputError(f"A table needs orders of one layer, got numbers of channels {sorted(sizes)}.")
    columns: dict[str, NDArray[Any]] = {"position": np.arange(sizes.pop())}
    for name, ordering in orderings.items():
        columns[name] = ordering.permutation
        if ordering.groups is not None:
            columns[f"{name}_group"] = ordering.groups[ordering.permutation]
    return columns
