"""Small scenes and networks for the tests of the viewer."""

from __future__ import annotations

import functools

import numpy as np

from cnnvis.core import BundledNetwork
from cnnvis.scene import Scene


def volume_scene(n_channels: int = 8, side: int = 12) -> Scene:
    """A ball in the middle of a stack: what is drawn of it is in the middle of the picture."""
    z, y, x = np.indices((n_channels, side, side), dtype=np.float32)
    far = np.sqrt((z / (n_channels - 1) - 0.5) ** 2 + (y / (side - 1) - 0.5) ** 2 + (x / (side - 1) - 0.5) ** 2)
    return Scene.of(np.clip(1 - 2 * far, 0, 1), name="ball")


@functools.cache
def random_network() -> BundledNetwork:
    """A small random network with four classes."""
    from cnnvis.studies.bundled_network import build_random

    return build_random((12, 9, 6, 4))


def network_scene() -> Scene:
    """The picture of that network."""
    return Scene.of_network(random_network())
