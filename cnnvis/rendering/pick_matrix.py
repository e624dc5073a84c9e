"""Which cell or bar of a matrix is seen at a pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnnvis.rendering.matrix_artist import MatrixArtist

Places = NDArray[np.float64]


def cell_at(artist: MatrixArtist, start: Places, direction: Places) -> tuple[int, int, Places] | None:
    """Return row and column of what a ray meets first, and where; None where it meets nothing.

    Parameters
    ----------
    artist : MatrixArtist
    start, direction : (3,) ndarray of float
        Of the ray, scene units; `direction` has length 1.
    """
    if artist.item.opacity == 0:
        return None
    return _cell(artist, start, direction) if artist.item.style == "cells" else _bar(artist, start, direction)


def _cell(artist: MatrixArtist, start: Places, direction: Places) -> tuple[int, int, Places] | None:
    item = artist.item
    if direction[2] == 0:
        return None
    distance = (item.origin[2] - start[2]) / direction[2]
    place = start + distance * direction
    column, row = np.floor((place[:2] - item.origin[:2]) / item.cell).astype(int)
    rows, columns = item.data.shape
    inside = distance > 0 and 0 <= row < rows and 0 <= column < columns
    return (int(row), int(column), place) if inside and item.exists()[row, column] else None


def _bar(artist: MatrixArtist, start: Places, direction: Places) -> tuple[int, int, Places] | None:
    rows, columns, low, high = artist.boxes()
    if not rows.size:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.stack([low - start, high - start]) / direction
    ends = np.where(np.isnan(ends), np.array([-np.inf, np.inf]).reshape(2, 1, 1), ends)
    first, last = ends.min(axis=0).max(axis=1), ends.max(axis=0).min(axis=1)
    first = np.where((first <= last) & (first > 0), first, np.inf)
    nearest = int(np.argmin(first))
    if not np.isfinite(first[nearest]):
        return None
    return int(rows[nearest]), int(columns[nearest]), start + first[nearest] * direction
