"""Pieces of lines listed by where they are on a pane, so that those around a pixel are found at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Numbers = NDArray[np.integer]

CELL = 8.0
"""Side of a cell, pixels."""

MAX_CELLS = 65_536
"""On larger panes cells are larger: numpy sorts 16 bits in linear time."""


class PieceGrid:
    """A grid over a pane.

    Parameters
    ----------
    pieces : (S,) ndarray of int
        Those of the pairs that are listed.
    pairs : (N, 2) ndarray of int32
        Points of each piece.
    at : (P, 2) ndarray of float32
        Where the points are, pixels; pieces with an end that is NaN are left out.
    size : (width, height) in pixels

    Notes
    -----
    Each piece is listed once for each step of at most a cell along it, by the cell in which the middle of the step is.
    So what is within some distance of a pixel is listed within that distance and half a cell.
    """

    def __init__(self, pieces: Numbers, pairs: NDArray[np.int32], at: Floats, size: tuple[int, int]) -> None:
        width, height = size
        self._cell = max(CELL, float(np.sqrt(width * height / (0.8 * MAX_CELLS))))
        self._columns, self._rows = (int(side // self._cell) + 1 for side in size)
        first = at[pairs[pieces, 0]]
        ways = at[pairs[pieces, 1]] - first
        start, stop = _within(first, ways, np.array(size, np.float32))
        shown = np.flatnonzero(start < stop)  # also false for NaN
        pieces, first, ways = pieces[shown].astype(np.int32), first[shown], ways[shown]
        start, span = start[shown], (stop - start)[shown]
        first += start[:, None] * ways
        ways *= span[:, None]
        steps = np.maximum(np.ceil(np.hypot(*ways.T) / self._cell), 1).astype(np.int64)
        cells = self._cells_along(first, ways, steps)
        order = np.argsort(cells, kind="stable")
        self._listed = np.repeat(pieces, steps)[order]
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(cells, minlength=self._columns * self._rows))])

    def _cells_along(self, first: Floats, ways: Floats, steps: Numbers) -> NDArray[np.uint16]:
        """Return the cells of the middles of all steps, piece after piece."""
        ends = np.cumsum(steps)
        total = int(ends[-1]) if steps.size else 0
        ways = ways / (steps[:, None] * np.float32(self._cell))
        number = np.arange(total, dtype=np.float32) if total < 2**24 else np.arange(total, dtype=np.float64)
        number -= np.repeat((ends - steps).astype(number.dtype), steps)
        number += 0.5
        cell = np.zeros(total, np.int32)
        for axis, stride in ((0, 1), (1, self._columns)):
            place = np.repeat(ways[:, axis], steps)
            place *= number
            place += np.repeat(first[:, axis] / np.float32(self._cell), steps)
            cell += stride * np.clip(place, 0, (self._columns, self._rows)[axis] - 1).astype(np.int32)
        return cell.astype(np.uint16)

    def around(self, pixel: Floats, reach: float) -> Numbers:
        """Return the pieces within `reach` pixels of a pixel, some farther away, and some more than once."""
        low = np.floor((pixel - reach - self._cell / 2) / self._cell).astype(int)
        high = np.floor((pixel + reach + self._cell / 2) / self._cell).astype(int)
        left, bottom = np.maximum(low, 0)
        right, top = np.minimum(high, (self._columns - 1, self._rows - 1))
        if left > right:
            return self._listed[:0]
        rows = np.arange(bottom, top + 1) * self._columns
        parts = [self._listed[self._starts[row + left] : self._starts[row + right + 1]] for row in rows]
        return np.concatenate([self._listed[:0], *parts])


def _within(first: Floats, ways: Floats, size: Floats) -> tuple[Floats, Floats]:
    """Return from where to where lines `first` + t `ways` are on the pane, t from 0 to 1; start >= stop: nowhere."""
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = -first / ways, (size - first) / ways
    entering, leaving = np.minimum(low, high), np.maximum(low, high)
    parallel = ways == 0
    inside = (first >= 0) & (first <= size)
    entering = np.where(parallel, np.where(inside, -np.inf, np.inf), entering)
    leaving = np.where(parallel, np.inf, leaving)
    return np.maximum(entering.max(axis=1), 0), np.minimum(leaving.min(axis=1), 1)
