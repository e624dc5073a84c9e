"""Types of pruning curves."""

import numpy as np
import pytest

from cnnvis.core import ClassCurves, CurveComparison, FilterTable, PruneCurve
from cnnvis.core.errors import InvalidInputError


def curve(accuracy, shares=(0, 0.5, 1), **options):
    ones = np.ones(len(shares))
    return PruneCurve(shares, accuracy, ones, np.ones((len(shares), 2)), order="weight", **options)


def test_area_by_hand():
    assert curve([1, 0.8, 0]).area == pytest.approx(0.5 * 0.9 + 0.5 * 0.4)
    assert curve([0.9, 0.5], shares=(0, 0.5)).area == pytest.approx(0.5 * 0.7 + 0.5 * 0.5)  # the last value is held


def test_removable_share_by_hand():
    # 0.01 lost at a quarter of the way from 0.90 to 0.86
    assert curve([0.90, 0.86, 0.1]).removable() == pytest.approx(0.125)
    assert curve([0.90, 0.90, 0.895]).removable() == 1
    assert curve([0.90, 0.95, 0.85]).removable(points=0.02) == pytest.approx(0.5 + 0.5 * 0.07 / 0.10)
    with pytest.raises(InvalidInputError, match=r"begins at share 0\.5"):
        curve([0.8, 0.1], shares=(0.5, 1)).removable()


@pytest.mark.parametrize("shares", [(), (0.5, 0.2), (-0.1, 1), (0, 1.1), (0, np.nan)])
def test_shares_rise_within_0_and_1(shares):
    with pytest.raises(InvalidInputError, match="shares of a PruneCurve must rise within 0 to 1"):
        curve(np.ones(len(shares)), shares)


def test_arrays_fit_the_shares():
    with pytest.raises(InvalidInputError, match="accuracy has shape"):
        curve([1, 0])


def test_difference_of_class_curves():
    own, mean = np.array([[1, 1], [0.8, 0.5]]), np.array([[1, 1], [0.5, 0.6]])
    found = ClassCurves((0, 1), own, mean, order="batchnorm", class_names=("cat", "dog"))
    np.testing.assert_allclose(found.difference, [[0, 0], [0.3, -0.1]])
    with pytest.raises(InvalidInputError, match="by_class has shape"):
        ClassCurves((0, 1), own, mean, order="batchnorm", class_names=("cat",))


@pytest.mark.parametrize(("interval", "clear"), [((0.1, 0.3), True), ((-0.3, -0.1), True), ((-0.1, 0.3), False)])
def test_a_difference_is_clear_where_the_interval_leaves_zero_out(interval, clear):
    assert CurveComparison([0.1, 0.2], interval, "area").is_clear is clear


def test_an_empty_table_of_filters_is_refused():
    with pytest.raises(InvalidInputError, match="'conv1' has no rows"):
        FilterTable("conv1", "weight", ())
