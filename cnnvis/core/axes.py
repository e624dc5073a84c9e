"""Axes of a volume, decided here and nowhere else.

A stack of maps (channel, row, column) is a VTK image with z = channel, y = row, x = column; x runs
fastest, so a C-ordered (C, H, W) array *is* the point data, without a copy and without a flip.
Rows of an image run downwards, so the scene's "up" is -y and a viewer in front of the stack looks
along +z: the image is upright, left is left, and channel 0 is nearest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

VIEW_UP = (0.0, -1.0, 0.0)
"""Direction that is up in a picture: against the rows."""

FRONT = (0.0, 0.0, -1.0)
"""Direction from the stack to a viewer in front of it, who sees channel 0 first."""

MAP_AXES = ("channel", "row", "column")
"""Names of the axes of feature maps."""

FILTER_AXES = ("filter", "kernel row", "kernel column")
"""Names of the axes of what belongs to the weights of a convolution."""

MIN_DEPTH, MAX_DEPTH = 1.0, 4.0
"""Depth of a stack in units of its larger image side: never a wafer, never a needle."""


def stack_spacing(shape: tuple[int, ...]) -> tuple[float, float, float]:
    """Return the (x, y, z) spacing at which a stack of (C, H, W) maps looks right.

    A pixel is one scene unit. The stack is as deep as its larger side for up to as many channels
    as the side has pixels, then grows with the square root, to four times the side at most: 32 maps
    of 112 x 112 make a cube, 512 maps of 7 x 7 a rod of 1 : 4.
    """
    channels, height, width = shape
    side = max(height, width)
    depth = side * float(np.clip(np.sqrt(channels / side), MIN_DEPTH, MAX_DEPTH))
    return (1.0, 1.0, depth / max(channels - 1, 1))


def axis_names(quantity: str) -> tuple[str, str, str]:
    """Return what the axes of a stack are called: filters where the quantity is one of weights, else maps."""
    return FILTER_AXES if "weight" in quantity else MAP_AXES


def image_dimensions(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return VTK's (nx, ny, nz) of a (C, H, W) stack."""
    channels, height, width = shape
    return (width, height, channels)


def to_points(stack: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return a (C, H, W) stack as VTK point data (C*H*W,): a view where the stack is C-contiguous."""
    return np.ascontiguousarray(stack).reshape(-1)


def from_points(points: NDArray[np.generic], dimensions: tuple[int, int, int]) -> NDArray[np.generic]:
    """Return VTK point data as the (C, H, W) stack it is, a view."""
    width, height, channels = dimensions
    return points.reshape(channels, height, width)
