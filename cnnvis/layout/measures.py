"""What bundling saved and what it cost: ink, displacement, length, turning back, ambiguity, separation by class.

Ambiguity. Where lines run together, which of them leads where can no longer be seen. This does no harm while the lines
have something in common: a bundle of one unit's links, or of links that serve one class, can be read as a whole. It
misleads where they have nothing in common: the *independent edges* of Wallinger et al. (Edge-Path Bundling, 2022),
whose ends seem linked though they are not (Luo et al., Ambiguity-free edge bundling, 2012; Nguyen, Eades and Hong, On
the faithfulness of graph visualizations, 2013). Here two lines are independent when they share neither source nor
target, nor the class they serve most, where lines know classes. The ambiguity is the share of independent lines among
the others in a voxel, averaged over the lines and the voxels that they pass through in the middle half of their way;
in a voxel of its own a line has none. So 0 says that lines only ever run together with lines they have to do with,
1 that each line shares all its voxels, and with independent lines only. Straight lines have some too, where they cross
or lie close: `measure(lines.blended(0))` tells how much.

Separation. How far the lines that run together serve the same classes, weighted with their importance, as it is the
important ones that are seen. Two lines are as unlike as the squared distance of their class shares half-way; separation
is 1 less the mean of that over the pairs of lines in a voxel, in the middle half of their way, divided by the mean over
all pairs of lines in their gap between two layers (an intraclass correlation). So 0 says that lines run together
whatever their classes, 1 that they only do so with lines of the same class shares, and below 0 that the unlike meet.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import BundleQuality, PolylineSet
from cnnvis.core.errors import InvalidInputError, MemoryBudgetError
from cnnvis.core.memory import available_memory, show_bytes
from cnnvis.layout import _voxel_kernels

MIDDLE = (0.25, 0.75)
"""Part of the way in which ambiguity is measured: near the ends, the units decide where a line is."""

MAX_VOXELS = 8192
"""Voxels that are looked into for ambiguity, evenly spread over those with lines."""

MAX_LISTED = 500_000
"""Lines listed in those voxels, together; where there would be more, fewer voxels are looked into. On random networks
of 5,000 and 68,000 links the result is within 0.002 of that from all voxels."""

BYTES_PER_VOXEL = 8

ROUNDING = 1e-6
"""A step back shorter than this part of a line's length is none: points are float32."""

BLOCK = 100_000
"""Lines whose points are looked at together."""


@dataclass(frozen=True, slots=True, eq=False)
class _Voxels:
    """A grid of cubes whose first centre is the lowest corner of the lines' box."""

    origin: NDArray[np.float64]
    scale: NDArray[np.float64]
    shape: NDArray[np.int64]

    @property
    def size(self) -> int:
        return math.prod(self.shape.tolist())

    def counts(self, lines: tuple[NDArray[np.generic], ...], part: tuple[float, float]) -> NDArray[np.int32]:
        """Return how many lines pass through each voxel between two places, (X * Y * Z,)."""
        found = np.zeros(self.size, np.int32)
        _voxel_kernels.count_lines(lines, (self.origin, self.scale, self.shape), part, found)
        return found


def measure(lines: PolylineSet, *, voxels_per_side: int = 128) -> BundleQuality:
    """Return what bundling saved and what it cost; the module says what ambiguity is.

    Parameters
    ----------
    lines : PolylineSet
        With the point array "t"; for ambiguity with the line arrays "source" and "target", and the point array
        "class_shares" if there is one; for separation with that, and if there are any, the line array "importance" and
        the point array "layer". Lines come along z; one whose ends have the same z, along its own chord.
    voxels_per_side : int, default: 128
        Voxels along the longest side of the box around the straight lines, 2 to 512.

    Returns
    -------
    BundleQuality
        Without lines: nothing saved, nothing cost.

    Raises
    ------
    InvalidInputError
        When an array is missing, a line has fewer than two points, or `voxels_per_side` is out of range.
    MemoryBudgetError
        When the lines leave the box so far that the voxels would not fit into the memory.

    Notes
    -----
    Voxels are found exactly, segment by segment (Amanatides and Woo, 1987). The order of the lines does not matter.
    Cost: about 1 microsecond per point, and twice as many voxels as the box has, 8 bytes each.
    """
    if not 2 <= voxels_per_side <= 512:
        raise InvalidInputError(f"measure: voxels_per_side must be from 2 to 512, got {voxels_per_side}.")
    if "t" not in lines.point_arrays:
        raise InvalidInputError("measure needs the point array 't'; bundled lines have it.")
    if not len(lines):
        return BundleQuality(0, 0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, voxels_per_side)
    counts = np.diff(lines.offsets)
    if counts.min() < 2:
        raise InvalidInputError(f"measure needs lines of at least two points; line {counts.argmin()} has fewer.")
    t = lines.point_arrays["t"].astype(np.float32, copy=False)
    bundled = (lines.points, t, lines.offsets)
    straight = _straight(lines)
    voxels = _voxels(straight[0], lines.points, voxels_per_side)
    displacement, length_ratio, is_monotone = _shapes(lines, t)
    together = _together(bundled, voxels)
    return BundleQuality(
        ink_before=int(np.count_nonzero(voxels.counts(straight, (0.0, 1.0)))),
        ink_after=int(np.count_nonzero(voxels.counts(bundled, (0.0, 1.0)))),
        displacement_mean=float(displacement[0]),
        displacement_max=float(displacement[1]),
        length_ratio_mean=float(length_ratio.mean()) if length_ratio.size else 1.0,
        length_ratio_95=float(np.quantile(length_ratio, 0.95)) if length_ratio.size else 1.0,
        monotone_share=float(is_monotone.mean()),
        ambiguity=_ambiguity(lines, *together),
        voxels_per_side=voxels_per_side,
        separation=_separation(lines, *together),
    )


def _straight(lines: PolylineSet) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Return points, places and offsets of the straight lines between the same ends."""
    first, last = lines.offsets[:-1], lines.offsets[1:] - 1
    points = np.stack([lines.points[first], lines.points[last]], axis=1).reshape(-1, 3)
    t = np.tile(np.array([0, 1], np.float32), len(lines))
    return points, t, 2 * np.arange(len(lines) + 1)


def _voxels(straight: NDArray[np.float32], points: NDArray[np.float32], per_side: int) -> _Voxels:
    """Return the voxels that straight and bundled lines lie in; the straight ones say how large a voxel is."""
    side = float(np.ptp(straight, axis=0).max())
    scale = (per_side - 1) / side if side > 0 else 1.0
    low = np.minimum(straight.min(axis=0), points.min(axis=0)).astype(np.float64)
    high = np.maximum(straight.max(axis=0), points.max(axis=0)).astype(np.float64)
    origin = low - 0.5 / scale  # the lowest corner is the centre of a voxel: rounding leads into no other
    shape = np.floor((high - origin) * scale).astype(np.int64) + 1
    needed = int(np.prod(shape.astype(float))) * BYTES_PER_VOXEL
    if needed > available_memory():
        raise MemoryBudgetError(
            f"measure: the lines leave the box of the straight ones so far that {' x '.join(map(str, shape))} voxels "
            f"take {show_bytes(needed)}; choose fewer with voxels_per_side, now {per_side}."
        )
    return _Voxels(origin, np.array([scale]), shape)


def _shapes(
    lines: PolylineSet, t: NDArray[np.float32]
) -> tuple[tuple[float, float], NDArray[np.float64], NDArray[np.bool_]]:
    """Return mean and largest displacement, length / straight length of lines that have one, and who never turns."""
    total, largest = 0.0, 0.0
    ratios, monotone = [], []
    for begin in range(0, len(lines), BLOCK):
        offsets = lines.offsets[begin : begin + BLOCK + 1]
        points = lines.points[offsets[0] : offsets[-1]].astype(np.float64)
        offsets, counts = offsets - offsets[0], np.diff(offsets)
        first, last = points[offsets[:-1]], points[offsets[1:] - 1]
        place = t[lines.offsets[begin] : lines.offsets[begin] + len(points), None]
        away = points - ((1 - place) * np.repeat(first, counts, axis=0) + place * np.repeat(last, counts, axis=0))
        distance = np.linalg.norm(away, axis=1)
        total, largest = total + distance.sum(), max(largest, distance.max())
        chord = last - first
        straight = np.linalg.norm(chord, axis=1)
        steps = np.delete(np.diff(points, axis=0), offsets[1:-1] - 1, axis=0)
        starts = offsets[:-1] - np.arange(len(counts))
        length = np.add.reduceat(np.linalg.norm(steps, axis=1), starts)
        ratios.append(length[straight > 0] / straight[straight > 0])
        along = chord[:, 2:] != 0
        axis = np.where(along, np.sign(chord[:, 2:]) * [0, 0, 1], chord / np.maximum(straight, 1e-30)[:, None])
        forward = (steps * np.repeat(axis, counts - 1, axis=0)).sum(axis=1)
        monotone.append(np.minimum.reduceat(forward, starts) >= -ROUNDING * length)
    return (total / len(lines.points), largest), np.concatenate(ratios), np.concatenate(monotone)


def _together(drawn: tuple[NDArray[np.generic], ...], voxels: _Voxels) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which lines run together: for each line in each voxel looked into, number of the voxel and of the line."""
    counts = voxels.counts(drawn, MIDDLE)
    chosen = _chosen(counts)
    slot = np.full(voxels.size, -1, np.int32)
    slot[chosen] = np.arange(chosen.size)
    starts = np.concatenate([[0], np.cumsum(counts[chosen], dtype=np.int64)])
    grid = (voxels.origin, voxels.scale, voxels.shape)
    found = _voxel_kernels.list_lines(drawn, grid, MIDDLE, slot, starts)
    return np.repeat(np.arange(chosen.size), counts[chosen]), found


def _ambiguity(lines: PolylineSet, voxel: NDArray[np.int64], line: NDArray[np.int64]) -> float:
    """Return the share of independent lines among the others in a voxel; see the module."""
    if not line.size or not {"source", "target"} <= lines.line_arrays.keys():
        return 0.0
    n_lines = np.bincount(voxel)
    independent = n_lines**2 - _related(voxel, [key[line] for key in _keys(lines)])
    return float((independent / np.maximum(n_lines - 1, 1)).sum() / line.size)


def _separation(lines: PolylineSet, voxel: NDArray[np.int64], line: NDArray[np.int64]) -> float | None:
    """Return how much more alike in class lines of a voxel are than lines of a gap; see the module."""
    shares = _middle_shares(lines)
    if shares is None or not line.size:
        return None
    mass = lines.line_arrays.get("importance", np.ones(len(lines))).astype(np.float64)
    gap = _gaps(lines)
    squares, pairs = _unlikeness(voxel, line, shares, mass)
    all_squares, all_pairs = _unlikeness(gap, np.arange(len(lines)), shares, mass)
    mean = np.divide(all_squares, all_pairs, out=np.zeros_like(all_pairs), where=all_pairs > 0)
    first = np.flatnonzero(np.diff(voxel, prepend=-1))
    expected = float((pairs * mean[gap[line[first]]]).sum())
    return 1 - float(squares.sum()) / expected if expected > ROUNDING * mass.sum() else None


def _unlikeness(
    group: NDArray[np.int64], line: NDArray[np.int64], shares: NDArray[np.float64], mass: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return by group of lines the sum over pairs of squared distance times weight, and of weight.

    The weight of a pair is the product of both masses, divided by the mass of the group. So the first is the sum of
    squares around the mean.
    """
    mass = mass[line]
    total = np.maximum(np.bincount(group, mass), 1e-30)
    squares = np.zeros(len(total))
    for column in shares.T:
        share = column[line]
        mean = np.bincount(group, mass * share) / total
        squares += np.bincount(group, mass * (share - mean[group]) ** 2)
    return squares, np.maximum(total - np.bincount(group, mass**2) / total, 0)


def _gaps(lines: PolylineSet) -> NDArray[np.int64]:
    """Return between which two layers each line runs, numbered from 0; where layers are unknown there is one gap."""
    layer = lines.point_arrays.get("layer")
    if layer is None:
        return np.zeros(len(lines), np.int64)
    ends = np.stack([layer[lines.offsets[:-1]], layer[lines.offsets[1:] - 1]], axis=1)
    return np.unique(np.rint(ends), axis=0, return_inverse=True)[1].ravel()


def _chosen(counts: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the voxels to look into: evenly spread over those with lines, with at most MAX_LISTED lines."""
    occupied = np.flatnonzero(counts)
    listed = int(counts.sum(dtype=np.int64))
    wanted = min(MAX_VOXELS, math.floor(occupied.size * min(1.0, MAX_LISTED / max(listed, 1))))
    step = occupied.size / max(wanted, 1)
    found: NDArray[np.int64] = occupied[np.floor(np.arange(min(wanted, occupied.size)) * step).astype(np.int64)]
    return found


def _keys(lines: PolylineSet) -> list[NDArray[np.int64]]:
    """Return source, target and, where lines know classes, the class that each serves most half-way; from 0 on."""
    keys = [lines.line_arrays[name] for name in ("source", "target")]
    shares = _middle_shares(lines)
    if shares is not None:
        keys.append(_served(shares))
    return [np.unique(key, return_inverse=True)[1] for key in keys]


def _middle_shares(lines: PolylineSet) -> NDArray[np.float64] | None:
    """Return the class shares of each line half-way, (E, K); None without classes."""
    shares = lines.point_arrays.get("class_shares")
    if shares is None or shares.ndim != 2 or shares.shape[1] < 2:
        return None
    middles: NDArray[np.float64] = shares[(lines.offsets[:-1] + lines.offsets[1:]) // 2].astype(np.float64)
    return middles


def _served(shares: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the class that each line (E, K) serves most; one that serves all alike gets a number of its own."""
    serves_one = np.ptp(shares, axis=1) > ROUNDING
    served: NDArray[np.int64] = np.where(serves_one, shares.argmax(axis=1), shares.shape[1] + np.arange(len(shares)))
    return served


def _related(voxel: NDArray[np.int64], keys: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return how many pairs of lines of each voxel have a key in common, (V,); (a, b), (b, a) and (a, a) count each."""
    related = np.zeros(int(voxel[-1]) + 1, np.int64)
    for size in range(1, len(keys) + 1):
        for some in itertools.combinations(keys, size):  # inclusion and exclusion
            same, n_values = voxel, 1
            for key in some:
                n_key = int(key.max()) + 1
                same, n_values = same * n_key + key, n_values * n_key
            same = np.sort(same)
            starts = np.flatnonzero(np.diff(same, prepend=-1))
            counts = np.diff(starts, append=same.size)
            sign = 1 if size % 2 else -1
            np.add.at(related, same[starts] // n_values, sign * counts**2)
    return related
