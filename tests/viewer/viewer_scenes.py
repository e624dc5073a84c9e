"""Small scenes and networks for the tests of the viewer."""

from __future__ import annotations

import functools

import numpy as np

from cnnvis.core import BundledNetwork, NetworkMaps
from cnnvis.core.pixel_links import PixelLinks
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


def small_network_maps() -> NetworkMaps:
    """An input, four maps and two units, each layer linked to the next."""
    generator = np.random.default_rng(0)
    return NetworkMaps(
        layers=("input", "conv", "fc"),
        roles=("input", "convolution", "dense"),
        values=tuple(generator.random(shape) for shape in ((1, 6, 6), (4, 3, 3), (2, 1, 1))),
        depths=[0, 1, 2],
        flow=[[0, 1], [1, 2]],
        link_ends=[[0, 1], [0, 4], [2, 6]],
        link_weights=[1.0, -0.5, 0.25],
        pixel_links=(
            PixelLinks(
                source=0,
                target=1,
                maps=[[0, 0], [0, 0], [0, 3]],
                places=[[0, 0], [1, 1], [0, 1]],
                weights=[1.0, -0.5, 0.75],
                rows=[[0, 1], [2, 3], [4, 5]],
                columns=[[0, 1], [2, 3], [4, 5]],
                n_entries=16,
            ),
        ),
    )
