"""Paired differences of any measure over training seeds."""

import numpy as np
import pytest
from scipy import stats

from cnnvis.analysis import compare_paired
from cnnvis.core.errors import InvalidInputError


def test_pairs_by_hand():
    found = compare_paired([3.0, 5.0, 4.0], [2.0, 3.0, 1.0], measure="compactness", names=("a", "b"))
    np.testing.assert_array_equal(found.differences, [1, 2, 3])
    # t of 0.975 with 2 degrees of freedom is 4.3027, standard error 1 / sqrt(3)
    assert found.interval == pytest.approx((2 - 4.3027 / 3**0.5, 2 + 4.3027 / 3**0.5), abs=1e-4)
    assert (found.mean, found.is_clear, found.measure) == (2, False, "compactness")
    assert (found.first, found.second) == ("a", "b")


def test_the_interval_is_that_of_a_paired_t_test():
    one, two = np.random.default_rng(1).random((2, 5))
    low, high = stats.ttest_rel(one, two).confidence_interval(0.9)
    assert compare_paired(one, two, measure="m", level=0.9).interval == pytest.approx((low, high))


def test_a_single_seed_has_no_interval():
    found = compare_paired([2.0], [1.0], measure="m")
    assert np.isnan(found.interval).all()
    assert not found.is_clear


@pytest.mark.parametrize(
    ("first", "second", "level", "message"),
    [
        ([1, 2], [1], 0.95, "one number for every seed"),
        ([], [], 0.95, "one number for every seed"),
        ([[1]], [[2]], 0.95, "one number for every seed"),
        ([1, np.nan], [1, 2], 0.95, "NaN or infinite"),
        ([1, 2], [1, 2], 1, "level must lie between 0 and 1"),
    ],
)
def test_what_cannot_be_compared_is_refused(first, second, level, message):
    with pytest.raises(InvalidInputError, match=message):
        compare_paired(first, second, measure="m", level=level)
