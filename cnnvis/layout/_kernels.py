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
Shape = tuple[int, int, int, int]
Cell = tuple[int, tuple[int, int, int], tuple[Any, Any, Any]]
Number = Any
"""float32 inside compiled code, a float outside."""

ONE = np.float32(1)
"""A whole number and a float32 would make a float64."""

OPTIONS = {"error_model": "numpy", "fastmath": {"nsz", "arcp", "contract", "reassoc"}}
"""No "nnan" and no "ninf": what is not finite must stay so, or the checks of it would be compiled away."""

compiled = compiled_loop(**OPTIONS)

inlined = compiled_loop(forceinline=True, **OPTIONS)
"""For what is done point by point: calls, and counting references to arrays for each, would double the time."""


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
    depth = grid.shape[2] * grid.shape[3]
    values, pair = grid.reshape(-1), np.empty(2 * grid.shape[3], np.float32)
    for edge in range(rows[0], rows[1]):
        start, stop = offsets[edge], offsets[edge + 1]
        step = ONE / np.float32(max(stop - start - 1, 1))
        for at in range(start, stop):
            node, _, (fx, fy, fz) = cell_of(points, at, scale[0], grid.shape)
            mix(pair, vectors, (source[edge], target[edge]), share, np.float32(at - start) * step, fz)
            here, beside = weight[edge] * (ONE - fx), weight[edge] * fx
            add(values, node, here * (ONE - fy), pair)
            add(values, node + depth, here * fy, pair)
            node += grid.shape[1] * depth
            add(values, node, beside * (ONE - fy), pair)
            add(values, node + depth, beside * fy, pair)


@inlined
def cell_of(points: Array, at: int, scale: Number, shape: Shape) -> Cell:
    """Return where the first node of a point's cell begins in the flat grid, its numbers, and the place in the cell."""
    x, y, z = points[at, 0] * scale, points[at, 1] * scale, points[at, 2] * scale
    i, j, m = int(x), int(y), int(z)
    node = ((i * shape[1] + j) * shape[2] + m) * shape[3]
    return node, (i, j, m), (x - np.float32(i), y - np.float32(j), z - np.float32(m))


@inlined
def mix(pair: Array, vectors: Array, ends: tuple[int, int], share: Array, t: Number, fz: Number) -> None:
    """Write the vector of a line at `t` into `pair` (2 K,), shared out to two nodes along z: 1 - fz and fz.

    The values of these nodes lie side by side in the grid: one loop over both is long enough to vectorise.
    """
    at_source, at_target = share[0, 0] + share[0, 1] * t, share[1, 0] + share[1, 1] * t
    n_classes = vectors.shape[1]
    for k in range(n_classes):
        value = at_source * vectors[ends[0], k] + at_target * vectors[ends[1], k]
        above = fz * value
        pair[k], pair[n_classes + k] = value - above, above


@inlined
def add(values: Array, at: int, weight: Number, vector: Array) -> None:
    """Add a weighted vector to the flat grid."""
    for k in range(vector.size):
        values[np.uint64(at + k)] += weight * vector[k]  # unsigned: no test whether it counts from the end


@inlined
def field(values: Array, shape: Shape, at: Cell, pair: Array) -> tuple[Number, Number, Number]:
    """Return the dot product of a vector with the grid at a place, trilinear, and its gradient along x and y.

    The gradient is per cell: the differences over the cells, linear between the middles of the cells.

    Parameters
    ----------
    values : (X * Y * Z * K,) ndarray of float32
    shape : (int, int, int, int)
        X, Y, Z and K.
    at : tuple
        What `cell_of` returns.
    pair : (2 K,) ndarray of float32
        The vector, see `mix`.
    """
    node, (i, j, _), (fx, fy, _) = at
    along_y = shape[2] * shape[3]
    along_x = shape[1] * along_y
    step_x, step_y = to_neighbour(i, fx, shape[0]), to_neighbour(j, fy, shape[1])
    beyond = node + step_x * along_x, node + step_y * along_y
    one, two, three, four, beyond_x, beyond_y = columns(values, node, beyond, (along_x, along_y), (fx, fy), pair)
    low, high = between(one, two, fy), between(three, four, fy)
    left, right = between(one, three, fx), between(two, four, fx)
    return between(low, high, fx), slope(low, high, beyond_x, fx, step_x), slope(left, right, beyond_y, fy, step_y)


@inlined
def columns(
    values: Array,
    node: int,
    beyond: tuple[int, int],
    strides: tuple[int, int],
    shares: tuple[Number, Number],
    pair: Array,
) -> tuple[Number, Number, Number, Number, Number, Number]:
    """Return the dot products at the four edges of a cell that are upright, and between two beyond it in x and in y.

    One loop: several would each count the references to the arrays.
    """
    along_x, along_y = strides
    fx, fy = shares
    one = two = three = four = beyond_x = beyond_y = np.float32(0)
    for k in range(pair.size):
        # Unsigned: no test whether an index counts from the end.
        one += pair[k] * values[np.uint64(node + k)]
        two += pair[k] * values[np.uint64(node + along_y + k)]
        three += pair[k] * values[np.uint64(node + along_x + k)]
        four += pair[k] * values[np.uint64(node + along_x + along_y + k)]
        at_x, at_y = beyond[0] + k, beyond[1] + k
        beyond_x += pair[k] * between(values[np.uint64(at_x)], values[np.uint64(at_x + along_y)], fy)
        beyond_y += pair[k] * between(values[np.uint64(at_y)], values[np.uint64(at_y + along_x)], fx)
    return one, two, three, four, beyond_x, beyond_y


@compiled
def rise(values: Array, shape: Shape, at: Cell, pair: Array) -> Number:
    """Return the gradient along z, otherwise as `field`."""
    node, (_, _, m), (fx, fy, fz) = at
    strides, shares = (shape[1] * shape[2] * shape[3], shape[2] * shape[3]), (fx, fy)
    step = to_neighbour(m, fz, shape[2])
    low, high = level(values, node, strides, shares, pair), level(values, node + shape[3], strides, shares, pair)
    return slope(low, high, level(values, node + step * shape[3], strides, shares, pair), fz, step)


@compiled
def level(values: Array, node: int, strides: tuple[int, int], shares: tuple[Number, Number], pair: Array) -> Number:
    """Return the dot product of a vector, see `mix`, with the grid at the height of a node, bilinear."""
    total, half = np.float32(0), pair.size // 2
    (along_x, along_y), (fx, fy) = strides, shares
    for k in range(half):
        at = node + k
        low = between(values[at], values[at + along_y], fy)
        high = between(values[at + along_x], values[at + along_x + along_y], fy)
        total += (pair[k] + pair[half + k]) * between(low, high, fx)
    return total


@inlined
def between(low: Number, high: Number, share: Number) -> Number:
    """Return the value at `share` of the way from `low` to `high`."""
    return low + share * (high - low)


@inlined
def to_neighbour(cell: int, share: Number, n_nodes: int) -> int:
    """Return how many nodes on the far side of the nearer neighbour cell is; 0 where the grid has none."""
    step = 2 if share > np.float32(0.5) else -1
    return step if 0 <= cell + step < n_nodes else 0


@inlined
def slope(low: Number, high: Number, beyond: Number, share: Number, step: int) -> Number:
    """Return the slope at `share` of a cell, linear from its middle to that of the nearer neighbour, if any."""
    if step == 0:
        return high - low
    other = beyond - high if step > 0 else low - beyond
    return between(high - low, other, abs(share - np.float32(0.5)))


@compiled
def advance(
    grid: Array,
    points: Array,
    offsets: Array,
    rows: tuple[int, int],
    line: tuple[Array, ...],
    box: tuple[Array, Array],
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
    box : tuple of (3,) ndarrays of float32
        The size of the box, which no point leaves; and a unit vector along which nothing moves, zero: each line's own
        direction.
    bends : (E, 2, 3) ndarray of float32
        The bent line that smoothing draws each line to.
    step : (float, float, float, float)
        Variance of the density's kernel times the speed, negative to flee; the longest step; the strength of
        smoothing; the length of the trunk, see `plans`.
    """
    first, plan = plans(offsets, rows, step[2], step[3])
    pair, moved = np.empty(2 * grid.shape[3], np.float32), np.empty((first.size, 3), np.float32)
    flat, felt = (grid.reshape(-1), grid.shape), (*line[3:], box[1])
    largest = np.float32(0)
    for edge in range(rows[0], rows[1]):
        start, n = offsets[edge], offsets[edge + 1] - offsets[edge]
        shift(flat, points, (start, n), moved, (line[0][edge], line[1][edge]), felt, step, pair)
        smooth(moved, (0, n), bends, edge, plan, first[n])
        largest = max(largest, settle(points, (start, n), moved, box[0]))
    return math.sqrt(largest)


@inlined
def shift(
    flat: tuple[Array, Shape],
    points: Array,
    path: tuple[int, int],
    moved: Array,
    ends: tuple[int, int],
    felt: tuple[Array, ...],
    step: tuple[float, float, float, float],
    pair: Array,
) -> None:
    """Write the points of a path into `moved` (n, 3), its inner ones moved by mean shift.

    `flat` are the values of the grid and its shape, `path` the first point and how many there are, `felt` vectors,
    share, scale and axis; `pair` is work space. The rest as for `advance`.
    """
    (values, shape), (vectors, share, scale, axis), (start, n) = flat, felt, path
    ax, ay, az = direction(points, start, start + n - 1, axis)
    for i in range(n):
        x, y, z = points[start + i, 0], points[start + i, 1], points[start + i, 2]
        if 0 < i < n - 1:
            at = cell_of(points, start + i, scale[0], shape)
            mix(pair, vectors, ends, share, np.float32(i) / np.float32(n - 1), at[2][2])
            density, gx, gy = field(values, shape, at, pair)
            gz = np.float32(0) if az == 1 else rise(values, shape, at, pair)
            if density > 0:
                along = gx * ax + gy * ay + gz * az
                gx, gy, gz = gx - along * ax, gy - along * ay, gz - along * az
                factor = step[0] * scale[0] / density  # the gradient is per cell; float64: densities may be tiny
                length = abs(factor) * math.sqrt(gx * gx + gy * gy + gz * gz)
                if length > step[1]:
                    factor *= step[1] / length
                x, y, z = x + factor * gx, y + factor * gy, z + factor * gz
        moved[i, 0], moved[i, 1], moved[i, 2] = x, y, z


@inlined
def direction(points: Array, first: int, last: int, axis: Array) -> tuple[Number, Number, Number]:
    """Return `axis`, or the unit vector from point to point where `axis` is zero."""
    if axis[0] != 0 or axis[1] != 0 or axis[2] != 0:
        return axis[0], axis[1], axis[2]
    x, y, z = points[last, 0] - points[first, 0], points[last, 1] - points[first, 1], points[last, 2] - points[first, 2]
    length = max(np.float32(math.sqrt(x * x + y * y + z * z)), np.float32(1e-30))
    return x / length, y / length, z / length


@inlined
def settle(points: Array, path: tuple[int, int], moved: Array, extent: Array) -> Number:
    """Move the inner points of a path to where they are to be, within the box; return the largest square of a move."""
    start, n = path
    largest = np.float32(0)
    for i in range(1, n - 1):
        square = np.float32(0)
        for q in range(3):
            place = min(max(moved[i, q], np.float32(0)), extent[q])
            square += (place - points[start + i, q]) ** 2
            points[start + i, q] = place
        largest = max(largest, square)
    return largest


@compiled
def plans(offsets: Array, rows: tuple[int, int], strength: float, trunk: float) -> tuple[Array, Array]:
    """Return what `smooth` and `gather` do at each point, which depends only on how many points a line has.

    Returns
    -------
    first : (longest line + 1,) ndarray of int64
        Where the plan for lines of so many points begins.
    plan : (R, 4) ndarray of float32
        What the solution of a heat equation takes of the point before, and of the point itself (Thomas' algorithm);
        how much of bends[0] and of bends[1] there is in a bent line, which is straight from the start to bends[0], goes
        on along the trunk, a share of the whole, to bends[1], and straight to the end.
    """
    counts = np.diff(offsets[rows[0] : rows[1] + 1])
    longest, size = 0, 0
    for n in counts:
        longest = max(longest, n)
    first = np.full(longest + 1, -1, np.int64)
    for n in counts:
        if first[n] < 0:
            first[n] = size
            size += n
    plan = np.zeros((size, 4), np.float32)
    begin = (1 - trunk) / 2
    for n in range(3, longest + 1):
        if first[n] >= 0:
            coupling = 0.5 * strength * ((n - 1) / math.pi) ** 2
            for i in range(1, n - 1):
                row = first[n] + i
                plan[row, 1] = 1 / (1 + 2 * coupling - coupling * plan[row - 1, 0])
                plan[row, 0] = coupling * plan[row, 1]
                t = i / (n - 1)
                plan[row, 2] = max(min(t / begin, (1 - begin - t) / trunk), 0)
                plan[row, 3] = max(min((1 - t) / begin, (t - begin) / trunk), 0)
    return first, plan


@inlined
def smooth(points: Array, path: tuple[int, int], bends: Array, edge: int, plan: Array, row: int) -> None:
    """Draw a path (n, 3) towards its bent line, short waves more than long ones.

    Two implicit steps of the heat equation on the distance from the bent line: a wave of m half periods keeps
    1 / (1 + strength m^2 / 2)^2 of its height, whatever the number of points. O(points).
    """
    start, n = path
    if n < 3 or plan[row + 1, 0] == 0:  # without strength a path stays as it is, to the last bit
        return
    add_bent(points, path, bends, edge, plan, row, np.float32(-1))
    for _ in range(2):
        x = y = z = np.float32(0)
        for i in range(1, n - 1):
            before, own, at = plan[row + i, 0], plan[row + i, 1], start + i
            x = own * points[at, 0] + before * x
            y = own * points[at, 1] + before * y
            z = own * points[at, 2] + before * z
            points[at, 0], points[at, 1], points[at, 2] = x, y, z
        x = y = z = np.float32(0)
        for i in range(n - 2, 0, -1):
            after, at = plan[row + i, 0], start + i
            x, y, z = points[at, 0] + after * x, points[at, 1] + after * y, points[at, 2] + after * z
            points[at, 0], points[at, 1], points[at, 2] = x, y, z
    add_bent(points, path, bends, edge, plan, row, np.float32(1))


@inlined
def add_bent(
    points: Array, path: tuple[int, int], bends: Array, edge: int, plan: Array, row: int, sign: Number
) -> None:
    """Add the bent line between the ends of a path to its inner points, or take it away."""
    start, n = path
    step = ONE / np.float32(n - 1)
    for i in range(1, n - 1):
        t = np.float32(i) * step
        for q in range(3):
            straight = between(points[start, q], points[start + n - 1, q], t)
            bent = plan[row + i, 2] * bends[edge, 0, q] + plan[row + i, 3] * bends[edge, 1, q]
            points[start + i, q] += sign * (straight + bent)


@compiled
def gather(points: Array, offsets: Array, rows: tuple[int, int], bends: Array, trunk: float) -> None:
    """Bend straight lines: see `plans`; `bends` is (E, 2, 3)."""
    first, plan = plans(offsets, rows, 0.0, trunk)
    for edge in range(rows[0], rows[1]):
        start, n = offsets[edge], offsets[edge + 1] - offsets[edge]
        for i in range(1, n - 1):
            for q in range(3):
                row = first[n] + i
                points[start + i, q] += plan[row, 2] * bends[edge, 0, q] + plan[row, 3] * bends[edge, 1, q]


@compiled
def round_off(points: Array, offsets: Array, rows: tuple[int, int], strength: float) -> None:
    """Smooth lines towards the straight ones, so that they have no corners."""
    first, plan = plans(offsets, rows, strength, 0.5)
    none = np.zeros((1, 2, 3), np.float32)
    for edge in range(rows[0], rows[1]):
        n = offsets[edge + 1] - offsets[edge]
        smooth(points, (offsets[edge], n), none, 0, plan, first[n])
