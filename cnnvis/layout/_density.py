"""The density of a group's lines on a grid, by class."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cnnvis.layout import _blur_kernels, _kernels
from cnnvis.layout._groups import LineGroup

BLOCKS = 4
"""Most private grids that lines are added to, summed in one order whatever the number of threads."""

POINTS_PER_BLOCK = 4096
"""Fewer are not worth the handing over to a thread."""

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
    in_turn = map if parts == 1 else pool.map
    return list(in_turn(lambda stretch: function(*stretch), stretches))


def n_blocks(group: LineGroup) -> int:
    """Return in how many parts the lines of a group are worked on; says nothing of the number of threads."""
    return min(BLOCKS, 1 + len(group.points) // POINTS_PER_BLOCK)


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
        Cost: O(points K) for adding, O(cells K reach) for smoothing; BLOCKS grids of memory,
        or four while it is smoothed.
    """
    shape = (*grid_shape(group.extent, cell), line[3].shape[1])

    def add(first: int, last: int) -> Grid:
        grid = np.zeros(shape, np.float32)
        _kernels.splat(grid, group.points, group.offsets, (first, last), line)
        return grid

    parts = spread(pool, add, len(group.edges), n_blocks(group))
    while len(parts) > 1:
        spare = parts.pop()
        parts[-1] += spare
    return _blurred(parts.pop(), deviation / cell, pool)


def _blurred(grid: Grid, deviation: float, pool: Executor) -> Grid:
    """Return the grid convolved with a Gaussian (deviation in cells) along x, y and z; it is overwritten."""
    radius = max(1, math.ceil(REACH * deviation))
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / deviation) ** 2)
    taps = (taps / taps.sum()).astype(np.float32)
    x, y, z, n_classes = grid.shape
    spare = np.empty_like(grid)
    columns, rows, cells = ((1, x, y * z * n_classes), (x, y, z * n_classes), (x * y, z, n_classes))

    def along_x(first: int, last: int) -> None:
        _blur_kernels.convolve(grid.reshape(columns), spare.reshape(columns), taps, (first, last))

    def along_y_and_z(first: int, last: int) -> None:
        _blur_kernels.convolve(spare.reshape(rows), grid.reshape(rows), taps, (first, last))
        _blur_kernels.convolve(grid.reshape(cells), spare.reshape(cells), taps, (first * y, last * y))

    spread(pool, along_x, columns[2])
    spread(pool, along_y_and_z, x)
    return spare
