"""The order in which what is translucent is drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DEPTHS = 65_535
"""Steps in which depths are told apart: numpy sorts 16 bits in linear time."""


def depths_along(places: NDArray[np.float32], forward: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return how far places (N, 3) are along a direction (3,), in single precision.

    Not as a product of matrices: the threads of BLAS would go on spinning for a tenth of a second after it, on the
    cores that draw.
    """
    x, y, z = (np.float32(part) for part in forward)
    return places[:, 0] * x + places[:, 1] * y + places[:, 2] * z


def far_to_near(depths: NDArray[np.floating]) -> NDArray[np.intp]:
    """Return the order (N,) of things at (N,) depths in which the farthest comes first, the first of equals."""
    low, high = float(depths.min(initial=np.inf)), float(depths.max(initial=-np.inf))
    nearness = ((high - depths) * (DEPTHS / max(high - low, 1e-30))).astype(np.uint16)
    return np.argsort(nearness, kind="stable")
