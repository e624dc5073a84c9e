"""Maps whose right order is known."""

import numpy as np
import pytest


def blobs(n_channels, *, height=24, width=96, sigma=20.0):
    """Maps with one soft blob each, its centre moving along a line from channel to channel.

    The blobs are wide: of narrow ones the first principal component is no monotone function of the place.
    """
    columns = np.arange(width)
    centres = np.linspace(0.25 * width, 0.75 * width, n_channels)
    profile = np.exp(-0.5 * ((columns - centres[:, None]) / sigma) ** 2)
    rows = 1.0 + 0.1 * np.cos(np.arange(height))
    return rows[None, :, None] * profile[:, None, :]


@pytest.fixture
def chain():
    """(maps, place): shuffled blobs, and the place along the line of each channel."""
    place = np.random.default_rng(3).permutation(12)
    return blobs(12)[place], place


@pytest.fixture
def clusters():
    """(maps, label): 30 noisy copies of 4 patterns in groups of 14, 9, 5 and 2 channels, shuffled."""
    rng = np.random.default_rng(7)
    patterns = rng.standard_normal((4, 10, 10)) * 3 + np.arange(4)[:, None, None]
    label = rng.permutation(np.repeat(np.arange(4), [14, 9, 5, 2]))
    return patterns[label] + 0.2 * rng.standard_normal((30, 10, 10)), label
