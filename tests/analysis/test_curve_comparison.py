"""Paired differences of curves over training seeds."""

import numpy as np
import pytest
from scipy import stats

from cnnvis.analysis import compare_curves
from cnnvis.core import PruneCurve
from cnnvis.core.errors import InvalidInputError


def flat(accuracy, order="a", n=3, **options):
    """Return a curve whose area is its accuracy."""
    return PruneCurve(np.linspace(0, 1, n), np.full(n, accuracy), np.ones(n), np.ones((n, 2)), order=order, **options)


def test_pairs_by_hand():
    found = compare_curves([flat(0.9), flat(0.7), flat(0.8)], [flat(0.8, "b"), flat(0.5, "b"), flat(0.5, "b")])
    np.testing.assert_allclose(found.differences, [0.1, 0.2, 0.3])
    assert found.mean == pytest.approx(0.2)
    # t of 0.975 with 2 degrees of freedom is 4.3027, standard error 0.1 / sqrt(3)
    assert found.interval == pytest.approx((0.2 - 4.3027 * 0.1 / 3**0.5, 0.2 + 4.3027 * 0.1 / 3**0.5), abs=1e-4)
    assert (found.first, found.second, found.measure, found.is_clear) == ("a", "b", "area", False)


def test_the_interval_is_that_of_a_paired_t_test():
    generator = np.random.default_rng(0)
    one, two = generator.random((2, 6))
    found = compare_curves([flat(value) for value in one], [flat(value) for value in two], level=0.9)
    low, high = stats.ttest_rel(one, two).confidence_interval(0.9)
    assert found.interval == pytest.approx((low, high))


def test_random_orders_of_one_seed_count_as_their_mean():
    found = compare_curves([flat(0.9), flat(0.9)], [[flat(0.2), flat(0.4)], [flat(0.6), flat(0.7), flat(0.8)]])
    np.testing.assert_allclose(found.differences, [0.6, 0.2])


def test_the_removable_share_is_compared_too():
    drop = PruneCurve([0, 0.4, 1], [1, 1, 0], np.ones(3), np.ones((3, 2)), order="a")
    kept = PruneCurve([0, 0.4, 1], [1, 1, 1], np.ones(3), np.ones((3, 2)), order="b")
    found = compare_curves([kept], [drop], measure="removable")
    assert found.mean == pytest.approx(1 - (0.4 + 0.01 * 0.6))
    assert np.isnan(found.interval).all()  # one seed says nothing of others


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ([], [], "at least one curve for every seed, got 0 and 0"),
        ([flat(1)], [flat(1), flat(1)], "got 1 and 2 seeds"),
        ([flat(1)], [[]], "at least one curve"),
        ([flat(1)], [flat(1, n=5)], "over 5 shares cannot be compared"),
        ([flat(1)], [flat(1, kind="links")], "Curves of links, global"),
    ],
)
def test_refusals(first, second, message):
    with pytest.raises(InvalidInputError, match=message):
        compare_curves(first, second)


def test_options_are_checked():
    with pytest.raises(InvalidInputError, match="measure must be area or removable, got 'loss'"):
        compare_curves([flat(1)], [flat(1)], measure="loss")
    with pytest.raises(InvalidInputError, match="level must lie between 0 and 1"):
        compare_curves([flat(1)], [flat(1)], level=95)
