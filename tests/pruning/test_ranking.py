"""Orders of removal."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnvis.core.errors import InvalidInputError
from cnnvis.pruning.ranking import rank

SCORES = {"a": np.array([3.0, 1.0, 2.0]), "b": np.array([[0.0, 5.0], [4.0, 6.0]])}


def test_lowest_first_over_all_groups():
    positions = rank(SCORES).positions
    assert positions["a"].tolist() == [3, 1, 2]
    assert positions["b"].tolist() == [[0, 5], [4, 6]]


def test_lowest_first_in_each_layer():
    ranking = rank(SCORES, scope="layer")
    assert ranking.positions["a"].tolist() == [2, 0, 1]
    assert ranking.positions["b"].tolist() == [[0, 2], [1, 3]]
    gone = ranking.removed(0.5)  # 1.5 of 3 is 2, 2 of 4
    assert gone["a"].tolist() == [False, True, True]
    assert gone["b"].tolist() == [[True, False], [True, False]]


@pytest.mark.parametrize("scope", ["global", "layer"])
def test_the_reverse_begins_where_the_order_ends(scope):
    forward, back = rank(SCORES, scope=scope), rank(SCORES, scope=scope, reverse=True)
    for name, total in forward.totals.items():
        np.testing.assert_array_equal(back.positions[name], total - 1 - forward.positions[name])


def test_ties_are_broken_by_the_seed_alone():
    ties = {"a": np.zeros(50), "b": np.array([-1.0, 1.0])}
    orders = [rank(ties, random_state=seed).positions["a"].tolist() for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[2]) == list(range(1, 51))  # between the scores that differ
    assert orders[0] != sorted(orders[0])


@given(
    st.dictionaries(
        st.sampled_from("abc"),
        hnp.arrays(np.float64, hnp.array_shapes(max_dims=2, max_side=6), elements=st.sampled_from([0.0, 0.5, 2.0])),
        min_size=1,
    ),
    st.sampled_from(["global", "layer"]),
    st.booleans(),
    st.integers(0, 5),
)
def test_everything_goes_exactly_once_and_stays_gone(scores, scope, reverse, seed):
    ranking = rank(scores, scope=scope, reverse=reverse, random_state=seed)
    size = sum(array.size for array in scores.values())
    assert ranking.size == size
    if scope == "global":
        assert sorted(np.concatenate([places.ravel() for places in ranking.positions.values()])) == list(range(size))
    before = {name: np.zeros(array.shape, dtype=bool) for name, array in scores.items()}
    for share in np.linspace(0, 1, 11):
        gone = ranking.removed(share)
        assert all(np.all(gone[name] >= before[name]) for name in scores)
        count = sum(int(part.sum()) for part in gone.values())
        assert abs(count - share * size) <= 0.5 * (1 if scope == "global" else len(scores)) + 1e-9
        before = gone
    assert all(part.all() for part in before.values())


def test_scores_must_be_finite():
    with pytest.raises(InvalidInputError, match="the scores of 'a' holds 1 values that are NaN"):
        rank({"a": np.array([0, np.nan])})
