"""Values of units, checked; what is wrong is said with the unit and its layer."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.core import Layout
from cnnvis.core.checks import as_numbers, require_not_negative, require_shape
from cnnvis.core.errors import InvalidInputError


def unit_values(name: str, values: ArrayLike, layout: Layout, *, by_class: bool = False) -> NDArray[np.float64]:
    """Return values of all units, (U,), or (U, K) by class: finite, not negative.

    Raises
    ------
    InvalidInputError
        Where they are not; the first unit with a NaN or an infinity is named.
    """
    array = as_numbers(name, values)
    require_shape(name, array, (len(layout), None) if by_class else (len(layout),))
    if by_class and not array.shape[1]:
        raise InvalidInputError(f"{name} has shape {array.shape}: no class; leave it out where there is none.")
    is_bad = ~np.isfinite(array)
    if is_bad.any():
        raise InvalidInputError(
            f"{name} holds {np.count_nonzero(is_bad)} values that are NaN or infinite of {array.size}, the first of "
            f"them of {_unit(int(np.argwhere(is_bad)[0, 0]), layout)}; all must be finite."
        )
    require_not_negative(name, array)
    return array


def _unit(number: int, layout: Layout) -> str:
    layer = layout.layer_of_unit[number]
    place = np.count_nonzero(layout.layer_of_unit[:number] == layer)
    return f"unit {place} of layer {layout.layers[layer]!r} (number {number} of all)"
