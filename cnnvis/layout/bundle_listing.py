"""Which lines make up each bundle, and which lines run through a place of the picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from cnnvis.core import PolylineSet
from cnnvis.core.checks import frozen_array, frozen_integers, require_finite, require_shape
from cnnvis.core.errors import InvalidInputError

Places = NDArray[np.float64]

RADIUS = 0.02
"""Of a bundle, in widths of what is drawn across the layers."""

CELLS_PER_RADIUS = 2
"""Lines whose places fall into one cell of a grid are in the same bundle."""

DECIMALS = 9
"""Of densities and distances that are compared, so that the order in which lines are added up does not matter."""

BLOCK = 100_000
"""Lines that are looked at together."""


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """Lines that run together.

    Parameters
    ----------
    layers : (int, int)
        Indices of the layer that the lines leave and of that they lead to.
    centre : (3,) ndarray of float
        Weighted mean of their places where they were compared; scene units.
    lines : (N,) ndarray of int
        Their numbers, growing.
    weight : float
        Their summed weight; 1 is that of the heaviest line.
    n_sources, n_targets : int
        Different units that they leave and lead to.
    class_shares : (K,) ndarray of float or None
        Weighted mean of theirs, summing up to 1.
    """

    layers: tuple[int, int]
    centre: NDArray[np.float64]
    lines: NDArray[np.int64]
    weight: float
    n_sources: int
    n_targets: int
    class_shares: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        centre = frozen_array(self.centre, dtype=np.float64)
        require_shape("centre", centre, (3,))
        object.__setattr__(self, "centre", centre)
        object.__setattr__(self, "lines", frozen_integers("lines", self.lines))
        if self.class_shares is not None:
            object.__setattr__(self, "class_shares", frozen_array(self.class_shares, dtype=np.float64))

    def __len__(self) -> int:
        return int(self.lines.size)


def bundles(lines: PolylineSet, *, at: float = 0.5, radius: float | None = None) -> tuple[Bundle, ...]:
    """Return the bundles of each gap between two layers, the one of the largest summed weight first.

    Lines are compared by their places half-way, or wherever `at` says. A bundle is a hill of their weighted density:
    from each place it goes on to the nearest one within the radius where the density is higher, up to where there is
    none (quick shift: Vedaldi and Soatto, 2008).

    Parameters
    ----------
    lines : PolylineSet
        With the point arrays "t" and "layer", and the line arrays "source", "target" and "weight", as
        `cnnvis.bundle` returns them; "class_shares" if there are any.
    at : float, default: 0.5
        Place on the way from source (0) to target (1).
    radius : float, scene units, optional
        Standard deviation of the density, and how far apart lines of a bundle may be from one to the next. Default: a
        fiftieth of the width of all lines' ends across z.

    Returns
    -------
    tuple of Bundle
        Each line is in exactly one. The order of the lines does not matter, except where weights are equal.

    Raises
    ------
    InvalidInputError
        When an array is missing, a line has no points, or `at` or `radius` is out of range.

    Notes
    -----
    Cost: O(lines log lines), and about a hundred pairs for each cell of half a radius that has lines.
    """
    if not 0 <= at <= 1:
        raise InvalidInputError(f"bundles: at must be from 0 to 1, got {at!r}.")
    if radius is not None and not (radius > 0 and np.isfinite(radius)):
        raise InvalidInputError(f"bundles: radius must be a finite number above 0, got {radius!r}.")
    _require(lines, of_points=("t", "layer"), of_lines=("source", "target", "weight"))
    if not len(lines):
        return ()
    radius = radius or RADIUS * _width(lines) or 1.0
    places = _at(lines, at, lines.points)
    shares = lines.point_arrays.get("class_shares")
    shares = None if shares is None else _at(lines, at, shares)
    weight = _positive(lines.line_arrays["weight"].astype(np.float64))
    layer = np.rint(lines.point_arrays["layer"]).astype(np.int64)
    ends = np.stack([layer[lines.offsets[:-1]], layer[lines.offsets[1:] - 1]], axis=1)
    gaps, gap = np.unique(ends, axis=0, return_inverse=True)
    found: list[Bundle] = []
    for number, (source, target) in enumerate(gaps.tolist()):
        own = np.flatnonzero(gap.ravel() == number)
        members = _by_label(own, _hills(places[own], weight[own], radius))
        found += [_described(lines, numbers, (source, target), places, shares) for numbers in members]
    return tuple(sorted(found, key=lambda bundle: (-bundle.weight, bundle.layers, bundle.lines[0])))


def lines_at(lines: PolylineSet, point: ArrayLike, radius: float) -> tuple[NDArray[np.int64], float]:
    """Return the lines that come as near to a point as `radius`, and their summed weight: what a picked tube is.

    Parameters
    ----------
    lines : PolylineSet
        With the line array "weight".
    point : (3,) array_like, scene units
    radius : float, scene units
        Not negative.

    Returns
    -------
    numbers : (N,) ndarray of int
        Growing.
    weight : float

    Raises
    ------
    InvalidInputError
        When the point or the radius is not finite, or weights are missing.

    Notes
    -----
    Exact: distances are to the segments, not to the points. Cost: about 50 ns per point.
    """
    where = np.asarray(point, dtype=np.float64)
    require_shape("point", where, (3,))
    require_finite("point", where)
    if not (radius >= 0 and np.isfinite(radius)):
        raise InvalidInputError(f"lines_at: radius must be finite and not negative, got {radius!r}.")
    _require(lines, of_lines=("weight",))
    near = [numbers[distance <= radius] for numbers, distance in _segment_distances(lines, where)]
    numbers = np.unique(np.concatenate([np.zeros(0, np.int64), *near]))
    return numbers, float(lines.line_arrays["weight"][numbers].sum(dtype=np.float64))


def _require(lines: PolylineSet, *, of_points: tuple[str, ...] = (), of_lines: tuple[str, ...] = ()) -> None:
    """Raise InvalidInputError unless these arrays are there and every line has points."""
    missing = [name for name in of_points if name not in lines.point_arrays]
    missing += [name for name in of_lines if name not in lines.line_arrays]
    if missing:
        raise InvalidInputError(f"Lines without {', '.join(map(repr, missing))}; bundled lines have these arrays.")
    empty = np.flatnonzero(np.diff(lines.offsets) == 0)
    if empty.size:
        raise InvalidInputError(f"{empty.size} lines have no points, the first of them is line {empty[0]}.")


def _width(lines: PolylineSet) -> float:
    """Return the longest side, x or y, of the box around the ends of all lines."""
    ends = np.concatenate([lines.offsets[:-1], lines.offsets[1:] - 1])
    return float(np.ptp(lines.points[ends, :2], axis=0).max())


def _at(lines: PolylineSet, at: float, values: NDArray[np.generic]) -> Places:
    """Return what a point array (P, C) is on each line at a place of its way, (E, C)."""
    line = np.repeat(np.arange(len(lines)), np.diff(lines.offsets))
    along = 2.0 * line + lines.point_arrays["t"]
    wanted = 2.0 * np.arange(len(lines)) + at
    return np.stack([np.interp(wanted, along, column) for column in values.T], axis=1)


def _positive(weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return weights above zero, so that lines without any are in a bundle, too."""
    positive: NDArray[np.float64] = weight / (weight.max() or 1.0) + 1e-9
    return positive


def _hills(places: Places, weight: NDArray[np.float64], radius: float) -> NDArray[np.int64]:
    """Return the hill of the density that each place (N, 3) belongs to, numbered from 0."""
    size = radius / CELLS_PER_RADIUS
    inside = np.floor((places - places.min(axis=0)) / size + 0.5)
    _, cell = np.unique(inside, axis=0, return_inverse=True)
    cell = cell.ravel()
    mass = np.bincount(cell, weight)
    centres = np.stack([np.bincount(cell, weight * axis) for axis in places.T], axis=1) / mass[:, None]
    pairs = cKDTree(centres).sparse_distance_matrix(cKDTree(centres), 3 * radius, output_type="ndarray")
    one, other, distance = pairs["i"], pairs["j"], pairs["v"]
    density = np.bincount(one, mass[other] * np.exp(-0.5 * (distance / radius) ** 2), mass.size)
    rank = np.empty(mass.size, np.int64)  # of equal densities the later cell counts as denser
    rank[np.argsort(np.round(density / density.max(), DECIMALS), kind="stable")] = np.arange(mass.size)
    uphill = (rank[other] > rank[one]) & (distance <= radius)
    one, other, distance = one[uphill], other[uphill], np.round(distance[uphill] / radius, DECIMALS)
    nearest = np.lexsort((rank[other], distance, one))
    starts, first = np.unique(one[nearest], return_index=True)
    parent = np.arange(mass.size)
    parent[starts] = other[nearest][first]
    while not np.array_equal(parent, parent[parent]):
        parent = parent[parent]
    _, hill = np.unique(parent, return_inverse=True)
    labels: NDArray[np.int64] = hill[cell]
    return labels


def _by_label(numbers: NDArray[np.int64], labels: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the numbers of each label, growing."""
    order = np.argsort(labels, kind="stable")
    return np.split(numbers[order], np.cumsum(np.bincount(labels))[:-1])


def _described(
    lines: PolylineSet, numbers: NDArray[np.int64], layers: tuple[int, int], places: Places, shares: Places | None
) -> Bundle:
    """Return the bundle of these lines; `places` (E, 3) and `shares` (E, K) are those of all lines."""
    own = {name: lines.line_arrays[name][numbers] for name in ("source", "target", "weight")}
    weight = own["weight"].astype(np.float64)
    counted = _positive(weight)
    return Bundle(
        layers=layers,
        centre=np.average(places[numbers], axis=0, weights=counted),
        lines=numbers,
        weight=float(weight.sum()),
        n_sources=np.unique(own["source"]).size,
        n_targets=np.unique(own["target"]).size,
        class_shares=None if shares is None else np.average(shares[numbers], axis=0, weights=counted),
    )


def _segment_distances(
    lines: PolylineSet, where: NDArray[np.float64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Yield, block by block, the line of each segment and its distance from a point; a lone point is a segment."""
    for begin in range(0, len(lines), BLOCK):
        offsets = lines.offsets[begin : begin + BLOCK + 1]
        counts = np.diff(offsets)
        points = lines.points[offsets[0] : offsets[-1]] - where
        steps = np.diff(points, axis=0, append=points[-1:])
        steps[offsets[1:] - offsets[0] - 1] = 0  # behind the last point of a line
        square = (steps**2).sum(axis=1)
        share = np.divide(-(points * steps).sum(axis=1), square, out=np.zeros_like(square), where=square > 0)
        nearest = points + np.clip(share, 0, 1)[:, None] * steps
        yield np.repeat(np.arange(begin, begin + counts.size), counts), np.linalg.norm(nearest, axis=1)
