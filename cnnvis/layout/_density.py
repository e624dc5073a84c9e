"""The density of a group's lines on a grid, by class."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cnnvis.layout import _kernels
from cnnvis.layout._groups import LineGroup

BLOCKS = 4
"""Private grids that the lines are added to, summed in this order whatever the number of threads."""

FINEST_CELL = 1 / 2
"""Smallest side of a cell of the grid, in distances of two samples."""

CELLS_PER_DEVIATION = 2.0
"""Resolution of the grid: coarse while the kernel is wide."""

REACH = 3.0
"""Standard deviations after which the kernel is cut off."""

Grid = NDArray[np.float32]
T = TypeVar("T")


def spread(pool: Executor, function: Callable[[int, int], T], length: int, parts: int = BLOCKS) -> list[T]:
    """Return what `function(first, last)` returns for equal stretches of 0 .. length, in their order."""
    bounds = [length * part // parts for part in range(parts + 1)]
    stretches: Iterable[tuple[int, int]] = itertools.pairwise(bounds)
    return list(pool.map(lambda stretch: function(*stretch), stretches))


def cell_size(deviation: float, finest: float) -> float:
    """Return the side of a cell for a kernel of that standard deviation, at least `finest`."""
    return max(finest, deviation / CELLS_PER_DEVIATION)


def grid_shape(extent: NDArray[np.float32], cell: float) -> tuple[int, int, int]:
    """Return how many nodes a grid over a box has along each axis, some beyond the farthest point even when rounded."""
    x, y, z = (math.floor(side / cell + 1e-3) + 2 for side in extent)
    return x, y, z


def density(group: LineGroup, line: tuple[NDArray[Any], ...], cell: float, deviation: float, pool: Executor) -> Grid:
    """Return the smoothed density of the class vectors, (X, Y, Z, K).

    Parameters
    ----------
    group : LineGroup
    line : tuple of arrays
        See `cnnvis.layout._kernels.splat`.
    cell, deviation : float
        Side of a cell, and standard deviation of the Gaussian kernel; in layer widths.
    pool : Executor
        Cost: O(points K) for adding, O(cells K reach) for smoothing; BLOCKS grids of memory.
    """
    shape = (*grid_shape(group.extent, cell), line[3].shape[1])

    def add(first: int, last: int) -> Grid:
        grid = np.zeros(shape, np.float32)
        _kernels.splat(grid, group.points, group.offsets, (first, last), line)
        return grid

    parts = spread(pool, add, len(group.edges))
    total = parts[0]
    for part in parts[1:]:
        total += part
    return _blurred(total, parts[1], deviation / cell, pool)


def _blurred(grid: Grid, spare: Grid, deviation: float, pool: Executor) -> Grid:
    """Return the grid convolved with a Gaussian (deviation in cells) along x, y and z; both arrays are overwritten."""
    radius = max(1, math.ceil(REACH * deviation))
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / deviation) ** 2)
    taps = (taps / taps.sum()).astype(np.float32)
    x, y, z, n_classes = grid.shape
    for shape in ((1, x, y * z * n_classes), (x, y, z * n_classes), (x * y, z, n_classes)):
        source, out = grid.reshape(shape), spare.reshape(shape)

        def along_axis(first: int, last: int, source: Grid = source, out: Grid = out) -> None:
            _kernels.convolve(source, out, taps, (first, last))

        spread(pool, along_axis, shape[2] if shape[0] == 1 else shape[0])
        grid, spare = spare, grid
    return grid
