"""Edge compactness: how much closer together links run when they are bundled, as one number.

The definition was written down before any network was measured by it. nn_vis reads its pictures by the sentence "the
closer together the edges, the greater the generalisation". What this number takes from it is the first half:

    Draw two links of one gap between layers, each by its importance. Take their distance where they cross a
    plane across the gap, in layer widths; its reciprocal is how close they are. The mean closeness over pairs and
    planes for the lines as they are, divided by the same for the lines drawn straight, is the *edge compactness*: how
    many times closer together the links run than straight ones. Of several gaps it is the geometric mean.

Why so:

- *closer together* is a distance between links, not the number of voxels they fill: ink counts a faint link as much as
  a strong one, depends on the size of a voxel, and falls where links are left out.
- *links drawn by importance*: opacity is importance, so that this is what the eye sees. Only the shares of a link in
  the importance of its gap count, not their sum; a network with larger weights or scales gains nothing.
- *a mean over pairs* of different links does not depend on how many there are: twice as many links, drawn alike,
  have the same mean. (Bundling itself does depend on it, so that networks are to be compared at equal numbers.)
- *the reciprocal*, so that the mean distance is the harmonic one: links gather into many narrow bundles, and most
  pairs still are of two bundles; an arithmetic mean hardly notices, a geometric one by a tenth for thirty bundles. A
  still more local mean, of the reciprocal square, has no limit for links spread evenly over a plane: it would be
  decided by the few pairs that happen to touch. The harmonic mean needs neither a number of bundles nor a bandwidth.
  One limit it does need, since links of one bundle may coincide: distances below `RESOLUTION`, about the width of
  a drawn line, count as that.
- *planes in the middle half of the gap*: near the layers the ends decide where a line is, not the bundling.
- *divided by the straight lines' closeness*: which pixels and units matter, and that links of one unit meet in it,
  already puts important links side by side. That is true before any bundling, and stays out of the number. Both
  distances are kept beside it.
- *every gap counts alike*: otherwise the one with the most important links would be the result.

It is scale-free, does not change when lines are moved or listed in another order, is 1 for straight lines, and never
falls when pairs of lines come closer. What it cannot tell: whether lines that share a bundle have anything to do with
each other (see ambiguity in `cnnvis.layout.measure`), and anything about images that the network has not seen.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import Compactness, PolylineSet
from cnnvis.core.errors import InvalidInputError

PLACES = (0.25, 0.375, 0.5, 0.625, 0.75)
"""Where the planes lie between a line's first point (0) and its last (1)."""

RESOLUTION = 0.01
"""In layer widths: a layer drawn 300 pixels wide, with lines of 3 pixels."""

CHUNK_PAIRS = 250_000
"""Pairs looked at in one go: 2 MB per array, which stays in the cache."""


def edge_compactness(lines: PolylineSet, *, width: float, resolution: float = RESOLUTION) -> Compactness:
    """Return how much closer together the lines run than straight ones; the module says what is measured and why.

    Parameters
    ----------
    lines : PolylineSet
        Between layers that follow each other along z, with the point arrays "importance" (non-negative) and "layer"
        (layer index of the source at the first point, of the target at the last).
    width : float, scene units
        Of a layer, `Layout.width`: the same for all networks that are compared.
    resolution : float, in layer widths
        Distances below it count as it.

    Raises
    ------
    InvalidInputError
        When an array is missing, a line does not lead to another z, importance is negative or not finite, or no gap has
        two lines with importance.

    Notes
    -----
    Exact, and quadratic in the lines of a gap: 6,350 lines take about 2 s on one core.
    """
    if not (width > 0 and resolution > 0 and np.isfinite(width) and np.isfinite(resolution)):
        raise InvalidInputError(f"width and resolution must be positive, got {width} and {resolution}.")
    importance, layer = (_point_array(lines, name) for name in ("importance", "layer"))
    if not len(lines):
        return Compactness(gaps=(), bundled=np.zeros(0), straight=np.zeros(0))  # which says what is missing
    points = lines.points.astype(np.float64)
    first, last = lines.offsets[:-1], lines.offsets[1:] - 1
    along = _along(points[:, 2], lines)
    gaps, gap_of_line = np.unique(np.rint(layer[np.stack([first, last], axis=1)]), axis=0, return_inverse=True)
    sums = np.zeros((2, len(gaps)))
    for place in PLACES:
        bundled, shares = _crossings(place, along, points[:, :2] / width, importance)
        straight = ((1 - place) * points[first, :2] + place * points[last, :2]) / width
        for gap in range(len(gaps)):
            inside = (gap_of_line.ravel() == gap) & (shares > 0)
            for number, where in enumerate((bundled, straight)):
                sums[number, gap] += _mean_closeness(where[inside], shares[inside], resolution)
    found = len(PLACES) / sums
    return Compactness(gaps=tuple(map(tuple, gaps.astype(int))), bundled=found[0], straight=found[1])


def _point_array(lines: PolylineSet, name: str) -> NDArray[np.float64]:
    if name not in lines.point_arrays:
        raise InvalidInputError(f"Compactness needs the point array {name!r}; bundled lines have it.")
    array = lines.point_arrays[name].astype(np.float64)
    if array.ndim != 1 or not np.isfinite(array).all() or array.min(initial=0) < 0:
        raise InvalidInputError(f"The point array {name!r} must be one finite, non-negative number per point.")
    return array


def _along(z: NDArray[np.float64], lines: PolylineSet) -> NDArray[np.float64]:
    """Return 2 * line + share of its way along z, (P,), which never falls: a line that turns back waits."""
    counts = np.diff(lines.offsets)
    if counts.min(initial=2) < 2:
        raise InvalidInputError(f"Compactness needs lines of at least two points; line {counts.argmin()} has fewer.")
    start, end = z[lines.offsets[:-1]], z[lines.offsets[1:] - 1]
    if np.any(start == end):
        raise InvalidInputError(
            f"Compactness needs lines from one layer to another along z; line {np.argmax(start == end)} does not leave "
            "its layer."
        )
    number = np.repeat(np.arange(len(lines)), counts)
    share = (z - start[number]) / (end - start)[number]
    return np.maximum.accumulate(2 * number + np.clip(share, 0, 1))


def _crossings(place: float, along: NDArray[Any], *values: NDArray[Any]) -> list[NDArray[np.float64]]:
    """Return the `values` of the points, (P,) or (P, 2), where each line is at `place` of its way."""
    wanted = np.arange(0, along[-1], 2) + place
    return [
        np.stack([np.interp(wanted, along, column) for column in value.T], axis=-1)
        if value.ndim > 1
        else np.interp(wanted, along, value)
        for value in values
    ]


def _mean_closeness(points: NDArray[np.float64], weights: NDArray[np.float64], least: float) -> float:
    """Return the mean of 1 / distance of two different points, drawn by their weights; NaN where there are no two.

    Parameters
    ----------
    points : (N, 2) ndarray
    weights : (N,) ndarray
        Positive.
    least : float
        Distances below it count as it.
    """
    if len(points) < 2:
        return float("nan")
    weights = weights / weights.sum()
    total = 0.0
    rows = max(CHUNK_PAIRS // len(points), 1)
    for begin in range(0, len(points), rows):
        # Each pair once: the rows meet all that come after them; among themselves they meet twice, each also itself.
        block, later = slice(begin, begin + rows), slice(begin, None)
        own = weights[block]
        square = sum(np.subtract.outer(axis[block], axis[later]) ** 2 for axis in points.T)
        near = 1 / np.sqrt(np.maximum(square, least**2))
        twice = own @ near[:, : own.size] @ own + np.sum(own**2) / least
        total += float(own @ near @ weights[later] - twice / 2)
    pairs = (1 - float(np.sum(weights**2))) / 2
    return total / pairs if pairs > 0 else float("nan")
