"""Points spread evenly over lines."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from cnnvis.core import PolylineSet
from cnnvis.core.errors import InvalidInputError
from cnnvis.layout import resampled


def test_a_corner_and_a_straight_line_by_hand() -> None:
    lines = PolylineSet(
        np.array([[0, 0, 0], [3, 0, 0], [3, 1, 0], [0, 0, 5], [0, 0, 7]], float),
        [0, 3, 5],
        {"t": np.array([0, 0.5, 1, 0, 1])},
        {"weight": np.array([1.0, 2.0])},
    )
    found = resampled(lines, 1.0)
    np.testing.assert_array_equal(found.offsets, [0, 5, 8])
    np.testing.assert_allclose(found.points[:5, 0], [0, 1, 2, 3, 3], atol=1e-6)
    np.testing.assert_allclose(found.points[5:, 2], [5, 6, 7])
    np.testing.assert_allclose(found.point_arrays["t"], [0, 1 / 6, 1 / 3, 0.5, 1, 0, 0.5, 1], atol=1e-6)
    np.testing.assert_array_equal(found.line_arrays["weight"], [1, 2])


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 5))
def test_ends_stay_and_points_lie_evenly(seed: int, spacing: float) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.integers(2, 6, size=4)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    lines = PolylineSet(rng.normal(size=(offsets[-1], 3)), offsets)
    found = resampled(lines, spacing)
    np.testing.assert_array_equal(found.points[found.offsets[:-1]], lines.points[offsets[:-1]])
    np.testing.assert_array_equal(found.points[found.offsets[1:] - 1], lines.points[offsets[1:] - 1])
    for line in range(4):
        points = found.points[found.offsets[line] : found.offsets[line + 1]]
        assert np.linalg.norm(np.diff(points, axis=0), axis=1).max() <= spacing * (1 + 1e-4) + 1e-5


def test_lines_without_length_and_without_points() -> None:
    still = resampled(PolylineSet(np.zeros((3, 3)), [0, 0, 3]), 0.5)
    np.testing.assert_array_equal(still.offsets, [0, 0, 2])
    empty = PolylineSet(np.zeros((0, 3)), [0])
    assert len(resampled(empty, 1.0)) == 0


@pytest.mark.parametrize("spacing", [0.0, -1.0, np.nan, np.inf])
def test_a_spacing_that_is_none_is_refused(spacing: float) -> None:
    with pytest.raises(InvalidInputError, match="above zero"):
        resampled(PolylineSet(np.zeros((2, 3)), [0, 2]), spacing)
