"""How much is left of a stack while something moves: at most what was asked for, and not much less."""

import numpy as np
import pytest

from cnnvis.rendering.volume_texels import thinned

SHAPE = (64, 224, 224)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (1.0, 1.0, 2.0), (1.0, 1.0, 3.5)])
@pytest.mark.parametrize("most", [5_000, 20_000, 60_000, 96_000])
def test_as_much_is_left_as_may_be(spacing, most):
    steps = thinned(SHAPE, spacing, most)
    left = np.prod(-(-np.array(SHAPE) // steps))
    assert most / 3 < left <= most
    sides = np.array(steps) * spacing[::-1]
    assert sides.max() <= 2 * sides.min()


def test_what_fits_is_whole():
    assert thinned(SHAPE, (1.0, 1.0, 1.0), 64 * 224 * 224) == (1, 1, 1)
