"""Small networks to measure: lines and units without decoration, and what their opacity must be."""

import numpy as np
from shots import SIZE, Shot

from cnnvis.core import PointSet, PolylineSet
from cnnvis.rendering import OffscreenWindow
from cnnvis.rendering.screen_box import Projection
from cnnvis.rendering.style import THEMES
from cnnvis.scene import Scene

INK = np.array(THEMES["light"].text)
ROUNDING = 3
PLAIN = {"legend": False, "size": 0.5, "importance_opacity": 1.0, "depth_opacity": 0.0, "depth_exponent": 0.0}


def lines_of(*places, importance=1.0, **arrays):
    """Return one line through each of the lists of points; importance: one number, or one per line."""
    counts = [len(place) for place in places]
    per_line = np.broadcast_to(np.float32(importance), len(places))
    return PolylineSet(
        np.concatenate([np.zeros((0, 3)), *map(np.float32, places)]),
        np.concatenate([[0], np.cumsum(counts)]).astype(int),
        {"importance": np.repeat(per_line, counts), **{name: np.asarray(array) for name, array in arrays.items()}},
    )


def flat_scene(lines=None, units=None, *, view="front", unit_state=None, **state):
    """Return a scene of lines, of units or of both, seen straight from the front."""
    scene = Scene(camera={"view": view, "parallel": True})
    if lines is not None:
        scene.add_bundle(lines, **(PLAIN | state))
    if units is not None:
        scene.add_glyphs(units, **(PLAIN | (state if lines is None else unit_state or {})))
    return scene


def units_at(points, importance=1.0, **arrays):
    """Return units at points (N, 3)."""
    points = np.asarray(points, np.float32)
    return PointSet(points, {"importance": np.broadcast_to(np.float32(importance), len(points)), **arrays})


def shots(scene, changes=(), size=SIZE):
    """Draw a scene as it is, then after each of the changes, callables without arguments, in one window."""
    with OffscreenWindow(scene, size) as window:
        found = []
        for change in [lambda: None, *changes]:
            change()
            pixels = window.draw()
            found.append(Shot(pixels, Projection.of(window.panes[0][0].renderer, size[0] / size[1])))
    return found


def over(alpha, colour=INK, background=1.0):
    """Return a colour of this opacity on a background, 0 to 255."""
    return 255 * (np.asarray(colour) * alpha + np.asarray(background) * (1 - alpha))


def width_at(shot, x, y, z=0.0):
    """Return the number of inked pixels in the column of a scene point, and the pixels of one scene unit."""
    column = round(shot.at(x, y, z)[1])
    unit = abs(shot.at(x, y + 1, z)[0] - shot.at(x, y, z)[0])
    return int(shot.ink()[30:, column].sum()), unit
