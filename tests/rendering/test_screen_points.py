"""Where points of the scene land on a pane."""

import numpy as np
import pytest

from cnnvis.rendering.screen_box import Projection

EYE = Projection(np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, -2], [0, 0, -1, 0]]), 1.5)
"""From the origin along -z, a quarter of a turn wide and high, in a pane half as wide again."""


def test_points_land_by_hand():
    np.testing.assert_allclose(
        EYE(np.array([[0.0, 0, -1], [1, 1, -1], [1, 1, -2]])), [[0, 0], [0.75, 0.5], [0.375, 0.25]]
    )


@pytest.mark.parametrize("point", [[0.0, 0, 0], [3, -2, 0]])
def test_points_in_the_plane_of_the_camera_land_somewhere(point):
    with np.errstate(all="raise"):
        assert np.isfinite(EYE(np.array([point]))).all()
        assert np.isfinite(EYE.depth(np.array([point]))).all()
