"""Lines and units of all items of a scene as the buffers that the shaders of networks read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import PointSet, PolylineSet
from cnnvis.core.palette import class_colours
from cnnvis.rendering.depth_order import depths_along
from cnnvis.scene import Stance

Floats = NDArray[np.float32]

MAX_PIECES = 4_000_000
"""Pieces that are drawn at most, of the most important lines: about 0.8 GB with VTK's copies."""

DEPTHS = 32767
"""Steps in which pieces are told apart by depth, twice over; numpy sorts 16 bits in linear time."""

GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, slots=True, eq=False)
class NetworkGeometry:
    """Points with what belongs to them, and the pieces between them, the most important lines first.

    Parameters
    ----------
    bundled, straight : (P, 3) ndarray of float32
        Places of the points.
    tangent : (P, 3) ndarray of float32
        Where a line goes at a point, per step from point to point; 0 for units.
    tone : (P, 4) ndarray of float32
        Importance, the importance by which the line or unit is hidden, share of the shown class, number of the item.
    mixed : (P, 4) ndarray of uint8
        Colours of all classes mixed, as `class_colours` does (RGB), and the stance of the line or unit.
    grain : (P,) ndarray of float32
        A number of each line or unit, evenly spread over [0, 1): which of the faintest ones are drawn, and how grainy
        colours fall that no screen has.
    pairs : (S, 2) ndarray of int32
        Points of each piece; a unit is a piece of one point.
    owners : (S,) ndarray of int32
        The line or unit that each piece is of, by its number in the data of its item.
    sources : tuple of PolylineSet or PointSet
        Data of the items, as they were given.
    items : tuple of PolylineSet
        What is drawn of each item, its points one after another as above.
    numbers : tuple of (E,) ndarray of int
        Which lines of each item's data these are.
    share : float
        Of the lines, those that are drawn.
    """

    bundled: Floats
    straight: Floats
    tangent: Floats
    tone: Floats
    mixed: NDArray[np.uint8]
    grain: Floats
    pairs: NDArray[np.int32]
    owners: NDArray[np.int32]
    sources: tuple[PolylineSet | PointSet, ...]
    items: tuple[PolylineSet, ...]
    numbers: tuple[NDArray[np.int64], ...]
    share: float = 1.0

    def is_of(self, sources: Sequence[PolylineSet | PointSet]) -> bool:
        """Whether it was made of these very data."""
        return [*map(id, self.sources)] == [*map(id, sources)]

    def set_class(self, item: int, number: int | None) -> None:
        """Let `tone` hold the share of a class in the points of an item; 1 for None, and without shares."""
        share = self.items[item].point_arrays.get("class_shares")
        self.tone[self.points_of(item), 2] = 1.0 if number is None or share is None else share[:, number]

    def set_stances(self, item: int, stances: NDArray[np.uint8]) -> None:
        """Let `mixed` hold the stance of each line or unit of an item, given for all of its data."""
        of_lines = stances[self.numbers[item]]
        self.mixed[self.points_of(item), 3] = np.repeat(of_lines, np.diff(self.items[item].offsets))

    def points_of(self, item: int) -> slice:
        """Return where the points of an item are among all."""
        first = sum(len(lines.points) for lines in self.items[:item])
        return slice(first, first + len(self.items[item].points))

    def bounds(self) -> NDArray[np.float64]:
        """Return the lowest and highest corner (2, 3) of all points; two zeros where there are none."""
        places = (self.bundled, self.straight) if len(self.bundled) else (np.zeros((1, 3)),)
        axes = [[each[:, axis] for each in places] for axis in range(3)]  # numpy takes five times as long for all three
        ends = [[min(column.min() for column in axis), max(column.max() for column in axis)] for axis in axes]
        return np.array(ends, dtype=np.float64).T

    def chosen_first(self) -> NDArray[np.int32]:
        """Return all pairs, those of what is chosen before the others, each by importance."""
        chosen = self._chosen(self.pairs)
        return np.concatenate([self.pairs[chosen], self.pairs[~chosen]]) if chosen.any() else self.pairs

    def _chosen(self, pairs: NDArray[np.int32]) -> NDArray[np.bool_]:
        return self.mixed[pairs[:, 0], 3] >= Stance.CHOSEN

    def far_to_near(
        self,
        pairs: NDArray[np.int32],
        forward: NDArray[np.float64],
        blends: NDArray[np.float64],
        sizes: NDArray[np.float64],
    ) -> NDArray[np.int32]:
        """Return pairs sorted so that those farthest along `forward`, the direction of sight, come first.

        What is chosen comes last of all, so that nothing that has faded is drawn over it.

        Parameters
        ----------
        pairs : (N, 2) ndarray of int32
            Some of `pairs`.
        forward : (3,) ndarray of float
        blends, sizes : (items,) ndarray of float
            Of each item. A unit counts as deep as its nearest point, so that the lines that end in it lie behind.

        Notes
        -----
        0.1 s for 800,000 pieces.
        """
        sight = forward.astype(np.float32)
        items = self.tone[pairs[:, 0], 3].astype(np.intp)
        depths = self._depths(self.straight, pairs, sight)
        depths += blends.astype(np.float32)[items] * (self._depths(self.bundled, pairs, sight) - depths)
        units = pairs[:, 0] == pairs[:, 1]
        depths[units] -= 2 * sizes.astype(np.float32)[items[units]] * self.tone[pairs[units, 0], 0]
        low, high = float(depths.min(initial=np.inf)), float(depths.max(initial=-np.inf))
        nearness = ((high - depths) * (DEPTHS / max(high - low, 1e-30))).astype(np.uint16)
        nearness[self._chosen(pairs)] += DEPTHS + 1
        return pairs[np.argsort(nearness, kind="stable")]

    @staticmethod
    def _depths(places: Floats, pairs: NDArray[np.int32], sight: Floats) -> Floats:
        """Return twice the depth of the middle of each pair."""
        if 2 * len(pairs) < len(places):
            return depths_along(places[pairs[:, 0]] + places[pairs[:, 1]], sight)
        depth = depths_along(places, sight)
        return depth[pairs[:, 0]] + depth[pairs[:, 1]]


def network_geometry(items: Sequence[PolylineSet | PointSet]) -> NetworkGeometry:
    """Return the buffers of several sets of lines and of units: of lines as many, the most important, as are drawn."""
    lines = [as_lines(data) for data in items]
    total = sum(len(each.points) for each in lines)
    share = min(1.0, MAX_PIECES / max(total, 1))
    numbers = [_most_important(each, share) for each in lines]
    lines = [each.take(kept) for each, kept in zip(lines, numbers, strict=True)]
    starts = np.cumsum([0, *(len(each.points) for each in lines)])
    # Units come before all lines, and of each bundle the first lines before the others of any.
    ranks = [
        np.arange(len(each)) / max(len(each), 1) - isinstance(data, PointSet)
        for each, data in zip(lines, items, strict=True)
    ]
    found = [_pairs(each) for each in lines]
    pairs = [pair + start for (pair, _), start in zip(found, starts[:-1], strict=True)]
    rank = [each[owner] for each, (_, owner) in zip(ranks, found, strict=True)]
    owners = [kept[owner] for kept, (_, owner) in zip(numbers, found, strict=True)]
    order = np.argsort(np.concatenate([np.zeros(0), *rank]), kind="stable")
    return NetworkGeometry(
        bundled=_joined([each.points for each in lines], 3),
        straight=_joined([each.blended(0).points for each in lines], 3),
        tangent=_joined([_tangents(each) for each in lines], 3),
        tone=_joined([_tones(each, number) for number, each in enumerate(lines)], 4),
        mixed=_joined([_mixed(each) for each in lines], 4, np.uint8),
        grain=np.concatenate([np.zeros(0, np.float32), *(_grain(each) for each in lines)]),
        pairs=_joined(pairs, 2, np.int32)[order],
        owners=np.concatenate([np.zeros(0, np.int32), *owners]).astype(np.int32)[order],
        sources=tuple(items),
        items=tuple(lines),
        numbers=tuple(numbers),
        share=share,
    )


def as_lines(data: PolylineSet | PointSet) -> PolylineSet:
    """Return lines with all that drawing needs, such as an importance of each; a point is a line of one point."""
    if isinstance(data, PointSet):
        data = PolylineSet(data.points, np.arange(len(data) + 1), data.arrays)
    counts = np.diff(data.offsets)
    by_point, by_line = dict(data.point_arrays), dict(data.line_arrays)
    importance = by_point.setdefault("importance", np.ones(len(data.points), np.float32))
    if "t" not in by_point:  # evenly along the line
        step = np.arange(len(data.points)) - np.repeat(data.offsets[:-1], counts)
        by_point["t"] = (step / np.repeat(np.maximum(counts - 1, 1), counts)).astype(np.float32)
    if "importance" not in by_line:
        sums = np.concatenate([[0.0], np.cumsum(importance, dtype=np.float64)])[data.offsets]
        by_line["importance"] = (np.diff(sums) / np.maximum(counts, 1)).astype(np.float32)
    return replace(data, point_arrays=by_point, line_arrays=by_line)


def _most_important(lines: PolylineSet, share: float) -> NDArray[np.int64]:
    """Return the numbers of that share of the lines, the most important first."""
    order = np.argsort(-lines.line_arrays["importance"], kind="stable")
    return order[: int(np.ceil(share * len(lines)))]


def _pairs(lines: PolylineSet) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the points of each piece of the lines, (S, 2), and the line that it belongs to; one point is a piece."""
    counts = np.diff(lines.offsets)
    owner = np.repeat(np.arange(len(lines)), counts)
    first = np.arange(len(lines.points))
    last = lines.offsets[1:][owner] - 1
    starts = (first < last) | (counts[owner] == 1)
    return np.stack([first, np.minimum(first + 1, last)], axis=1)[starts], owner[starts]


def _tangents(lines: PolylineSet) -> Floats:
    """Return the mean of the pieces before and behind each point, (P, 3); of an end, its one piece."""
    counts = np.diff(lines.offsets)
    here = np.arange(len(lines.points))
    behind = np.minimum(here + 1, np.repeat(lines.offsets[1:] - 1, counts))
    before = np.maximum(here - 1, np.repeat(lines.offsets[:-1], counts))
    steps = np.maximum(behind - before, 1).astype(np.float32)
    return (lines.points[behind] - lines.points[before]) / steps[:, None]


def _tones(lines: PolylineSet, number: int) -> Floats:
    tone = np.ones((len(lines.points), 4), np.float32)
    tone[:, 0] = np.minimum(lines.point_arrays["importance"], 1)
    tone[:, 1] = np.repeat(lines.line_arrays["importance"], np.diff(lines.offsets))
    tone[:, 3] = number
    return tone


def _mixed(lines: PolylineSet) -> NDArray[np.uint8]:
    mixed = np.zeros((len(lines.points), 4), np.uint8)
    mixed[:, 3] = Stance.PLAIN
    shares = lines.point_arrays.get("class_shares")
    if shares is not None:
        mixed[:, :3] = np.clip(np.round(255 * class_colours(shares)), 0, 255)
    return mixed


def _grain(lines: PolylineSet) -> Floats:
    """Return the fractional parts of multiples of the golden ratio: of lines of about one importance, all are apart."""
    grain = (np.arange(len(lines)) * GOLDEN % 1.0).astype(np.float32)
    return np.repeat(grain, np.diff(lines.offsets))


def _joined(arrays: Sequence[NDArray], width: int, dtype: type = np.float32) -> NDArray:
    return np.concatenate([np.zeros((0, width), dtype), *arrays]).astype(dtype, copy=False)
