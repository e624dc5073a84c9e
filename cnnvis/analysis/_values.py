"""What the analysis accepts as maps, brought to one shape; views only, no copies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.core import FeatureMaps
from cnnvis.core.errors import InvalidInputError, NoSpatialMapsError

MapsLike = FeatureMaps | ArrayLike
"""FeatureMaps, or an array (C, H, W), (N, C, H, W), (N, C, D, H, W) or, of a dense layer, (N, C)."""

SEED_ROW = 15
"""Row that CNN-VIS cut out of every map."""


def as_values(maps: MapsLike) -> NDArray[Any]:
    """Return `maps` as an array (N, C, *S), a view wherever `maps` already is an array.

    Raises
    ------
    InvalidInputError
        When the array has another number of axes, no images, no channels, no pixels, or is not real.
    """
    if isinstance(maps, FeatureMaps):
        values, where = maps.activations, f"Maps of layer {maps.layer!r}"
    else:
        values, where = np.asarray(maps), "Maps"
        if values.ndim == 3:
            values = values[np.newaxis]
        if values.ndim not in (2, 4, 5):
            raise InvalidInputError(
                f"{where} have shape {values.shape}; allowed are (C, H, W), (N, C, H, W), (N, C, D, H, W) "
                "and, for a dense layer, (N, C). Put other shapes into core.FeatureMaps, channel axis 1."
            )
    if 0 in values.shape:
        raise InvalidInputError(
            f"{where} are empty: shape (images, channels, ...) = {values.shape}. "
            "At least one image, one channel and one value per channel are needed."
        )
    if values.dtype.kind not in "fiub":
        raise InvalidInputError(f"{where} have dtype {values.dtype}; allowed are real numbers.")
    return values


def default_row(height: int) -> int:
    """Return the row that methods on rows look at in maps of `height` rows: 15 as in CNN-VIS, else the middle one."""
    return SEED_ROW if height > SEED_ROW else height // 2


def row_slices(values: NDArray[Any], row: int | None) -> tuple[NDArray[Any], int]:
    """Return one row of every map, (N, C, W), and which row it was.

    Parameters
    ----------
    values : (N, C, H, W) ndarray
    row : int or None
        None takes row 15 as CNN-VIS did, or the middle row of maps that have no row 15.

    Raises
    ------
    NoSpatialMapsError
        When the values are not maps of rows and columns.
    InvalidInputError
        When there is no such row.
    """
    if values.ndim != 4:
        raise NoSpatialMapsError(
            f"Values of shape {values.shape} have no rows; methods on rows need maps (N, C, H, W). "
            "Use the method on whole maps."
        )
    height = values.shape[2]
    row = default_row(height) if row is None else row
    if not 0 <= row < height:
        raise InvalidInputError(f"row must be from 0 to {height - 1} in maps of {height} rows, got {row}.")
    return values[:, :, row], int(row)
