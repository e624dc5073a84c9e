"""Which lines are bundled together: those of one gap between two layers, skip links as groups of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import EdgeSet, Layout
from cnnvis.layout._hubs import choose_hubs, trunk_bends
from cnnvis.layout._profiles import UnitLook
from cnnvis.layout.options import BundleMode, BundleOptions

DECIMALS = 6
"""Of places in layer widths when hubs are chosen, so that a layout moved or scaled gives the same hubs."""

MARGIN = 0.1
"""Room around the straight lines of a group, in layer widths; lines that flee from each other stay within it."""


ONE_WAY = 0.9
"""Share of all ways between layers that overlap that leads one way, at least, along their axis."""


@dataclass(slots=True, eq=False)
class LineGroup:
    """Lines that bundle with each other, in coordinates of their own: origin at a corner, a layer width is 1.

    Lines are sorted by their units, so that the order in which edges are given does not matter.

    Parameters
    ----------
    edges : (E,) ndarray of int64
        Their numbers among all edges.
    source, target : (E,) ndarray of int64
    weight : (E,) ndarray of float32
    points : (P, 3) ndarray of float32
        Changed while they are bundled; the first and the last of a line stay.
    offsets : (E + 1,) ndarray of int64
    extent : (3,) ndarray of float32
        Size of the box that the points stay in.
    origin : (3,) ndarray of float64
        Corner of the box in scene units.
    axis : (3,) ndarray of float32
        Unit vector along which points do not move, that from layer to layer; zero where there is none.
    bends : (E, 2, 3) ndarray of float32
        Way from the straight line to the trunk of its bundle, where that begins and where it ends.
    random : Generator
        The gap's own, so that the lines of one gap do not depend on those of another.
    """

    edges: NDArray[np.int64]
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    weight: NDArray[np.float32]
    points: NDArray[np.float32]
    offsets: NDArray[np.int64]
    extent: NDArray[np.float32]
    origin: NDArray[np.float64]
    axis: NDArray[np.float32]
    bends: NDArray[np.float32]
    random: np.random.Generator

    @property
    def has_trunk(self) -> bool:
        """Whether the lines are gathered at a hub."""
        return bool(self.bends.any())

    def keep_inside(self) -> None:
        """Move points that have left the box onto its boundary."""
        np.clip(self.points, 0, self.extent, out=self.points)

    def in_scene(self, points: NDArray[np.float32], width: float) -> NDArray[np.float32]:
        """Return points of this group in scene units, (P, 3) float32."""
        return (self.origin + width * points.astype(np.float64)).astype(np.float32)


def line_groups(edges: EdgeSet, layout: Layout, look: UnitLook, options: BundleOptions) -> Iterator[LineGroup]:
    """Yield the groups, straight as yet, in order of their layers and hubs."""
    width = layout.width or 1.0
    for numbers in _gaps(edges, layout):
        begin, end = layout.positions[edges.source[numbers]], layout.positions[edges.target[numbers]]
        layers = layout.layer_of_unit[[edges.source[numbers[0]], edges.target[numbers[0]]]]
        axis = _axis(begin, end, between_layers=layers[0] != layers[1])
        low = np.minimum(begin, end).min(axis=0)
        random = np.random.default_rng([options.random_state, *layers])
        begin, end = (np.round((ends - low) / width, DECIMALS) for ends in (begin, end))
        hubs = np.zeros(len(numbers), np.int64)
        bends = np.zeros((len(numbers), 2, 3))
        if axis.any() and options.hubs > 0 and options.mode is BundleMode.ADVECT:
            hubs = choose_hubs(0.5 * (begin + end), edges.take(numbers), look, options, random)
            bends = trunk_bends(begin, end, edges.weight[numbers], hubs) * (1 - axis)
        for hub in np.unique(hubs):
            own = hubs == hub
            yield _group(edges, layout, numbers[own], options.sampling_rate, bends=bends[own], axis=axis, random=random)


def _gaps(edges: EdgeSet, layout: Layout) -> list[NDArray[np.int64]]:
    """Return the numbers of the edges between each two layers, sorted by their units."""
    layer = layout.layer_of_unit
    keys = (edges.target, edges.source, layer[edges.target], layer[edges.source])
    order = np.lexsort((edges.weight, *keys))
    pair = np.stack([layer[edges.source[order]], layer[edges.target[order]]])
    starts = np.flatnonzero(np.any(np.diff(pair, axis=1, prepend=-1) != 0, axis=0))
    return np.split(order, starts[1:]) if starts.size else []


def _group(
    edges: EdgeSet,
    layout: Layout,
    numbers: NDArray[np.int64],
    sampling_rate: float,
    *,
    bends: NDArray[np.float64],
    axis: NDArray[np.float32],
    random: np.random.Generator,
) -> LineGroup:
    width = layout.width or 1.0
    begin, end = layout.positions[edges.source[numbers]], layout.positions[edges.target[numbers]]
    offsets = np.concatenate([[0], np.cumsum(sample_counts(begin, end, width / sampling_rate))])
    origin = np.minimum(begin, end).min(axis=0) - MARGIN * width
    extent = (np.maximum(begin, end).max(axis=0) - origin) / width + MARGIN
    return LineGroup(
        edges=numbers,
        source=edges.source[numbers],
        target=edges.target[numbers],
        weight=(edges.weight[numbers] / (edges.weight[numbers].max() or 1.0)).astype(np.float32),
        points=straight((begin - origin) / width, (end - origin) / width, offsets),
        offsets=offsets,
        extent=extent.astype(np.float32),
        origin=origin,
        axis=axis,
        bends=bends.astype(np.float32),
        random=random,
    )


def sample_counts(begin: NDArray[np.float64], end: NDArray[np.float64], spacing: float) -> NDArray[np.int64]:
    """Return how many points each line gets: both ends and, unless it has no length, points at most `spacing` apart."""
    length = np.linalg.norm(end - begin, axis=1)
    segments = np.maximum(np.ceil(length / spacing - 1e-9), 2)
    return np.where(length > 0, segments + 1, 2).astype(np.int64)


def straight(begin: NDArray[np.float64], end: NDArray[np.float64], offsets: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return evenly spaced points on straight lines, (P, 3)."""
    points = np.empty((int(offsets[-1]), 3), np.float32)
    for q in range(3):
        t = places(offsets)
        t *= np.repeat((end[:, q] - begin[:, q]).astype(np.float32), np.diff(offsets))
        t += np.repeat(begin[:, q].astype(np.float32), np.diff(offsets))
        points[:, q] = t
    return points


def places(offsets: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the place t of each point on its line, (P,), 0 at the start and 1 at the end."""
    counts = np.diff(offsets)
    steps = np.arange(offsets[-1], dtype=np.int64) - np.repeat(offsets[:-1], counts)
    t: NDArray[np.float32] = (steps / np.repeat(np.maximum(counts - 1, 1), counts)).astype(np.float32)
    return t


def _axis(begin: NDArray[np.float64], end: NDArray[np.float64], *, between_layers: bool) -> NDArray[np.float32]:
    """Return the coordinate axis, z before y before x, along which all starts lie on one side of all ends; or zero.

    Between layers that overlap along all three, it is that along which nearly all of the way leads one way.
    """
    way = end - begin
    one_way = np.abs(way.sum(axis=0)) >= ONE_WAY * np.abs(way).sum(axis=0)
    apart = (begin.max(axis=0) < end.min(axis=0)) | (end.max(axis=0) < begin.min(axis=0))
    found = apart if apart.any() or not between_layers else one_way & way.any(axis=0)
    axis = np.zeros(3, np.float32)
    if found.any():
        axis[np.flatnonzero(found)[-1]] = 1
    return axis
