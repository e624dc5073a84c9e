"""The bundles and units of a scene as shapes for the exports."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cnnvis.core import PointSet, PolylineSet
from cnnvis.rendering.network_geometry import as_lines
from cnnvis.rendering.shapes import STANCE, Look, Shape
from cnnvis.rendering.style import THEMES
from cnnvis.scene import BundleItem, GlyphsItem, Scene, Selection, Stance, stances

NetworkKind = BundleItem | GlyphsItem

ONE_RADIUS = {("bundle", "lines"): 0.1, ("glyphs", "points"): 0.25}
"""Radius, in sizes, by kind and mode, of what is of one thickness; all else is as thick as it is important."""


def shapes_of(scene: Scene) -> list[Shape]:
    """Return the visible bundles as far as they are bundled now, then the visible units, with what is selected."""
    return [_shape(scene, item, item.data, blended=True) for item in _network_items(scene)]


def network_frames(scene: Scene) -> list[list[Shape]]:
    """Return the shapes of each frame of a scene, fully bundled; of one frame where none of them moves.

    An item that does not move is the same in each frame, and nothing is selected. Empty where the scene has no visible
    bundle or units.
    """
    items = _network_items(scene)
    moving = any(item.name in scene.frames for item in items)
    frames = range(len(scene.series) if moving else 1) if items else ()
    data = [[scene.frames.get(item.name, (item.data,) * len(frames))[frame] for item in items] for frame in frames]
    return [
        [_shape(scene, item, each, blended=False) for item, each in zip(items, shown, strict=True)] for shown in data
    ]


def _network_items(scene: Scene) -> list[NetworkKind]:
    """Return the visible bundles, then the visible units."""
    return [item for kind in (BundleItem, GlyphsItem) for item in scene if isinstance(item, kind) and item.visible]


def _shape(scene: Scene, item: NetworkKind, data: PolylineSet | PointSet, *, blended: bool) -> Shape:
    stance = stances(item, scene.selection if blended else Selection(), data)
    lines = as_lines(data)
    lines = replace(lines, line_arrays={**lines.line_arrays, STANCE: stance}).take(stance != Stance.HIDDEN)
    if blended and isinstance(item, BundleItem) and item.blend != 1:
        lines = lines.blended(item.blend)
    index = item.class_index
    return Shape(
        name=item.name,
        lines=replace(lines, points=lines.points + np.float32(item.origin)),
        is_units=isinstance(item, GlyphsItem),
        look=look_of(item),
        classes=item.class_names,
        shown=item.shown_class if index is None else index,
        plain=THEMES[scene.background].text,
        paper=THEMES[scene.background].background,
        **({"blend": 1.0 if blended else item.blend, "caption": item.caption} if isinstance(item, BundleItem) else {}),
    )


def look_of(item: NetworkKind) -> Look:
    """Return how an item is drawn, as numbers."""
    share = ONE_RADIUS.get((item.kind, str(item.mode)))
    return Look(
        size=item.size * (share or 1.0),
        grows=share is None,
        opacity=item.opacity,
        base_opacity=item.base_opacity,
        importance_opacity=item.importance_opacity,
        depth_opacity=item.depth_opacity,
        depth_exponent=item.depth_exponent,
        importance_threshold=item.importance_threshold,
        light=item.light,
        light_from=item.light_from,
    )
