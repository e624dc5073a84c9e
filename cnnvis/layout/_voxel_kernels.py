"""Which voxels lines pass through: inner loops, compiled by numba and cached.

Each kernel takes the lines as one tuple: points (P, 3) float32; t (P,) float32, place of each point on its line, 0 to
1; offsets (E + 1,) int64. The voxels are another: origin (3,) float64 and scale (1,) float64, so that
(point - origin) * scale is in voxels; shape (3,) int64. Of each line only what lies between two places counts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.layout._loops import compiled_loop

Array = NDArray[Any]

compiled = compiled_loop()


@compiled
def count_lines(lines: tuple[Array, ...], voxels: tuple[Array, ...], part: tuple[float, float], counts: Array) -> None:
    """Add to counts (X * Y * Z,) int32 how many lines pass through each voxel between two places."""
    points, t, offsets = lines
    shape = voxels[2]
    last = np.full(counts.size, -1, np.int32)
    path, work = np.empty(shape.sum() + 1, np.int64), (np.empty((2, 3), np.int64), np.empty((2, 3), np.float64))
    for line in range(offsets.size - 1):
        for at in range(offsets[line], offsets[line + 1] - 1):
            for step in range(traverse(points, t, at, voxels, part, path, work)):
                voxel = path[step]
                if last[voxel] != line:
                    last[voxel] = line
                    counts[voxel] += 1


@compiled
def list_lines(
    lines: tuple[Array, ...], voxels: tuple[Array, ...], part: tuple[float, float], slot: Array, starts: Array
) -> Array:
    """Return the lines of chosen voxels between two places, (starts[-1],) int32.

    `slot` (X * Y * Z,) int32 is the number of a chosen voxel, -1 of all others; its lines are those from starts[slot]
    to starts[slot + 1].
    """
    points, t, offsets = lines
    found = np.empty(starts[-1], np.int32)
    end = starts[:-1].copy()
    path, work = np.empty(voxels[2].sum() + 1, np.int64), (np.empty((2, 3), np.int64), np.empty((2, 3), np.float64))
    for line in range(offsets.size - 1):
        for at in range(offsets[line], offsets[line + 1] - 1):
            for step in range(traverse(points, t, at, voxels, part, path, work)):
                own = slot[path[step]]
                if own >= 0 and (end[own] == starts[own] or found[end[own] - 1] != line):
                    found[end[own]] = line
                    end[own] += 1
    return found


@compiled
def traverse(
    points: Array,
    t: Array,
    at: int,
    voxels: tuple[Array, ...],
    part: tuple[float, float],
    path: Array,
    work: tuple[Array, Array],
) -> Any:
    """Write the voxels of the segment behind point `at` into `path`, and return how many they are.

    From boundary to boundary along the segment (Amanatides and Woo, 1987); each axis takes exactly the steps from its
    first voxel to its last, so that rounding leads nowhere else. `work`, (2, 3) int64 and (2, 3) float64, spares
    making arrays for each segment.
    """
    origin, scale, shape = voxels
    first, last = part
    begin, end = 0.0, 1.0
    if t[at] < first or t[at + 1] > last:
        length = t[at + 1] - t[at]
        if length <= 0 or t[at + 1] < first or t[at] > last:
            return 0
        begin, end = max(begin, (first - t[at]) / length), min(end, (last - t[at]) / length)
    (voxel, steps), (until, between) = work
    until[:] = np.inf
    for q in range(3):
        one = (points[at, q] - origin[q]) * scale[0]
        way = (points[at + 1, q] - origin[q]) * scale[0] - one
        head, tail = one + begin * way, one + end * way
        voxel[q] = int(np.floor(head))
        steps[q] = int(np.floor(tail)) - voxel[q]
        if steps[q] != 0:
            boundary = voxel[q] + 1 if steps[q] > 0 else voxel[q]
            until[q] = (boundary - head) / (tail - head)
            between[q] = 1 / abs(tail - head)
    n = 1 + abs(steps[0]) + abs(steps[1]) + abs(steps[2])
    path[0] = (voxel[0] * shape[1] + voxel[1]) * shape[2] + voxel[2]
    for number in range(1, n):
        q = int(np.argmin(until))
        sign = 1 if steps[q] > 0 else -1
        voxel[q] += sign
        steps[q] -= sign
        until[q] = until[q] + between[q] if steps[q] != 0 else np.inf
        path[number] = (voxel[0] * shape[1] + voxel[1]) * shape[2] + voxel[2]
    return n
