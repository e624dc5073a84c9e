"""The graph of a layer's channels: which links stay, how large channels are, groups apart in space."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnvis.core import ChannelGraph, EdgeSet
from cnnvis.core.errors import CancelledError, InvalidInputError
from cnnvis.layout import channel_graph
from cnnvis.layout.channel_graph import LINKS_PER_CHANNEL

EDGES = EdgeSet([0], [1], [1.0])


def symmetric(n, pairs):
    weights = np.zeros((n, n))
    for (one, other), weight in pairs.items():
        weights[one, other] = weights[other, one] = weight
    return weights


def links_of(graph):
    return {(int(a), int(b)): w for a, b, w in zip(*ends_of(graph), graph.links.weight, strict=True)}


def ends_of(graph):
    return graph.links.source, graph.links.target


def test_a_link_stays_where_it_is_among_the_strongest_of_one_of_its_ends():
    assert LINKS_PER_CHANNEL == 3
    # 0 is linked to all others, 5 only weakly: for 0 it is the fifth, but 5 has no other
    star = {(0, other): 1.0 - other / 10 for other in range(1, 6)}
    among = {(1, 2): 0.05, (1, 3): 0.04, (1, 4): 0.03}
    graph = channel_graph(symmetric(6, star | among), np.zeros(6, int), layer="conv")
    assert links_of(graph) == pytest.approx(star | among)
    more = {(2, 3): 0.5, (2, 4): 0.5, (3, 4): 0.5}  # now 1-2, 1-3 and 1-4 are the strongest of 1 only
    assert links_of(channel_graph(symmetric(6, star | among | more), np.zeros(6, int))) == pytest.approx(
        star | more | {(1, 2): 0.05, (1, 3): 0.04}
    )


@settings(max_examples=25)
@given(st.integers(1, 14), st.integers(0, 999))
def test_links_are_those_found_one_channel_at_a_time(n, seed):
    random = np.random.default_rng(seed)
    weights = random.permutation(n * n).reshape(n, n) * (random.random((n, n)) < 0.6)
    weights = np.triu(weights, 1) + np.triu(weights, 1).T.astype(float)
    expected = set()
    for channel in range(n):
        linked = sorted(np.flatnonzero(weights[channel]), key=lambda other: -weights[channel, other])
        expected |= {tuple(sorted((channel, int(other)))) for other in linked[:LINKS_PER_CHANNEL]}
    graph = channel_graph(weights, np.zeros(n, int))
    assert set(links_of(graph)) == expected
    assert graph.links.caption.startswith(f"edges {len(expected):,} of {np.count_nonzero(np.triu(weights)):,}")


def test_groups_stand_apart_in_space_the_same_each_time():
    labels = np.repeat([0, 1, 2], [12, 9, 6])
    weights = np.where(labels[:, None] == labels, 1.0, 0.02) * (1 - np.eye(27))
    graph = channel_graph(weights, labels, layer="conv")
    assert graph.places.shape == (27, 3)
    assert np.linalg.matrix_rank(graph.places - graph.places.mean(axis=0), tol=0.05) == 3
    middles = np.array([graph.places[labels == label].mean(axis=0) for label in range(3)])
    nearest = np.linalg.norm(graph.places[:, None] - middles, axis=2).argmin(axis=1)
    np.testing.assert_array_equal(nearest, labels)
    np.testing.assert_array_equal(channel_graph(weights, labels).places, graph.places)
    assert graph.group_names == ("0 (12)", "1 (9)", "2 (6)")


def test_sizes_are_shares_of_the_largest_value():
    weights = symmetric(4, {(0, 1): 1.0})
    graph = channel_graph(weights, [0, 0, 1, 2], [1.0, 4.0, np.nan, 0.0])
    np.testing.assert_allclose(graph.sizes, [0.25, 1, 0, 0])
    assert (graph.n_groups, graph.group_names) == (1, ("0 (2)",))
    np.testing.assert_array_equal(graph.shares, [[1], [1], [0], [0]])
    assert (channel_graph(weights, [0, 0, 1, 2]).sizes == 1).all()
    assert (channel_graph(weights, [0, 0, 1, 2], np.zeros(4)).sizes == 0).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.eye(3), [0, 0]), "labels"),
        ((np.eye(3), [0, 1, 1]), "largest first"),
        ((np.eye(3), [0, 0, 0], [1.0, 2.0]), "values"),
        ((np.eye(3), [0, 0, 0], [1.0, -2.0, 0.0]), "values"),
        ((np.triu(np.ones((3, 3))), [0, 0, 0]), "symmetric"),
        ((np.full((2, 2), np.nan), [0, 0]), "weights"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(InvalidInputError, match=message):
        channel_graph(*arguments)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"places": np.zeros((2, 2))}, "places"),
        ({"places": np.full((2, 3), np.nan)}, "places"),
        ({"sizes": [0.5, 1.5]}, "0 to 1"),
        ({"labels": [0, -1]}, "largest first"),
        ({"links": EdgeSet([0], [2], [1.0])}, "channel 2"),
    ],
)
def test_a_graph_that_does_not_fit_itself_is_refused(change, message):
    good = {"layer": "conv", "places": np.zeros((2, 3)), "labels": [0, 0], "sizes": [0.5, 1.0], "links": EDGES}
    assert len(ChannelGraph(**good)) == 2
    with pytest.raises(InvalidInputError, match=message):
        ChannelGraph(**(good | change))


def test_it_can_be_cancelled():
    def stop(done, total):
        raise CancelledError("enough")

    with pytest.raises(CancelledError):
        channel_graph(np.ones((5, 5)), np.zeros(5, int), progress=stop)
