import typing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnvis.analysis import OrderAgreement, compare_orders, order, stability
from cnnvis.analysis._stability import Over, OverName
from cnnvis.core import Ordering
from cnnvis.core.errors import InvalidInputError, NoSpatialMapsError

RNG = np.random.default_rng(0)


def test_hand_computed_agreement():
    first = Ordering([0, 1, 2, 3], "own", groups=[0, 0, 1, 1])
    second = Ordering([0, 1, 3, 2], "own", groups=[0, 0, 0, 1])
    found = compare_orders(first, second)
    assert found.kendall == pytest.approx(2 / 3)  # 5 of 6 pairs in the same sequence, 1 not
    assert found.neighbours == pytest.approx(2 / 3)  # 0-1 and 2-3, not 1-2
    assert found.rand == pytest.approx(0.0)  # 1 shared pair; 2 x 3 / 6 = 1 expected by chance


def test_an_order_and_its_reverse_are_the_same():
    path = RNG.permutation(10)
    found = compare_orders(Ordering(path, "a"), Ordering(path[::-1], "b"))
    assert found.kendall == pytest.approx(1)
    assert found.neighbours == 1


def test_groups_agree_whatever_their_numbers():
    first = Ordering([0, 1, 2], "own", groups=[0, 0, 1])
    second = Ordering([0, 1, 2], "own", groups=[1, 1, 0])
    assert compare_orders(first, second).rand == 1
    assert np.isnan(compare_orders(first, Ordering([0, 1, 2], "own")).rand)


def test_dead_channels_do_not_count():
    first = Ordering([0, 1, 2, 3], "own", groups=[0, 0, 1, -1], constant=[False, False, False, True])
    second = Ordering([3, 0, 1, 2], "own", groups=[0, 0, 1, 0])
    assert compare_orders(first, second) == OrderAgreement(1.0, 1.0, 1.0)


def test_nothing_to_compare():
    dead = Ordering([0, 1], "own", constant=[True, False])
    assert np.isnan(compare_orders(dead, dead).kendall)
    with pytest.raises(InvalidInputError, match="2 and 3 channels"):
        compare_orders(Ordering([0, 1], "own"), Ordering([0, 1, 2], "own"))


@settings(max_examples=30)
@given(seed=st.integers(0, 2**16), n=st.integers(2, 12))
def test_agreement_is_symmetric_and_within_0_and_1(seed, n):
    rng = np.random.default_rng(seed)
    first, second = (Ordering(rng.permutation(n), "own", groups=rng.integers(0, 3, n)) for _ in range(2))
    one, two = compare_orders(first, second), compare_orders(second, first)
    assert one.kendall == pytest.approx(two.kendall)
    assert one.neighbours == two.neighbours
    assert one.rand == pytest.approx(two.rand)
    assert 0 <= one.kendall <= 1 + 1e-12
    assert 0 <= one.neighbours <= 1


# ---- stability


def test_over_names_are_the_enum():
    assert list(typing.get_args(OverName)) == [choice.value for choice in Over]


def test_images_that_show_the_same_agree_fully(chain):
    maps, _ = chain
    report = stability(np.stack([maps, 2 * maps, 3 * maps]), "kmeans", n_groups=3)
    assert report.values == (0, 1, 2)
    for matrix in (report.kendall, report.neighbours, report.rand):
        np.testing.assert_allclose(matrix, np.ones((3, 3)))
    assert report.mean.kendall == pytest.approx(1)


def test_each_image_is_ordered_alone():
    maps = RNG.random((3, 8, 6, 6))
    report = stability(maps, "pca", over="images", values=[2, 0])
    pair = compare_orders(order(maps[2]), order(maps[0]))
    assert report.kendall[0, 1] == report.kendall[1, 0] == pair.kendall
    assert report.mean.kendall == report.min.kendall == pair.kendall
    assert np.isnan(report.rand).all()
    assert np.isnan(report.mean.rand)


def test_mean_and_min_are_over_pairs():
    report = stability(RNG.random((4, 8, 6, 6)), "leaf")
    pairs = report.kendall[np.triu_indices(4, 1)]
    assert report.mean.kendall == pytest.approx(pairs.mean())
    assert report.min.kendall == pairs.min()


def test_rows_are_single_slices():
    maps = RNG.random((8, 20, 9))
    report = stability(maps, "pca_rows", over="rows", values=[0, 7, 19])
    pair = compare_orders(order(maps, "pca_rows", row=7), order(maps, "pca_rows", row=19))
    assert report.kendall[1, 2] == pair.kendall


def test_seeds_change_kmeans_only():
    maps = RNG.random((40, 6, 6))
    report = stability(maps, "kmeans", over="seeds", n_init=1)
    assert report.values == (0, 1, 2, 3, 4)
    pair = compare_orders(*(order(maps, "kmeans", n_init=1, random_state=seed) for seed in (1, 3)))
    assert report.rand[1, 3] == pytest.approx(pair.rand)
    assert report.min.rand < 1
    assert stability(maps, "pca", over="seeds").min.kendall == pytest.approx(1)


def test_default_variants_are_spread_evenly():
    report = stability(RNG.random((3, 40, 5)), "pca_rows", over="rows")
    assert len(report.values) == 16
    assert (report.values[0], report.values[-1]) == (0, 39)


def test_neighbouring_rows_agree_more_than_distant_ones(chain):
    """The finding of CNN-VIS, on maps whose pattern drifts from the top to the bottom."""
    maps, _ = chain
    other = maps[RNG.permutation(12)]
    drift = np.linspace(0, 1, maps.shape[1])[None, :, None]
    report = stability((1 - drift) * maps + drift * other, "pca_rows", over="rows", values=[0, 1, 23])
    assert report.kendall[0, 1] > report.kendall[0, 2]


def test_stability_refuses():
    maps = RNG.random((3, 5, 6, 6))
    with pytest.raises(InvalidInputError, match="at least two of them, got 1"):
        stability(maps[:1])
    with pytest.raises(InvalidInputError, match="is for pca_rows, kmeans_rows"):
        stability(maps, "pca", over="rows")
    with pytest.raises(InvalidInputError, match="images 0 to 2, got image 3"):
        stability(maps, "pca", values=[0, 3])
    with pytest.raises(InvalidInputError, match="from 0 to 5"):
        stability(maps, "pca_rows", over="rows", values=[0, 6])
    with pytest.raises(InvalidInputError, match="Unknown over 'time'"):
        stability(maps, over="time")
    with pytest.raises(NoSpatialMapsError):
        stability(RNG.random((4, 6)), "pca_rows", over="rows")
