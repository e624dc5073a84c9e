"""Which lines and units can be seen at all: the others need not be sorted, sent or gone through by the shaders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cnnvis.rendering.network_geometry import NetworkGeometry
from cnnvis.rendering.scene_shapes import look_of
from cnnvis.rendering.shapes import Look
from cnnvis.scene import BundleItem, GlyphsItem, Stance

SEEN = 0.002
"""Opacity below which network.geom.glsl draws nothing."""

CHUNK = 65_536
"""Points that are gone through at once, so that what is found of them stays in the cache."""


def seen_pairs(
    geometry: NetworkGeometry, pairs: NDArray[np.int32], items: Sequence[BundleItem | GlyphsItem]
) -> NDArray[np.int32]:
    """Return those of the pairs that are seen from one side or another, in their order.

    Parameters
    ----------
    geometry : NetworkGeometry
        With the classes and stances that are shown.
    pairs : (N, 2) ndarray of int32
        Some of `geometry.pairs`.
    items : sequence of BundleItem or GlyphsItem
        What the items of the geometry look like.

    Notes
    -----
    15 ms for 800,000 pairs. By default three of five lines are seen from nowhere: their importance is too small.
    """
    seen = np.zeros(len(geometry.bundled), bool)
    for number, item in enumerate(items):
        points = geometry.points_of(number)
        look = replace(look_of(item), opacity=1.0)  # and as if nothing had faded: neither alone hides anything
        for start in range(points.start, points.stop, CHUNK):
            some = slice(start, min(start + CHUNK, points.stop))
            seen[some] = _seen(geometry, some, look)
    kept = seen[pairs[:, 0]] | seen[pairs[:, 1]]
    return pairs if kept.all() else np.compress(kept, pairs, axis=0)


def _seen(geometry: NetworkGeometry, points: slice, look: Look) -> NDArray[np.bool_]:
    """Return whether each of some points of an item is seen where it is nearest, as the shaders settle it."""
    importance, strength, share, _ = geometry.tone[points].T
    stance = geometry.mixed[points, 3]
    opacity = look.opacity_of(importance, share, np.where(stance == Stance.FADED, Stance.PLAIN, stance))
    above = (strength >= look.importance_threshold) | (stance == Stance.MARKED)
    return above & (opacity >= SEEN) & (stance != Stance.HIDDEN)
