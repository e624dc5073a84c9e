"""Samples of a network as pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def as_picture(sample: NDArray[np.floating]) -> NDArray[np.uint8] | None:
    """Return a sample (C, H, W) of 1 or 3 channels as (H, W, 3), stretched from its least to its largest value."""
    if sample.ndim != 3 or sample.shape[0] not in (1, 3) or not np.isfinite(sample).all():
        return None
    low, high = float(sample.min()), float(sample.max())
    values = (sample - low) / (high - low if high > low else 1.0)
    pixels = np.moveaxis(np.rint(255 * values).astype(np.uint8), 0, 2)
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))
