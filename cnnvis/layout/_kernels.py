"""The inner loops of edge bundling, compiled by numba and cached; they let go of the interpreter while they run.

Lines are one array of points (P, 3) with offsets, as in a PolylineSet. All arrays are float32, so that a million
lines fit; sums run in a fixed order, so that the same input gives the same bits with any number of threads.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.layout._loops import compiled_loop

Array = NDArray[Any]
Number = Any
"""float32 inside compiled code, a float outside."""

compiled = compiled_loop(error_model="numpy", fastmath={"nsz", "arcp", "contract", "reassoc"})
"""No "nnan" and no "ninf": what is not finite must stay so, or the checks of it would be compiled away."""


@compiled
def splat(grid: Array, points: Array, offsets: Array, rows: tuple[int, int], line: tuple[Array, ...]) -> None:
    """Add lines to a density grid.

    Parameters
    ----------
    grid : (X, Y, Z, K) ndarray of float32
        Changed in place. A point is shared out linearly among the eight nodes around it.
    points : (P, 3) ndarray of float32
        Within the box of the grid, which begins at 0.
    offsets : (E + 1,) ndarray of int64
    rows : (int, int)
        First line, and the one after the last.
    line : tuple of arrays
        source, target (E,) int64; weight (E,) float32; vectors (U, K) float32, what a unit gives its lines; share
        (2, 2) float32: how much each end counts at t, share[end, 0] + share[end, 1] * t; and cells per unit length as
        a (1,) float32.
    """
    source, target, weight, vectors, share, scale = line
    n_classes = grid.shape[3]
    vector = np.empty(n_classes, np.float32)
    for edge in range(rows[0], rows[1]):
        start = offsets[edge]
        count = offsets[edge + 1] - start
        for step in range(count):
            mix(vector, vectors, source[edge], target[edge], share, step / max(count - 1, 1))
            at = start + step
            x, y, z = points[at, 0] * scale[0], points[at, 1] * scale[0], points[at, 2] * scale[0]
            i, j, m = int(x), int(y), int(z)
            fx, fy, fz = x - i, y - j, z - m
            for a in range(2):
                wx = weight[edge] * (fx if a else 1 - fx)
                for b in range(2):
                    wy = wx * (fy if b else 1 - fy)
                    for c in range(2):
                        w = wy * (fz if c else 1 - fz)
                        for k in range(n_classes):
                            grid[i + a, j + b, m + c, k] += w * vector[k]


@compiled
def mix(vector: Array, vectors: Array, source: int, target: int, share: Array, t: float) -> None:
    """Write the vector of a line at `t` into `vector` (K,)."""
    at_source = np.float32(share[0, 0] + share[0, 1] * t)
    at_target = np.float32(share[1, 0] + share[1, 1] * t)
    for k in range(vector.size):
        vector[k] = at_source * vectors[source, k] + at_target * vectors[target, k]


@compiled
def convolve(values: Array, out: Array, taps: Array, rows: tuple[int, int]) -> None:
    """Convolve the middle axis of (A, N, B) values with 2 R + 1 symmetric taps; beyond the ends all is zero.

    `rows` is the stretch to do of the axis A, or of B where A is 1. `out` is overwritten.
    """
    n_outer, length, n_inner = values.shape
    if n_outer == 1:
        for i in range(length):
            out[0, i, rows[0] : rows[1]] = 0
            for tap in range(max(0, taps.size // 2 - i), min(taps.size, taps.size // 2 + length - i)):
                j = i + tap - taps.size // 2
                for b in range(rows[0], rows[1]):
                    out[0, i, b] += taps[tap] * values[0, j, b]
        return
    for a in range(rows[0], rows[1]):
        source, result = values[a].reshape(-1), out[a].reshape(-1)
        result[:] = 0
        for tap in range(taps.size):
            shift = (tap - taps.size // 2) * n_inner
            weight = taps[tap]
            for b in range(max(0, -shift), min(result.size, result.size - shift)):  # one long loop: it vectorises
                result[b] += weight * source[b + shift]


@compiled
def field(  # noqa: C901 - the three axes are written out, for speed
    grid: Array, place: Array, vector: Array, axis: Array, corner: Array, gradient: Array
) -> Number:
    """Return the dot product of `vector` with the grid at a place, trilinear, and write its gradient.

    Parameters
    ----------
    grid : (X, Y, Z, K) ndarray of float32
    place : (3,) ndarray of float32
        In cells.
    vector : (K,) ndarray of float32
    axis : (3,) ndarray of float32
        Where it is 1 the gradient is not wanted.
    corner : (2, 2, 2) ndarray of float32
        Work space.
    gradient : (3,) ndarray of float32
        Overwritten, per cell: the differences over the cells, linear between the middles of the cells.
    """
    i, j, m = int(place[0]), int(place[1]), int(place[2])
    fx, fy, fz = place[0] - i, place[1] - j, place[2] - m
    for a in range(2):
        for b in range(2):
            for c in range(2):
                corner[a, b, c] = dot(grid, i + a, j + b, m + c, vector)
    for q in range(3):
        gradient[q] = 0
    if axis[0] != 1:
        low, high = flat(corner[0], fy, fz), flat(corner[1], fy, fz)
        at = i + 2 if fx > 0.5 else i - 1
        gradient[0] = high - low
        if 0 <= at < grid.shape[0]:
            far = between(dot(grid, at, j, m, vector), dot(grid, at, j, m + 1, vector), fz)
            other = between(dot(grid, at, j + 1, m, vector), dot(grid, at, j + 1, m + 1, vector), fz)
            gradient[0] = slope(low, high, between(far, other, fy), fx)
    if axis[1] != 1:
        low, high = flat(corner[:, 0], fx, fz), flat(corner[:, 1], fx, fz)
        at = j + 2 if fy > 0.5 else j - 1
        gradient[1] = high - low
        if 0 <= at < grid.shape[1]:
            far = between(dot(grid, i, at, m, vector), dot(grid, i, at, m + 1, vector), fz)
            other = between(dot(grid, i + 1, at, m, vector), dot(grid, i + 1, at, m + 1, vector), fz)
            gradient[1] = slope(low, high, between(far, other, fx), fy)
    low, high = flat(corner[:, :, 0], fx, fy), flat(corner[:, :, 1], fx, fy)
    if axis[2] != 1:
        at = m + 2 if fz > 0.5 else m - 1
        gradient[2] = high - low
        if 0 <= at < grid.shape[2]:
            far = between(dot(grid, i, j, at, vector), dot(grid, i, j + 1, at, vector), fy)
            other = between(dot(grid, i + 1, j, at, vector), dot(grid, i + 1, j + 1, at, vector), fy)
            gradient[2] = slope(low, high, between(far, other, fx), fz)
    return between(low, high, fz)


@compiled
def dot(grid: Array, i: int, j: int, m: int, vector: Array) -> Number:
    """Return the dot product of a node of the grid with `vector`."""
    value = np.float32(0)
    for k in range(vector.size):
        value += vector[k] * grid[i, j, m, k]
    return value


@compiled
def between(low: Number, high: Number, share: Number) -> Number:
    """Return the value at `share` of the way from `low` to `high`."""
    return low + share * (high - low)


@compiled
def flat(corner: Array, u: Number, v: Number) -> Number:
    """Return the value at (u, v) of a square with the corners (2, 2)."""
    return between(between(corner[0, 0], corner[0, 1], v), between(corner[1, 0], corner[1, 1], v), u)


@compiled
def slope(low: Number, high: Number, beyond: Number, share: Number) -> Number:
    """Return the slope at `share` of a cell, linear from the middle of the cell to that of the nearer neighbour."""
    other = beyond - high if share > 0.5 else low - beyond
    return between(high - low, other, abs(share - np.float32(0.5)))


@compiled
def advance(
    grid: Array,
    points: Array,
    offsets: Array,
    rows: tuple[int, int],
    line: tuple[Array, ...],
    axis: Array,
    bends: Array,
    step: tuple[float, float, float, float],
) -> float:
    """Move the inner points of lines by mean shift, smooth them, and return the largest move.

    Parameters
    ----------
    grid : (X, Y, Z, K) ndarray of float32
        Smoothed density.
    points, offsets, rows, line
        As for `splat`. Points are moved in place; end points stay.
    axis : (3,) ndarray of float32
        Unit vector along which nothing moves; zero: each line's own direction.
    bends : (E, 2, 3) ndarray of float32
        The bent line that smoothing draws each line to.
    step : (float, float, float, float)
        Variance of the density's kernel times the speed, negative to flee; the longest step; the strength of
        smoothing; the length of the trunk, see `bent`.
    """
    source, target, _, vectors, share, scale = line
    speed, limit, strength, trunk = step
    vector, corner = np.empty(grid.shape[3], np.float32), np.empty((2, 2, 2), np.float32)
    place, gradient = np.empty(3, np.float32), np.empty(3, np.float32)
    longest = 0
    for edge in range(rows[0], rows[1]):
        longest = max(longest, offsets[edge + 1] - offsets[edge])
    before, work = np.empty((longest, 3), np.float32), np.empty(longest, np.float32)
    largest = 0.0
    for edge in range(rows[0], rows[1]):
        start, stop = offsets[edge], offsets[edge + 1]
        before[: stop - start] = points[start:stop]
        ax, ay, az = direction(points, start, stop, axis)
        for at in range(start + 1, stop - 1):
            mix(vector, vectors, source[edge], target[edge], share, (at - start) / (stop - start - 1))
            for q in range(3):
                place[q] = points[at, q] * scale[0]
            density = field(grid, place, vector, axis, corner, gradient)
            if not density > 0:
                continue
            factor = speed * scale[0] / density  # the gradient is per cell
            along = gradient[0] * ax + gradient[1] * ay + gradient[2] * az
            gx, gy, gz = gradient[0] - along * ax, gradient[1] - along * ay, gradient[2] - along * az
            length = abs(factor) * math.sqrt(gx * gx + gy * gy + gz * gz)
            if length > limit:
                factor *= limit / length
            points[at, 0] += factor * gx
            points[at, 1] += factor * gy
            points[at, 2] += factor * gz
        smooth(points, start, stop, bends[edge], trunk, strength, work)
        largest = max(largest, farthest(points[start:stop], before))
    return largest


@compiled
def direction(points: Array, start: int, stop: int, axis: Array) -> tuple[float, float, float]:
    """Return `axis`, or the unit vector from a line's start to its end where `axis` is zero."""
    if axis[0] != 0 or axis[1] != 0 or axis[2] != 0:
        return axis[0], axis[1], axis[2]
    chord = points[stop - 1] - points[start]
    length = max(np.float32(math.sqrt((chord * chord).sum())), np.float32(1e-30))
    return chord[0] / length, chord[1] / length, chord[2] / length


@compiled
def farthest(points: Array, before: Array) -> float:
    """Return the largest distance of points (n, 3) from where they were before."""
    largest = 0.0
    for at in range(len(points)):
        moved = 0.0
        for q in range(3):
            moved += (points[at, q] - before[at, q]) ** 2
        largest = max(largest, moved)
    return math.sqrt(largest)


@compiled
def smooth(points: Array, start: int, stop: int, bend: Array, trunk: float, strength: float, work: Array) -> None:
    """Draw one line towards its bent line (see `bent`), short waves more than long ones.

    Two implicit steps of the heat equation on the distance from the bent line: a wave of m half periods keeps
    1 / (1 + strength m^2 / 2)^2 of its height, whatever the number of points. Thomas' algorithm, O(points).
    """
    last = stop - start - 1
    if strength <= 0 or last < 2:
        return
    inverse = np.float32(1 / last)
    coupling = np.float32(0.5 * strength * (last / math.pi) ** 2)
    diagonal, uncoupled = 1 + 2 * coupling, 1 / coupling
    work[0] = 0
    for i in range(1, last):
        work[i] = coupling / (diagonal - coupling * work[i - 1])
    for q in range(3):
        head, tail = points[start, q], points[stop - 1, q]
        for i in range(1, last):
            points[start + i, q] -= head + (tail - head) * (i * inverse) + bent(i * inverse, q, bend, trunk)
        for _ in range(2):
            previous = np.float32(0)
            for i in range(1, last):
                previous = (points[start + i, q] * uncoupled + previous) * work[i]
                points[start + i, q] = previous
            following = np.float32(0)
            for i in range(last - 1, 0, -1):
                following = points[start + i, q] + work[i] * following
                points[start + i, q] = following
        for i in range(1, last):
            points[start + i, q] += head + (tail - head) * (i * inverse) + bent(i * inverse, q, bend, trunk)


@compiled
def bent(t: Number, q: int, bend: Array, trunk: float) -> Number:
    """Return how far a bent line is from the straight one at `t`, along axis q.

    Straight from the start to bend[0], along the trunk to bend[1], and straight to the end.
    """
    begin, end = (1 - trunk) / 2, (1 + trunk) / 2
    if t <= begin:
        return np.float32(bend[0, q] * t / begin)
    if t >= end:
        return np.float32(bend[1, q] * (1 - t) / (1 - end))
    return np.float32(bend[0, q] + (bend[1, q] - bend[0, q]) * (t - begin) / (end - begin))


@compiled
def gather(points: Array, offsets: Array, rows: tuple[int, int], bends: Array, trunk: float) -> None:
    """Bend straight lines: see `bent`; `bends` is (E, 2, 3)."""
    for edge in range(rows[0], rows[1]):
        start, stop = offsets[edge], offsets[edge + 1]
        for at in range(start + 1, stop - 1):
            for q in range(3):
                points[at, q] += bent((at - start) / (stop - start - 1), q, bends[edge], trunk)


@compiled
def round_off(points: Array, offsets: Array, rows: tuple[int, int], strength: float) -> None:
    """Smooth lines towards the straight ones, so that they have no corners."""
    longest = 0
    for edge in range(rows[0], rows[1]):
        longest = max(longest, offsets[edge + 1] - offsets[edge])
    work = np.empty(longest, np.float32)
    none = np.zeros((2, 3), np.float32)
    for edge in range(rows[0], rows[1]):
        smooth(points, offsets[edge], offsets[edge + 1], none, 0.5, strength, work)
