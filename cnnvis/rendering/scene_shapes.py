"""The bundles and units of a scene as shapes for the exports."""

from __future__ import annotations

from cnnvis.rendering.shapes import Shape
from cnnvis.scene import Scene


def shapes_of(scene: Scene) -> list[Shape]:
    """Return the visible bundles, then the visible units, as they are shown now."""
    return []


def network_frames(scene: Scene) -> list[list[Shape]]:
    """Return the shapes of each frame of a scene, of one frame where none of them moves; empty where there are none."""
    return []
