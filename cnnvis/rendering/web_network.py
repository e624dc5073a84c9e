"""Lines and units of a network as data for the page that `export_html` writes."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cnnvis.core.errors import InvalidInputError
from cnnvis.core.palette import NO_GROUP_COLOUR
from cnnvis.rendering.shapes import Shape, palette

STEPS = 65535
"""Of the 16-bit numbers that places, importance and t are sent as: a screen has fewer pixels."""

MAX_ITEMS = 8
"""`LOOKS` in page/network.js: as many as have uniforms there."""


def drawing(frames: Sequence[Sequence[Shape]], n_lines: int) -> dict[str, Any]:
    """Return the lines and units of a scene as the page draws them.

    Parameters
    ----------
    frames : sequence of sequence of Shape
        The same items in each frame, lines before units: the page hides lines by their place while it turns.
    n_lines : int
        Lines of an item that each frame may have.
    """
    first = frames[0]
    if len(first) > MAX_ITEMS:
        raise InvalidInputError(
            f"A page shows at most {MAX_ITEMS} bundles and sets of units of a scene, got {len(first)}."
        )
    coloured = next((shape for shape in first if shape.classes), first[0])
    lines = next((shape for shape in first if not shape.is_units), first[0])
    return {
        "looks": [_look(shape) for shape in first],
        "classes": list(coloured.classes),
        "colours": [list(colour) for colour in palette(coloured.classes)],
        "plain": list(lines.plain),
        "grey": list(NO_GROUP_COLOUR),
        "bends": any((np.diff(shape.lines.offsets) > 2).any() for shape in first),
        "notes": [note for shape in first for note in shape.notes_within(n_lines)],
        "state": {
            "blend": lines.blend,
            "hide": lines.look.importance_threshold,
            "depth": lines.look.depth_opacity,
            "shownClass": coloured.shown,
        },
        "frames": [
            _cloud([_of_classes(shape.within(n_lines), coloured.classes) for shape in shapes]) for shapes in frames
        ],
    }


def _look(shape: Shape) -> dict[str, Any]:
    look = shape.look
    return {
        "unit": shape.is_units,
        "radius": look.size,
        "grows": look.grows,
        "opacity": look.opacity,
        "importance": look.importance_opacity,
        "exponent": look.depth_exponent,
        "base": look.base_opacity,
        "threshold": look.importance_threshold,
        "light": [*look.light_from, look.light],
    }


def _of_classes(shape: Shape, classes: tuple[str, ...]) -> Shape:
    """Return the shape with shares of these classes; of each the same where its own are others."""
    if shape.classes == classes:
        return shape
    arrays = {name: array for name, array in shape.lines.point_arrays.items() if name != "class_shares"}
    return replace(shape, classes=classes, lines=replace(shape.lines, point_arrays=arrays))


def _cloud(shapes: Sequence[Shape]) -> dict[str, Any]:
    """Return the points of one frame, and the box around them.

    Numbers are little-endian, in base 64. `counts`: points of each line, `looks`: its item, `strength`: by which it
    is hidden; by point: `places` in the box, `t`, `importance`, and `shares` of the classes.
    """
    points = np.concatenate([shape.lines.points for shape in shapes]).astype(np.float64)
    low, high = points.min(axis=0, initial=np.inf), points.max(axis=0, initial=-np.inf)
    span = np.where(high > low, high - low, 1.0)

    def packed(name: str, top: int) -> str:
        values = [getattr(shape, name) for shape in shapes]
        return _packed(top * np.concatenate(values), top)

    return {
        "low": low.tolist(),
        "high": high.tolist(),
        "counts": _packed(np.concatenate([np.diff(shape.lines.offsets) for shape in shapes]), STEPS),
        "looks": _packed(np.repeat(np.arange(len(shapes)), [len(shape.lines) for shape in shapes]), 255),
        "strength": packed("strength", STEPS),
        "places": _packed(STEPS * (points - low) / span, STEPS),
        "t": packed("t", STEPS),
        "importance": packed("importance", STEPS),
        "shares": packed("shares", 255) if shapes[0].classes else "",
    }


def _packed(numbers: ArrayLike, top: int) -> str:
    whole = np.clip(np.rint(numbers), 0, top).astype("<u2" if top > 255 else "u1")
    return base64.b64encode(whole.tobytes()).decode("ascii")
