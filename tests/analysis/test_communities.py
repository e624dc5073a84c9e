"""Communities of similar channels: planted groups come back, numbered by size, the same each time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cnnvis
from cnnvis.analysis import by_size, community_stability, group_counts, link_weights, modularity, similarity
from cnnvis.core.errors import InvalidInputError

ALGORITHMS = ("louvain", "leiden")


def planted(sizes, *, n_images=400, noise=0.6, seed=0):
    """Averages (N, C) of groups that each follow one random signal, and the groups."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    signals = random.normal(size=(n_images, len(sizes)))
    return signals[:, labels] + noise * random.normal(size=(n_images, labels.size)), labels


def same_groups(one, other):
    return np.array_equal(one[:, None] == one, other[:, None] == other)


# -------------------------------------------------------------------------------------------------------- weights


def test_weights_by_hand():
    matrix = [[1, 0.5, -0.5], [0.5, 1, np.nan], [-0.5, np.nan, 1]]
    np.testing.assert_allclose(link_weights(matrix), [[0, 0.5**6, 0], [0.5**6, 0, 0], [0, 0, 0]])
    exponential = link_weights(matrix, "exponential")
    assert exponential[0, 1] == pytest.approx(np.exp(20 * 0.5) / np.exp(20))
    assert exponential[0, 2] == pytest.approx(np.exp(20 * -0.5) / np.exp(20))
    assert exponential[1, 2] == 0  # unknown, not weak
    np.testing.assert_allclose(link_weights(matrix, exponent=1)[0], [0, 0.5, 0])


def test_bad_matrices_are_named():
    with pytest.raises(InvalidInputError, match="square"):
        link_weights(np.zeros((2, 3)))
    with pytest.raises(InvalidInputError, match="symmetric"):
        link_weights([[1, 0.5], [0.1, 1]])
    with pytest.raises(InvalidInputError, match="within -1 to 1"):
        link_weights([[1, 5], [5, 1]])
    with pytest.raises(InvalidInputError, match="exponent"):
        link_weights(np.eye(2), exponent=0)
    with pytest.raises(InvalidInputError, match="resolution"):
        cnnvis.communities(np.eye(2), resolution=-1)
    with pytest.raises(InvalidInputError, match="louvain"):
        cnnvis.communities(np.eye(2), algorithm="luvain")


# --------------------------------------------------------------------------------------------------------- groups


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("weights", ["power", "exponential"])
def test_planted_groups_come_back_largest_first(algorithm, weights):
    averages, labels = planted([5, 20, 9, 12])
    found = cnnvis.communities(similarity(averages), algorithm=algorithm, weights=weights)
    assert same_groups(found, labels)
    assert np.bincount(found).tolist() == [20, 12, 9, 5]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_same_seed_gives_the_same_groups(algorithm):
    random = np.random.default_rng(1)
    matrix = similarity(random.normal(size=(50, 5)) @ random.normal(size=(5, 80)) + random.normal(size=(50, 80)))
    first = cnnvis.communities(matrix, algorithm=algorithm, random_state=3)
    for _ in range(3):
        np.testing.assert_array_equal(cnnvis.communities(matrix, algorithm=algorithm, random_state=3), first)


def test_channels_without_links_stand_alone():
    averages, labels = planted([4, 3])
    averages = np.concatenate([averages, np.full((400, 2), 7.0)], axis=1)  # two that never vary
    found = cnnvis.communities(similarity(averages))
    assert same_groups(found[:7], labels)
    assert found.tolist()[7:] == [2, 3]
    assert cnnvis.communities(np.eye(1)).tolist() == [0]
    assert cnnvis.communities(np.full((2, 2), np.nan)).tolist() == [0, 1]


def test_a_higher_resolution_gives_no_fewer_groups():
    averages, _ = planted([10, 10, 10], noise=2.0)
    matrix = similarity(averages)
    counts = [cnnvis.communities(matrix, exponent=1, resolution=each).max() for each in (0.1, 1, 4)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.permutations(range(15)))
def test_clear_groups_do_not_depend_on_the_order_of_channels(seed, permutation):
    averages, _ = planted([7, 5, 3], noise=0.3, seed=seed)
    matrix = similarity(averages)
    found = cnnvis.communities(matrix)
    shuffled = cnnvis.communities(matrix[np.ix_(permutation, permutation)])
    np.testing.assert_array_equal(shuffled, found[list(permutation)])


def test_groups_are_numbered_by_size_then_by_their_lowest_channel():
    assert by_size([5, 9, 9, 5, 1]).tolist() == [0, 1, 1, 0, 2]


def test_modularity_by_hand_and_beside_networkx():
    networkx = pytest.importorskip("networkx")
    pair = np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]], float)
    assert modularity(pair, np.array([0, 0, 1, 1])) == pytest.approx(0.5)
    assert modularity(np.zeros((2, 2)), np.array([0, 1])) == 0
    averages, labels = planted([5, 6], noise=2)
    weights = link_weights(similarity(averages), exponent=1)
    groups = [set(np.flatnonzero(labels == label).tolist()) for label in (0, 1)]
    expected = networkx.community.modularity(networkx.from_numpy_array(weights), groups)
    assert modularity(weights, labels) == pytest.approx(expected)


# ------------------------------------------------------------------------------------------------------ how sure


def test_clear_groups_are_stable_and_chance_is_not():
    averages, _ = planted([8, 6])
    labels = cnnvis.communities(similarity(averages))
    assert community_stability(averages, labels, n_draws=5).mean.min() > 0.95
    noise = np.random.default_rng(0).normal(size=(40, 30))
    of_noise = cnnvis.communities(similarity(noise))
    assert community_stability(noise, of_noise, n_draws=5).mean.mean() < 0.6


def test_group_counts_beside_shuffled_images():
    averages, _ = planted([8, 6, 4])
    counts = group_counts(averages, exponents=(1, 6), n_draws=3)
    assert counts.found.tolist() == [3, 3]
    assert counts.null_found.shape == (3, 2)
    assert (counts.modularity[0] > counts.null_modularity[:, 0]).all()
    again = group_counts(averages, exponents=(1, 6), n_draws=3)
    np.testing.assert_array_equal(counts.null_modularity, again.null_modularity)


def test_too_few_images_are_refused():
    with pytest.raises(InvalidInputError, match="three images"):
        group_counts(np.zeros((2, 4)))
    with pytest.raises(InvalidInputError, match="one per channel"):
        community_stability(np.zeros((5, 4)), [0, 1])
