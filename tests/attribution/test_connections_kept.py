"""Which links are kept, folded or left out."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import cnnvis
from cnnvis import connect
from cnnvis.attribution import link_importance, most_important, unit_importance
from cnnvis.capture import trace
from cnnvis.core import EdgeSet, Importance
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError
from cnnvis.layout import random_network

EXAMPLE = torch.ones(1, 2)


def mlp():
    """Weights of the first layer [[1, 0.5, 0], [1, 0, 0.75]] by source, of the second [[1, .5], [.5, 0], [0, .25]]."""
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    with torch.no_grad():
        net[0].weight[:] = torch.tensor([[4.0, -4.0], [2.0, 0.0], [0.0, 3.0]])
        net[2].weight[:] = torch.tensor([[2.0, 1.0, 0.0], [-1.0, 0.0, 0.5]])
    return net


SCORES = {"0": np.array([4.0, 2.0, 1.0])}  # scaled 1, 1/2, 1/4


def test_importance_of_links_is_weight_times_that_of_their_start():
    edges = connect(mlp(), SCORES, example=EXAMPLE)
    assert edges.weight.tolist() == [1, 0.5, 0, 1, 0, 0.75, 1, 0.5, 0.5, 0, 0, 0.25]
    assert edges.importance.tolist() == [1, 0.5, 0, 1, 0, 0.75, 1, 0.5, 0.25, 0, 0, 0.0625]
    found = link_importance(mlp(), SCORES, example=EXAMPLE)
    assert edges.importance.tolist() == [*found["0"].T.reshape(-1), *found["2"].T.reshape(-1)]


def test_the_most_important_links_are_kept_of_equals_the_first():
    edges = connect(mlp(), SCORES, top_k=2, example=EXAMPLE)
    assert list(zip(edges.source, edges.target, strict=True)) == [(0, 2), (1, 2)]  # three links of 1: the first two
    assert edges.caption == "edges 2 of 12, importance kept 39.5 %"  # 2 of 5.0625
    assert connect(mlp(), SCORES, top_k=0, example=EXAMPLE).caption == "edges 0 of 12, importance kept 0.0 %"
    assert len(connect(mlp(), SCORES, top_k=99, example=EXAMPLE)) == 12
    by_weight = connect(mlp(), top_k=5, example=EXAMPLE)
    assert by_weight.weight.tolist() == [1, 0.5, 1, 0.75, 1]
    assert by_weight.caption == "edges 5 of 12, weight kept 77.3 %"  # 4.25 of 5.5


def test_each_gap_by_itself_keeps_as_many_links():
    edges = connect(mlp(), SCORES, top_k=5, per_gap=True, example=EXAMPLE)
    assert edges.importance.tolist() == [1, 1, 1, 0.5, 0.25]  # of all: three of the first gap, two of the second
    assert edges.layer.tolist() == [0, 0, 1, 1, 1]
    half = connect(mlp(), SCORES, prune_percentage=0.5, per_gap=True, example=EXAMPLE)
    assert half.layer.tolist() == [0] * 3 + [1] * 3


@settings(max_examples=50)
@given(
    st.lists(st.integers(1, 6), min_size=2, max_size=5), st.integers(0, 60), st.sampled_from([0, 0.3, 0.9]), st.data()
)
def test_no_gap_is_passed_over_for_another(sizes, top_k, share, data):
    edges, _ = random_network(sizes, random_state=data.draw(st.integers(0, 99)))
    kept = most_important(edges, top_k, share, per_gap=True)
    limits = np.array([a * b - int(share * a * b + 1e-9) for a, b in pairwise(sizes)])
    counts = np.bincount(kept.layer, minlength=len(limits))
    assert counts.sum() == min(top_k, limits.sum())
    assert (counts <= limits).all()
    short = counts < limits
    if short.any():  # no gap has more than a gap that lost links, but for one where they cannot be shared out
        assert counts.max() - counts[short].min() <= 1
    for gap, count in enumerate(counts):
        best = np.sort(edges.weight[edges.layer == gap])[::-1][:count]
        assert np.sort(kept.weight[kept.layer == gap])[::-1].tolist() == best.tolist()


def test_gaps_need_units():
    with pytest.raises(InvalidInputError, match=r"set EdgeSet\.units"):
        most_important(EdgeSet([0], [1], [1.0]), 1, per_gap=True)


@pytest.mark.parametrize(("share", "n_kept"), [(0, 12), (0.29, 9), (0.5, 6), (0.95, 1), (1, 0)])
def test_pruned_by_a_share_over_all_layers(share, n_kept):
    edges = connect(mlp(), SCORES, prune_percentage=share, example=EXAMPLE)
    assert len(edges) == n_kept
    every = np.sort(connect(mlp(), SCORES, example=EXAMPLE).importance)[::-1]
    assert np.sort(edges.importance)[::-1].tolist() == every[:n_kept].tolist()
    assert len(connect(mlp(), SCORES, prune_percentage=share, top_k=7, example=EXAMPLE)) == min(n_kept, 7)


@settings(max_examples=25)
@given(st.integers(0, 40), st.floats(0, 1), st.integers(0, 9))
def test_no_link_that_is_left_out_is_more_important_than_one_that_is_kept(top_k, share, seed):
    torch.manual_seed(seed)
    net, example = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 5)), torch.rand(1, 3)
    scores = {"0": np.random.default_rng(seed).integers(0, 3, 4)}
    every = connect(net, scores, example=example)
    kept = connect(net, scores, top_k=top_k, prune_percentage=share, example=example)
    links = list(zip(every.source, every.target, strict=True))
    is_kept = np.isin(np.arange(len(every)), [links.index(pair) for pair in zip(kept.source, kept.target, strict=True)])
    assert every.importance[~is_kept].max(initial=0) <= every.importance[is_kept].min(initial=np.inf)
    assert np.array_equal(every.weight[is_kept], kept.weight)
    assert (kept.n_total or len(kept)) == len(every)


def test_importance_of_links_on_a_real_network_is_that_of_link_importance():
    network = cnnvis.models.load("mnist-mlp")
    scores = cnnvis.importance(network, None, "weight")
    edges = connect(network, scores)
    for layer, values in link_importance(network, scores).items():
        into = edges.importance[edges.units.layer_of(edges.target) == edges.units.index(layer)]
        np.testing.assert_allclose(into, values.T.reshape(-1), rtol=1e-6)


def test_layers_that_share_their_channels_may_share_scores():
    """A depthwise convolution without scores of its own takes those of its space."""
    net = nn.Sequential(nn.Conv2d(1, 2, 1), nn.Conv2d(2, 2, 1, groups=2), nn.Conv2d(2, 1, 1))
    edges = connect(net, {"0": [1.0, 2.0]}, example=torch.rand(1, 1, 2, 2))
    np.testing.assert_allclose(edges.importance / edges.weight, [1, 1, 0.5, 1, 0.5, 1])


def broken(value):
    net = mlp()
    with torch.no_grad():
        net[0].weight[0, 0] = value
        net[0].weight[1, 1] = value
    return net


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_named_and_not_drawn(value):
    edges = connect(broken(value), example=EXAMPLE)
    assert list(zip(edges.source, edges.target, strict=True))[:4] == [(0, 3), (0, 4), (1, 2), (1, 4)]
    assert edges.weight[:4].tolist() == [0.5, 0, 1, 0.75]  # by the largest finite one
    assert edges.notes == ("2 links to '0' have weights that are NaN or infinite: not drawn.",)
    assert edges.caption.startswith("edges 10 of 12")
    assert connect(broken(value), top_k=3, example=EXAMPLE).n_total == 12


def test_of_weights_none_of_which_is_finite_nothing_is_kept():
    net = nn.Linear(2, 3)
    torch.nn.init.constant_(net.weight, float("nan"))
    assert connect(net, example=EXAMPLE).caption == "edges 0 of 6, weight kept 0.0 %"
    torch.nn.init.zeros_(net.weight)
    assert connect(net, example=EXAMPLE).caption == "edges 6 of 6, weight kept 100.0 %"


def test_importance_that_is_not_finite_is_named_and_not_drawn():
    edges = connect(mlp(), {"0": np.array([4.0, np.nan, 1.0])}, example=EXAMPLE)
    assert edges.notes == ("The importance of 1 units of '0' is NaN or infinite: their links are not drawn.",)
    assert len(edges) == 10
    assert 3 not in edges.source
    assert 3 in edges.target


class Blocks(nn.Module):
    """A stem, a block of two layers that adds to the stream, a block of one, a head."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(2, 3)
        self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 3)), nn.Linear(3, 3)])
        self.head = nn.Linear(3, 2)

    def forward(self, x):
        x = self.stem(x)
        x = x + self.blocks[0](x)
        return self.head(self.blocks[1](x))


def strength(layer):
    return (layer.weight.abs() / layer.weight.abs().max()).detach().double().numpy().T


def test_a_block_is_one_slab_and_its_links_are_ways_through():
    torch.manual_seed(0)
    net = Blocks()
    edges = connect(net, fold="blocks.0", example=EXAMPLE)
    assert edges.units.layers == ("x", "stem", "blocks.0", "blocks.1", "head")
    assert edges.units.sizes == (2, 3, 3, 3, 2)
    assert edges.units.members == {"blocks.0": {"blocks.0.2": 3}}
    assert edges.notes == ("Folded to one slab each: blocks.0.",)
    ways = strength(net.blocks[0][0]) @ strength(net.blocks[0][2])
    is_in = edges.units.layer_of(edges.target) == 2
    np.testing.assert_allclose(edges.weight[is_in], (ways / ways.max()).reshape(-1), rtol=1e-5)
    whole = connect(net, example=EXAMPLE)
    is_out, was_out = edges.layer == 2, whole.layer == whole.units.index("blocks.0.2")
    assert np.array_equal(edges.weight[is_out], whole.weight[was_out])
    assert edges.n_total == len(edges) == 6 + 9 + 9 + 9 + 6


def test_globs_fold_every_block_and_a_name_folds_all_in_one():
    edges = connect(Blocks(), fold="blocks.*", example=EXAMPLE)
    assert edges.units.layers == ("x", "stem", "blocks.0", "blocks.1", "head")
    edges = connect(Blocks(), fold=("blocks.0", "blocks"), example=EXAMPLE)  # the outermost counts
    assert edges.units.layers == ("x", "stem", "blocks", "head")
    assert edges.units.members == {"blocks": {"blocks.1": 3}}


def test_a_folded_block_keeps_all_layers_that_are_read_outside():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.ModuleList([nn.Linear(2, 3), nn.Linear(3, 4), nn.Linear(4, 3)])
            self.head = nn.Linear(3, 2)

        def forward(self, x):
            x = self.body[0](x)
            return self.head(x + self.body[2](self.body[1](x)))

    net = Net()
    edges = connect(net, fold="body", example=EXAMPLE)
    assert edges.units.members == {"body": {"body.0": 3, "body.2": 3}}
    assert edges.units.sizes == (2, 6, 2)
    one = strength(net.body[0])
    ways = np.concatenate([one, one @ strength(net.body[1]) @ strength(net.body[2])], axis=1)
    np.testing.assert_allclose(edges.weight[:12], (ways / ways.max()).reshape(-1), rtol=1e-5)
    scores = {"body.0": [1, 2, 4], "body.2": [1, 1, 2]}
    assert unit_importance(edges.units, scores)[0].tolist() == [1, 1, 0.25, 0.5, 1, 0.5, 0.5, 1, 1, 1]
    important = connect(net, scores, fold="body", example=EXAMPLE)
    np.testing.assert_allclose(important.importance[12::2] / important.weight[12::2], [0.25, 0.5, 1, 0.5, 0.5, 1])


def test_links_of_weight_zero_are_ways_too():
    net = Blocks()
    nn.init.zeros_(net.blocks[0][0].weight)
    edges = connect(net, fold="blocks.0", example=EXAMPLE)
    is_in = edges.units.layer_of(edges.target) == 2
    assert edges.weight[is_in].tolist() == [0] * 9


def test_a_whole_network_may_be_folded():
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2))
    edges = connect(nn.Sequential(net), fold="0", example=EXAMPLE)
    assert edges.units.sizes == (2, 2)
    assert len(edges) == 4
    scores, profiles = unit_importance(
        edges.units, Importance({"0.0": [1, 1, 1]}, "m", per_class={"0.0": np.ones((3, 2))})
    )
    assert profiles.tolist() == [[1, 1], [1, 1], [1, 0], [0, 1]]
    assert scores.tolist() == [1, 1, 1, 1]


def test_efficientnet_folds_by_block():
    network = cnnvis.models.load("efficientnet-lite0")
    edges = connect(network, cnnvis.importance(network, None, "weight"), fold="_blocks.*", top_k=1000)
    assert edges.units.layers[:4] == ("inputs", "_conv_stem", "_blocks.0", "_blocks.1")
    assert len(edges.units.layers) == 20
    assert np.all(edges.units.layer_of(edges.target) > edges.layer)
    assert len(edges) == 1000


class Crossing(nn.Module):
    """Data leaves block a and enters it again."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)]), nn.Linear(2, 2)

    def forward(self, x):
        return self.a[1](self.b(self.a[0](x)))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"top_k": -1}, InvalidInputError, "top_k must be a whole number of at least 0"),
        ({"top_k": 1.5}, InvalidInputError, "top_k must be"),
        ({"top_k": "a"}, InvalidInputError, "top_k must be a whole number of at least 0, .*got 'a'"),
        ({"top_k": True}, InvalidInputError, "top_k must be"),
        ({"prune_percentage": "a"}, InvalidInputError, "share of the links from 0 to 1, got 'a'"),
        ({"prune_percentage": 90}, InvalidInputError, "share of the links from 0 to 1, got 90"),
        ({"prune_percentage": float("nan")}, InvalidInputError, "from 0 to 1, got nan"),
        ({"fold": "c"}, LayerNotFoundError, "No block 'c' to fold"),
        ({"fold": "a"}, InvalidInputError, "'a' cannot be folded: data leaves it and enters it again, by way of b"),
        ({"importance": {"b": [1, 1]}}, InvalidInputError, "no importance of the hidden layer 'a.0'"),
    ],
)
def test_refusals(options, error, message):
    with pytest.raises(error, match=message):
        connect(Crossing(), example=EXAMPLE, **options)


def test_a_graph_has_importance_and_blocks_too():
    graph = trace(Blocks(), EXAMPLE)
    edges = connect(graph, {layer: np.arange(1, 4) for layer in ("stem", "blocks.0.2", "blocks.1")}, fold="blocks.0")
    assert edges.units.layers == ("x", "stem", "blocks.0", "blocks.1", "head")
    assert edges.weight.tolist() == [1] * len(edges)


def test_a_layer_that_is_not_followed_may_be_inside_a_block():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.ModuleList([nn.Linear(2, 3), nn.Bilinear(3, 3, 4), nn.Linear(4, 2)])
            self.head = nn.Linear(2, 1)

        def forward(self, x):
            x = self.body[0](x)
            return self.head(self.body[2](self.body[1](x, x)))

    edges = connect(Net(), fold="body", example=EXAMPLE)
    assert edges.units.members == {"body": {"body.0": 3, "body.2": 2}}  # the first is read by no layer that is followed
    links = list(zip(edges.source, edges.target, strict=True))
    assert links == [*((source, target) for source in (0, 1) for target in (2, 3, 4)), (5, 7), (6, 7)]
    assert edges.notes[0] == "Not followed, so no links lead through: body.1 (Bilinear)."
