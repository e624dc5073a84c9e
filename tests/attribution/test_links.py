"""Importance of links against hand-computed networks."""

import numpy as np
import pytest
import torch
from torch import nn

from cnnvis.attribution import LinkKind, link_importance
from cnnvis.attribution.links import without_links
from cnnvis.core import Importance
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError

EXAMPLE = torch.ones(1, 2)


def mlp():
    """2 -> 3 -> 2, weights of the first layer up to 4, of the second up to 2."""
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    with torch.no_grad():
        net[0].weight[:] = torch.tensor([[1.0, -4.0], [2.0, 0.0], [0.0, 3.0]])
        net[2].weight[:] = torch.tensor([[2.0, 1.0, 0.0], [-1.0, 0.0, 0.5]])
    return net


FIRST = np.array([[0.25, 1], [0.5, 0], [0, 0.75]])
SECOND = np.array([[1, 0.5, 0], [0.5, 0, 0.25]])
SCORES = {"0": np.array([4.0, 2.0, 1.0])}  # scaled 1, 1/2, 1/4; inputs and classes count as 1
HIDDEN = np.array([1, 0.5, 0.25])


def test_weights_alone():
    found = link_importance(mlp(), example=EXAMPLE)
    assert list(found) == ["0", "2"]
    np.testing.assert_allclose(found["0"], FIRST)
    np.testing.assert_allclose(found["2"], SECOND)


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("start", FIRST, SECOND * HIDDEN),
        ("end", FIRST * HIDDEN[:, None], SECOND),
        ("both", FIRST * (1 + HIDDEN[:, None]), SECOND * (HIDDEN + 1)),
        ("interpolate", FIRST * (1 + HIDDEN[:, None]) / 2, SECOND * (HIDDEN + 1) / 2),
    ],
)
def test_the_four_kinds_by_hand(kind, first, second):
    found = link_importance(mlp(), Importance(SCORES, method="m"), kind=kind, example=EXAMPLE)
    np.testing.assert_allclose(found["0"], first)
    np.testing.assert_allclose(found["2"], second)


def test_every_kind_is_tried_above():
    assert {kind.value for kind in LinkKind} == {"start", "end", "both", "interpolate"}


def test_importance_of_inputs_and_classes_counts_where_it_is_there():
    scores = SCORES | {"input": np.array([1.0, 2.0]), "2": np.array([0.0, 1.0])}
    start = link_importance(mlp(), scores, example=EXAMPLE)
    np.testing.assert_allclose(start["0"], FIRST * [0.5, 1])
    end = link_importance(mlp(), scores, kind="end", example=EXAMPLE)
    np.testing.assert_allclose(end["2"], SECOND * [[0], [1]])


def test_kernels_count_by_their_norm_and_a_flattened_channel_lends_its_importance_to_its_block():
    net = nn.Sequential(nn.Conv2d(1, 2, 2), nn.Flatten(), nn.Linear(8, 1))
    with torch.no_grad():
        net[0].weight[:] = torch.tensor([[3.0, 4.0, 0.0, 0.0], [0.0, 0.0, 10.0, 0.0]]).view(2, 1, 2, 2)
        net[2].weight[:] = 1
    found = link_importance(net, {"0": np.array([1.0, 4.0])}, example=torch.rand(1, 1, 3, 3))
    np.testing.assert_allclose(found["0"], [[0.5], [1.0]])
    np.testing.assert_allclose(found["2"], [[0.25] * 4 + [1.0] * 4])


class Parallel(nn.Module):
    """Two branches side by side, the second of two groups."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(2, 1, 1), nn.Conv2d(2, 4, 1, groups=2)
        self.out = nn.Conv2d(5, 1, 1)
        for part in self.children():
            nn.init.ones_(part.weight)

    def forward(self, x):
        return self.out(torch.cat([self.b(x), self.a(x)], dim=1))


def test_concatenation_and_groups():
    net, example = Parallel(), torch.rand(1, 2, 3, 3)
    scores = {"a": np.array([1.0]), "b": np.array([1.0, 2.0, 0.0, 2.0]), "x": np.array([1.0, 4.0])}
    found = link_importance(net, scores, example=example)
    np.testing.assert_allclose(found["out"], [[0.5, 1, 0, 1, 1]])
    np.testing.assert_allclose(found["a"], [[0.25, 1]])
    np.testing.assert_allclose(found["b"], [[0.25], [0.25], [1], [1]])  # each channel reads the input of its own group


@pytest.mark.parametrize("groups", [1, 2])
def test_transposed_convolutions_list_links_by_output(groups):
    layer = nn.ConvTranspose2d(4, 6, 2, groups=groups).requires_grad_(False)
    example = torch.rand(1, 4, 3, 3)
    found = link_importance(nn.Sequential(layer), example=example)["0"]
    assert found.shape == (6, 4 // groups)
    for out in range(6):
        for place in range(4 // groups):
            group = out // (6 // groups)
            kernel = layer.weight[group * (4 // groups) + place, out % (6 // groups)]
            top = layer.weight.flatten(2).norm(dim=2).max()
            assert found[out, place] == pytest.approx(float(kernel.norm() / top))
            removed = np.zeros(found.shape, dtype=bool)
            removed[out, place] = True
            changed = without_links("0", layer, removed) != layer.weight
            assert changed.nonzero()[:, :2].unique(dim=0).tolist() == [
                [group * (4 // groups) + place, out % (6 // groups)]
            ]


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.again = nn.Linear(2, 2), nn.Linear(2, 2)
        nn.init.ones_(self.again.weight)

    def forward(self, x):
        return self.again(torch.relu(self.again(torch.relu(self.first(x)))))


def test_a_layer_that_runs_twice_has_links_once():
    scores = {"first": np.array([1.0, 0.5]), "again": np.array([0.5, 1.0])}
    found = link_importance(Twice(), scores, example=EXAMPLE)
    assert list(found) == ["first", "again"]
    # both calls read channels of one space: the mean of its two layers, [3/4, 3/4], over its largest
    np.testing.assert_allclose(found["again"], np.ones((2, 2)))


def test_dead_layers_score_zero():
    net = mlp()
    nn.init.zeros_(net[0].weight)
    found = link_importance(net, {"0": np.zeros(3)}, example=EXAMPLE)
    assert not found["0"].any()
    assert not found["2"].any()


def test_layers_can_be_named():
    assert list(link_importance(mlp(), layers="2", example=EXAMPLE)) == ["2"]
    with pytest.raises(LayerNotFoundError, match="Available layers with links: 0, 2"):
        link_importance(mlp(), layers="1", example=EXAMPLE)
    with pytest.raises(LayerNotFoundError, match="No layer 'fc'"):
        link_importance(mlp(), layers="fc", example=EXAMPLE)


def test_refusals():
    net = mlp()
    with pytest.raises(InvalidInputError, match="no importance of 0, where links start or end"):
        link_importance(net, {"2": np.ones(2)}, example=EXAMPLE)
    with pytest.raises(InvalidInputError, match="has 4 scores, but the layer has 3 channels"):
        link_importance(net, {"0": np.ones(4)}, example=EXAMPLE)
    with pytest.raises(InvalidInputError, match="Unknown kind of link importance 'begin'"):
        link_importance(net, kind="begin", example=EXAMPLE)
    with torch.no_grad():
        net[2].weight[0, 0] = float("nan")
    with pytest.raises(InvalidInputError, match="weights of layer '2' hold NaN"):
        link_importance(net, example=EXAMPLE)


def test_a_computed_weight_has_no_links_to_set_to_zero():
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    with pytest.raises(InvalidInputError, match="computed from other parameters"):
        without_links("fc", layer, np.ones((2, 2), dtype=bool))


def test_links_that_are_off_are_zero_also_where_they_were_nan():
    layer = nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight[:] = torch.tensor([[float("nan"), 1.0]])
    assert without_links("fc", layer, np.array([[True, False]])).tolist() == [[0, 1]]
    assert layer.weight.isnan().any()
