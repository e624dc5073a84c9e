"""What takes long of drawing lines and units: made beforehand in a thread, or else when they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import PointSet, PolylineSet
from cnnvis.rendering.network_geometry import NetworkGeometry, as_lines, network_geometry
from cnnvis.scene import BundleItem, GlyphsItem

Place = tuple[float, float, float]

LARGE = 100_000
"""Points from which on a window must not wait for their geometry: 0.04 s, and ten times that for 68,000 links."""

CHUNK = 8192
"""Points that are looked through at once, so that what is found of them stays in the cache."""

OUTWARDS = np.array([way for way in product((-1, 0, 1), repeat=3) if any(way)], dtype=np.float64)
OUTWARDS /= np.linalg.norm(OUTWARDS, axis=1, keepdims=True)
"""Directions (26, 3) to the corners, edges and sides of a cube."""


@dataclass(frozen=True, slots=True, eq=False)
class PlacedData:
    """Data of a network item where it stands, and what its artist asks of them.

    Parameters
    ----------
    source : PolylineSet or PointSet
        Data of the item.
    origin : (x, y, z)
        Where the item stands.
    data : PolylineSet or PointSet
        The same in scene units.
    strength : (E,) ndarray of float32
        Importance of each line or unit.
    outermost : (26, 3) ndarray of float
        The points that are farthest to the corners, edges and sides of a cube.
    """

    source: PolylineSet | PointSet
    origin: Place
    data: PolylineSet | PointSet
    strength: NDArray[np.float32]
    outermost: NDArray[np.float64]

    @classmethod
    def of(cls, source: PolylineSet | PointSet, origin: Place) -> PlacedData:
        """Place data. 0.05 s for a million points."""
        data = replace(source, points=source.points + np.array(origin, np.float32))
        return cls(source, origin, data, as_lines(source).line_arrays["importance"], _outermost(data.points))

    def is_of(self, item: BundleItem | GlyphsItem) -> bool:
        """Whether an item has these data, and stands here."""
        return self.source is item.data and self.origin == item.origin


class PreparedNetwork(NamedTuple):
    """All that takes long of drawing some items together; each of `placed` is one of them, in their order."""

    placed: tuple[PlacedData, ...]
    geometry: NetworkGeometry


def prepared_network(items: Sequence[tuple[PolylineSet | PointSet, Place]]) -> PreparedNetwork:
    """Return what is drawn of data that stand somewhere; for any thread.

    Notes
    -----
    0.35 s for 68,000 lines of 13 points.
    """
    placed = tuple(PlacedData.of(*each) for each in items)
    return PreparedNetwork(placed, network_geometry([each.data for each in placed]))


def _outermost(points: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the points that are farthest `OUTWARDS`; zeros without points."""
    found = np.zeros((0, 3))
    for start in range(0, len(points), CHUNK):
        some = np.concatenate([found, points[start : start + CHUNK]])
        found = some[(some @ OUTWARDS.T).argmax(axis=0)]
    return found if len(points) else np.zeros((len(OUTWARDS), 3))
