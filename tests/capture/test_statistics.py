import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cnnvis.capture import RunningCovariance, RunningStatistics
from cnnvis.core.errors import InvalidInputError

VALUES = hnp.arrays(
    np.float32,
    st.tuples(st.integers(2, 8), st.just(3), st.integers(1, 3), st.integers(1, 3)),
    elements=st.floats(-1e3, 1e3, width=32),
)


def batches(values, cuts):
    return np.split(values, sorted({cut % len(values) for cut in cuts}))


def merged(kind, pieces):
    """One accumulator per piece, merged one by one."""
    total = kind(3)
    for piece in pieces:
        part = kind(3)
        part.update(piece)
        total.merge(part)
    return total


def updated(kind, pieces):
    total = kind(3)
    for piece in pieces:
        total.update(piece)
    return total


@settings(max_examples=50)
@given(values=VALUES, cuts=st.lists(st.integers(0, 100), max_size=4), random=st.randoms(use_true_random=False))
def test_any_split_in_any_order_gives_what_numpy_gives(values, cuts, random):
    pieces = batches(values, cuts)
    random.shuffle(pieces)
    flat = np.moveaxis(values.astype(float), 1, 0).reshape(3, -1)
    for total in (merged(RunningStatistics, pieces), updated(RunningStatistics, pieces)):
        np.testing.assert_array_equal(total.count, flat.shape[1])
        np.testing.assert_allclose(total.mean, flat.mean(1), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(total.variance, flat.var(1), rtol=1e-9, atol=1e-6)
        np.testing.assert_array_equal(total.minimum, flat.min(1))
        np.testing.assert_array_equal(total.maximum, flat.max(1))
    for total in (merged(RunningCovariance, pieces), updated(RunningCovariance, pieces)):
        np.testing.assert_allclose(total.mean, flat.mean(1), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(total.covariance, np.cov(flat, bias=True), rtol=1e-9, atol=1e-6)


def test_missing_values_are_counted_and_left_out():
    values = np.array([[1, np.nan, 5], [3, np.inf, 5], [np.nan, np.nan, 5]])
    statistics = RunningStatistics(3)
    statistics.update(values)
    assert statistics.count.tolist() == [2, 0, 3]
    assert statistics.n_missing.tolist() == [1, 3, 0]
    np.testing.assert_array_equal(statistics.mean, [2, np.nan, 5])
    np.testing.assert_array_equal(statistics.std, [1, np.nan, 0])
    np.testing.assert_array_equal(statistics.minimum, [1, np.nan, 5])
    covariance = RunningCovariance(3)
    covariance.update(values)
    assert (covariance.count, covariance.n_missing) == (0, 3)
    assert np.isnan(covariance.covariance).all()


def test_correlation_by_hand():
    x = np.array([0.0, 1, 2, 3])
    covariance = RunningCovariance(3)
    covariance.update(np.stack([x, 1 - 2 * x, np.ones(4)], axis=1))
    expected = np.array([[1, -1, np.nan], [-1, 1, np.nan], [np.nan] * 3])
    np.testing.assert_allclose(covariance.correlation, expected, atol=1e-12)


@pytest.mark.parametrize("kind", [RunningStatistics, RunningCovariance])
def test_channels_must_fit(kind):
    with pytest.raises(InvalidInputError, match="3"):
        kind(3).update(np.zeros((2, 4)))
    with pytest.raises(InvalidInputError, match="cannot be merged"):
        kind(3).merge(kind(4))
