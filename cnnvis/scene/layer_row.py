"""Several layers in one scene, one behind the other and equally wide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import Volume
from cnnvis.core.errors import InvalidInputError
from cnnvis.scene.scene import Scene

GAP = 0.8
"""Between two layers, as a share of their longer side: room for the labels of an axis."""


def scene_of_layers(volumes: Sequence[Volume], **state: Any) -> Scene:
    """Return a scene of several layers in a row, in the direction in which their channels run, without overlap.

    All are as large as the largest, longer side by longer side, since maps of any resolution cover the same image; the
    depth of a stack grows with its sides. One volume stays as it is.

    Parameters
    ----------
    volumes : sequence of Volume
        At least one; the first is in front.
    **state
        Of all items, as for `Scene.add_volume`.

    Returns
    -------
    Scene
    """
    if not volumes:
        raise InvalidInputError("A scene of layers needs at least one volume, got none.")
    side = max(_extent(volume)[:2].max() for volume in volumes)
    scene, front = Scene(), 0.0
    for volume in volumes:
        scale = side / _extent(volume)[:2].max()
        x, y, z = (step * float(scale) for step in volume.spacing)
        placed = replace(volume, spacing=(x, y, z))
        width, height, depth = map(float, _extent(placed))
        origin = (-width / 2, -height / 2, front) if len(volumes) > 1 else (0.0, 0.0, 0.0)
        scene.add_volume(placed, origin=origin, **state)
        front += depth + GAP * float(side)
    return scene


def _extent(volume: Volume) -> NDArray[np.float64]:
    """Return the size (x, y, z) in scene units; along an axis of one voxel that of a step."""
    steps = np.maximum(np.array(volume.shape[::-1]) - 1, 1)
    extent: NDArray[np.float64] = steps * np.array(volume.spacing)
    return extent
