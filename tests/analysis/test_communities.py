"""Communities of similar channels: planted groups come back, numbered by size, the same each time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

import cnnvis
from cnnvis.analysis import by_size, community_stability, group_counts, link_weights, modularity, similarity
from cnnvis.analysis._leiden import parts_of_group
from cnnvis.core.errors import CancelledError, InvalidInputError

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


def test_constant_channels_are_linked_to_nothing_by_any_rule():
    averages, _ = planted([3, 2])
    matrix = similarity(np.column_stack([averages, np.full(400, 7.0)]))
    for rule in ("power", "exponential"):
        graph = link_weights(matrix, rule)
        assert not graph[5].any()
        assert not graph[:, 5].any()
        assert (graph[:3, :3][~np.eye(3, dtype=bool)] > 0).all()


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
    with pytest.raises(InvalidInputError, match="random_state"):
        cnnvis.communities(np.eye(2), random_state=-1)
    with pytest.raises(InvalidInputError, match="within -1 to 1"):
        link_weights([[1, np.inf], [np.inf, 1]])
    with pytest.raises(InvalidInputError, match="array of numbers"):
        cnnvis.communities("alike")


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
    """Of channels between groups, where scikit-network's own Leiden gives other groups from call to call."""
    random = np.random.default_rng(1)
    signals = random.normal(size=(300, 10)) @ random.normal(size=(10, 120))
    matrix = similarity(0.4 * signals + random.normal(size=(300, 120)))
    first = cnnvis.communities(matrix, exponent=2, algorithm=algorithm, random_state=3)
    for _ in range(5):
        again = cnnvis.communities(matrix, exponent=2, algorithm=algorithm, random_state=3)
        np.testing.assert_array_equal(again, first)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@settings(max_examples=20)
@given(sizes=st.lists(st.integers(2, 9), min_size=1, max_size=6), seed=st.integers(0, 1000))
def test_blocks_come_back_whole(algorithm, sizes, seed):
    order = np.random.default_rng(seed).permutation(sum(sizes))
    labels = np.repeat(np.arange(len(sizes)), sizes)[order]
    matrix = np.where(labels[:, None] == labels, 0.8, 0.0)
    np.fill_diagonal(matrix, 1)
    found = cnnvis.communities(matrix, algorithm=algorithm, random_state=seed)
    np.testing.assert_array_equal(found, by_size(labels))


@settings(max_examples=30)
@given(seed=st.integers(0, 1000), n_channels=st.integers(1, 40), exponent=st.sampled_from([1, 2, 6]))
def test_any_groups_are_numbered_by_size_and_connected(seed, n_channels, exponent):
    random = np.random.default_rng(seed)
    matrix = similarity(random.normal(size=(12, n_channels)))
    found = cnnvis.communities(matrix, exponent=exponent, random_state=seed)
    sizes = np.bincount(found)
    assert (sizes > 0).all()
    assert (np.diff(sizes) <= 0).all()
    lowest = np.array([np.flatnonzero(found == group)[0] for group in range(sizes.size)])
    assert (np.diff(lowest)[np.diff(sizes) == 0] > 0).all()
    graph = link_weights(matrix, exponent=exponent)
    for group in range(sizes.size):
        members = np.flatnonzero(found == group)
        assert connected_components(graph[np.ix_(members, members)] > 0)[0] == 1
    assert modularity(graph, found) >= modularity(graph, np.arange(n_channels)) - 1e-9


def test_both_algorithms_reach_the_modularity_of_networkx():
    networkx = pytest.importorskip("networkx")
    averages, _ = planted([12, 10, 8, 6, 4], noise=2.0, n_images=100)
    graph = link_weights(similarity(averages), exponent=2)
    groups = networkx.community.louvain_communities(networkx.from_numpy_array(graph), seed=0)
    expected = networkx.community.modularity(networkx.from_numpy_array(graph), groups)
    for algorithm in ALGORITHMS:
        found = cnnvis.communities(similarity(averages), exponent=2, algorithm=algorithm)
        assert modularity(graph, found) > expected - 0.02


def test_no_channels_have_no_groups():
    assert cnnvis.communities(np.zeros((0, 0))).shape == (0,)


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


@settings(max_examples=20)
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


def test_parts_of_a_group_are_well_connected():
    """Of two triangles that one weak link joins no part crosses it, however the group came to be."""
    links = np.zeros((7, 7))
    for one, other, weight in [(0, 1, 1), (1, 2, 1), (0, 2, 1), (3, 4, 1), (4, 5, 1), (3, 5, 1), (2, 3, 0.1)]:
        links[one, other] = links[other, one] = weight / 12.2
    found = parts_of_group(links, links.sum(axis=1))
    assert found[0] == found[1]  # by hand: the first to move, to the lower of two equal gains
    assert found[3] == found[4]
    assert not set(found[:3]) & set(found[3:6])
    assert found[6] == 6  # linked to nothing
    assert len(set(parts_of_group(links, links.sum(axis=1), resolution=50).tolist())) == 7
    assert found.tolist() == parts_of_group(links + 9 * np.eye(7), links.sum(axis=1)).tolist()


# ------------------------------------------------------------------------------------------------------ how sure


def test_clear_groups_are_stable_and_chance_is_not():
    averages, _ = planted([8, 6])
    labels = cnnvis.communities(similarity(averages))
    assert community_stability(averages, labels, n_draws=5).mean.min() > 0.95
    noise = np.random.default_rng(0).normal(size=(40, 30))
    of_noise = cnnvis.communities(similarity(noise))
    assert community_stability(noise, of_noise, n_draws=5).mean.mean() < 0.6


def test_stability_by_hand():
    """Two pairs, one of which falls apart in every draw of images."""
    signal = np.arange(10.0) % 3
    averages = np.column_stack([signal, signal, np.eye(10)[0], np.eye(10)[1]])
    found = community_stability(averages, [0, 0, 1, 1], n_draws=4)
    np.testing.assert_array_equal(found.jaccard[:, 0], 1)
    assert set(found.jaccard[:, 1].tolist()) == {0.5}
    np.testing.assert_array_equal(found.mean, [1, 0.5])


def test_stability_repeats_itself_and_takes_the_rule_of_the_groups():
    averages, labels = planted([8, 6], noise=1.5, n_images=40)
    rule = {"weights": "exponential", "exponent": 5.0, "algorithm": "louvain", "resolution": 2.0}
    found = community_stability(averages, labels, n_draws=3, **rule)
    again = community_stability(averages, labels, n_draws=3, **rule)
    np.testing.assert_array_equal(found.jaccard, again.jaccard)
    assert (found.jaccard != community_stability(averages, labels, n_draws=3).jaccard).any()


def test_group_counts_beside_shuffled_images():
    averages, _ = planted([8, 6, 4])
    counts = group_counts(averages, exponents=(1, 6), n_draws=3)
    assert counts.found.tolist() == [3, 3]
    assert counts.null_found.shape == (3, 2)
    assert (counts.modularity[0] > counts.null_modularity[:, 0]).all()
    again = group_counts(averages, exponents=(1, 6), n_draws=3)
    np.testing.assert_array_equal(counts.null_modularity, again.null_modularity)


def test_chance_gives_as_many_groups_as_there_are_in_noise():
    noise = np.random.default_rng(0).normal(size=(60, 40))
    counts = group_counts(noise, exponents=(2,), n_draws=8)
    assert counts.null_found.min() - 2 <= counts.found[0] <= counts.null_found.max() + 2
    low, high = counts.null_modularity.min(), counts.null_modularity.max()
    assert low - 0.03 < counts.modularity[0] < high + 0.03


def test_constant_and_holed_channels_are_no_trouble():
    averages, _ = planted([6, 5])
    averages[:, 3] = 2.0
    averages[7, 0] = np.nan
    labels = cnnvis.communities(similarity(averages))
    assert np.bincount(labels).tolist() == [5, 5, 1]
    assert labels[3] == 2
    assert community_stability(averages, labels, n_draws=3).mean.tolist() == [1, 1, 1]
    assert group_counts(averages, exponents=(6,), n_draws=1).found.tolist() == [2]


def test_draws_report_themselves_and_can_be_cancelled():
    averages, labels = planted([4, 3])
    seen = []
    community_stability(averages, labels, n_draws=3, progress=lambda *step: seen.append(step))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    seen.clear()
    group_counts(averages, exponents=(1, 6), n_draws=1, progress=lambda *step: seen.append(step))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]

    def stop(*_):
        raise CancelledError

    for work in (
        lambda: community_stability(averages, labels, progress=stop),
        lambda: group_counts(averages, progress=stop),
    ):
        with pytest.raises(CancelledError):
            work()


@pytest.mark.parametrize("work", [group_counts, lambda averages: community_stability(averages, [0, 0, 0, 0])])
@pytest.mark.parametrize("averages", [np.zeros((2, 4)), np.zeros(4), np.zeros((5, 0))])
def test_too_few_images_are_refused(work, averages):
    with pytest.raises(InvalidInputError, match="three images"):
        work(averages)


@pytest.mark.parametrize(
    ("labels", "n_draws", "message"),
    [
        ([0, 1], 5, r"labels has shape \(2,\)"),
        ([0, 0, -1, 1], 5, "negative"),
        ([0, 0.5, 1, 1], 5, "whole"),
        ([0] * 4, 0, "n_draws"),
    ],
)
def test_bad_labels_and_draws_are_named(labels, n_draws, message):
    with pytest.raises(InvalidInputError, match=message):
        community_stability(np.random.default_rng(0).normal(size=(5, 4)), labels, n_draws=n_draws)
