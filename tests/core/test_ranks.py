import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from cnnvis.core.ranks import rank_correlations

NAN = float("nan")


def test_by_hand():
    # Ranks 1 2 3 4; 4 3 2 1; 1 3 2 4 (one swap: 1 - 6 * 2 / 60); the tie shares rank 1.5.
    found = rank_correlations([[1, 2, 3, 9], [8, 3, 2, 1], [0, 5, 4, 6], [0, 0, 3, 4]])
    assert found[0].tolist() == pytest.approx([1, -1, 0.8, 4.5 / (5 * 4.5) ** 0.5])
    assert found.tolist() == found.T.tolist()
    assert np.diagonal(found).tolist() == [1, 1, 1, 1]


def test_what_has_no_ranks_has_no_correlation():
    found = rank_correlations([[1, 2, 3], [5, 5, 5], [1, NAN, 2]])
    assert found[0, 0] == 1
    assert np.isnan(found[1:]).all()
    assert np.isnan(found[:, 1:]).all()
    assert np.isnan(rank_correlations(np.zeros((2, 0)))).all()
    assert rank_correlations(np.zeros((0, 3))).shape == (0, 0)


@settings(max_examples=60)
@given(hnp.arrays(np.float64, st.tuples(st.just(2), st.integers(2, 20)), elements=st.integers(-4, 4)))
def test_it_is_scipys(rows):
    found = rank_correlations(rows)[0, 1]
    if np.ptp(rows, axis=1).min() == 0:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(spearmanr(*rows).statistic, abs=1e-12)
