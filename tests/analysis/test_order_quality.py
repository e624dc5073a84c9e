import numpy as np
import pytest

from cnnvis.analysis import order, order_quality, similarity, with_quality
from cnnvis.core import Ordering
from cnnvis.core.errors import InvalidInputError

# Correlations of these four maps of 1 x 4, by hand: 0-2 and 1-3 are 1, all others 0.
A, B = [1.0, -1.0, 1.0, -1.0], [1.0, 1.0, -1.0, -1.0]
FOUR = np.array([[A], [B], [[2 * value + 3 for value in A]], [[5 * value - 8 for value in B]]])


def test_hand_computed_smoothness():
    quality = order_quality(FOUR, Ordering([0, 2, 3, 1], "own"))
    assert quality.smoothness == pytest.approx(2 / 3)  # neighbours 1, 0, 1
    assert quality.original == pytest.approx(0)
    # Of the 6 pairs 2 are alike, so a random order has 3 x 1/3 such neighbours of 3 on average.
    assert quality.random_mean == pytest.approx(1 / 3, abs=0.08)
    assert 0 < quality.random_std < 0.4
    assert not quality.held_out


def test_hand_computed_brightness():
    # Means are 0, 0, 3, -8: along 3, 0, 1, 2 they rise (with a tie), along 0, 2, 3, 1 they do not.
    tied = 4.5 / np.sqrt(5 * 4.5)
    assert order_quality(FOUR, Ordering([3, 0, 1, 2], "own")).brightness == pytest.approx(tied)
    assert order_quality(FOUR, Ordering([2, 1, 0, 3], "own")).brightness == pytest.approx(tied)
    assert order_quality(FOUR, Ordering([0, 2, 3, 1], "own")).brightness < 0.4


def test_constant_channels_are_left_out_and_the_rest_moves_together():
    maps = np.concatenate([FOUR, np.full((1, 1, 4), 7.0)])
    path = [0, 4, 2, 3, 1]
    assert order_quality(maps, Ordering(path, "own")).smoothness == pytest.approx(2 / 3)  # dead on these images
    dead = Ordering([0, 3, 2, 1], "own", constant=[False, False, False, True])
    assert order_quality(FOUR, dead).smoothness == pytest.approx(0.5)  # 0-2 is 1, 2-1 is 0


def test_all_orders_of_the_same_maps_meet_the_same_random_orders():
    maps = np.random.default_rng(0).random((9, 5, 5))
    first, second = order(maps, "pca").quality, order(maps, "leaf").quality
    assert (first.random_mean, first.random_std) == (second.random_mean, second.random_std)
    other = order(maps, "pca", random_state=1).quality
    assert first.random_mean != other.random_mean


def test_order_fills_in_what_order_quality_measures():
    maps = np.random.default_rng(0).random((1, 9, 5, 5))
    ordering = order(maps)
    assert order_quality(maps, ordering) == ordering.quality


def test_held_out_quality_is_measured_on_the_held_out_images():
    maps = np.random.default_rng(0).random((4, 9, 5, 5))
    ordering = order(maps, holdout=0.5)
    assert ordering.quality == order_quality(maps[[1, 3]], ordering, held_out=True)
    assert ordering.permutation.tolist() == order(maps[[0, 2]], holdout=0).permutation.tolist()


def test_with_quality_gives_a_new_ordering():
    train, test = np.random.default_rng(0).random((2, 9, 5, 5))
    ordering = order(train)
    measured = with_quality(ordering, test)
    assert measured.quality == order_quality(test, ordering, held_out=True)
    assert measured.quality.held_out
    assert not ordering.quality.held_out
    assert measured.permutation is not None
    assert measured.permutation.tolist() == ordering.permutation.tolist()


def test_a_better_order_has_a_better_quality(chain):
    maps, _ = chain
    quality = order(maps, "leaf").quality
    assert quality.smoothness > quality.original
    assert quality.gain > 3


def test_wrong_layer_and_bad_counts():
    ordering = order(FOUR)
    with pytest.raises(InvalidInputError, match="has 4 channels, the maps 3"):
        order_quality(FOUR[:3], ordering)
    with pytest.raises(InvalidInputError, match="n_random must be at least 1"):
        order_quality(FOUR, ordering, n_random=0)


def test_similarity_is_the_correlation():
    wanted = np.kron([[1, 1], [1, 1]], np.eye(2))
    np.testing.assert_allclose(similarity(FOUR), wanted, atol=1e-12)
    dead = np.concatenate([FOUR, np.zeros((1, 1, 4))])
    assert similarity(dead)[4].tolist() == [0, 0, 0, 0, 1]


def test_similarity_refuses():
    with pytest.raises(InvalidInputError, match="Unknown similarity 'cosine'"):
        similarity(FOUR, "cosine")
    with pytest.raises(InvalidInputError, match="at least two values per channel"):
        similarity(np.ones((1, 5)))
