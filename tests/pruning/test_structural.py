"""Physically smaller networks against masked ones."""

import copy

import numpy as np
import pruning_nets
import pytest
import torch
from torch import nn

from cnnvis.attribution import importance
from cnnvis.capture import channel_spaces, switch_off
from cnnvis.core import Importance
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError
from cnnvis.models import ImageSpec, Network, load
from cnnvis.pruning import prune

SPEC = ImageSpec((16, 16), mean=0.5, std=0.5)
CLASSES = tuple("abcde")


def network(family):
    return Network(pruning_nets.make(family), image=SPEC, class_names=CLASSES)


def by_weight(model):
    return importance(model, method="weight")


def random_scores(model, example, seed=0):
    generator = np.random.default_rng(seed)
    spaces = channel_spaces(model, example)
    return {layer: generator.random(space.size) for space in spaces for layer in space.layers}


@pytest.mark.parametrize("scope", ["global", "layer"])
@pytest.mark.parametrize("family", pruning_nets.FAMILIES)
def test_the_smaller_network_computes_what_the_masked_one_does(family, scope):
    model = pruning_nets.make(family).double()
    inputs = pruning_nets.images(seed=7, n=3).double()
    scores = random_scores(model, inputs)
    found = prune(model, scores, example=pruning_nets.images(n=1).double(), keep=0.5, scope=scope)
    with torch.no_grad(), switch_off(model, found.removed, example=inputs):
        masked = model(inputs)
    with torch.no_grad():
        assert torch.allclose(found.network.module(inputs), masked, rtol=0, atol=1e-12)
        assert not torch.allclose(model(inputs), masked, rtol=0, atol=1e-3)
    assert not found.left_whole
    assert found.largest_difference < 1e-12
    assert found.n_parameters[1] < 0.75 * found.n_parameters[0]
    assert found.multiply_adds[1] < 0.75 * found.multiply_adds[0]


def test_by_hand():
    """2 -> 3 -> 2, of which the middle unit goes."""
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2)).requires_grad_(False)
    model[2].bias.requires_grad_(True)
    found = prune(model, {"0": np.array([2.0, 1.0, 3.0])}, keep=0.6, example=torch.ones(1, 2))
    smaller = found.network.module
    assert found.removed["0"].tolist() == [1]
    assert torch.equal(smaller[0].weight, model[0].weight[[0, 2]])
    assert torch.equal(smaller[0].bias, model[0].bias[[0, 2]])
    assert torch.equal(smaller[2].weight, model[2].weight[:, [0, 2]])
    assert torch.equal(smaller[2].bias, model[2].bias)
    assert (smaller[0].out_features, smaller[2].in_features) == (2, 2)
    assert [p.requires_grad for p in smaller.parameters()] == [False, False, False, True]
    assert found.n_parameters == (9 + 8, 6 + 6)
    assert found.multiply_adds == (6 + 6, 4 + 4)
    assert found.original == "Sequential"


def test_groups_lose_as_many_channels_each():
    model = pruning_nets.make("grouped")
    scores = {"stem.0": np.arange(8.0), "two.0": np.arange(8.0), "four.0": np.array([9, 0, 9, 9] * 4)}
    found = prune(model, scores, example=pruning_nets.images(n=1), keep=0.75, scope="layer")
    assert found.removed["four.0"].tolist() == [1, 5, 9, 13]
    # 8 channels in 4 groups can only be halved, which is more than was asked for
    assert "stem.0" not in found.removed
    four = found.network.module.four[0]
    assert (four.groups, four.in_channels, four.out_channels) == (4, 8, 12)


def test_groups_of_a_single_channel_are_left_whole():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Conv2d(4, 8, 1, groups=4), nn.Conv2d(8, 2, 1))
    example = pruning_nets.images(n=1)
    found = prune(model, by_weight(model), example=example, keep=0.5)
    assert "each channel for a group" in found.left_whole["0"]
    assert found.removed["2"].size == 4


def test_depthwise_convolutions_lose_groups():
    model = pruning_nets.make("mobilenet")
    found = prune(model, by_weight(model), example=pruning_nets.images(n=1), layers="blocks.1.expand.0", keep=0.5)
    depthwise = found.network.module.blocks[1].depthwise[0]
    assert (depthwise.groups, depthwise.in_channels, depthwise.out_channels) == (9, 9, 9)
    assert list(found.removed) == ["blocks.1.expand.0"]


@pytest.mark.parametrize("family", pruning_nets.FAMILIES)
def test_keeping_everything_gives_an_identical_network(family):
    model = network(family)
    found = prune(model, by_weight(model), keep=1.0)
    ours, theirs = found.network.module.state_dict(), model.module.state_dict()
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert all(ours[name].data_ptr() != theirs[name].data_ptr() for name in ours)
    assert not found.removed
    assert found.n_parameters[0] == found.n_parameters[1] == model.n_parameters


@pytest.mark.parametrize("keep", [0.9, 0.5, 0.001])
def test_shares_that_stay(keep):
    model = network("vgg")  # 8 + 12 + 20 hidden units
    found = prune(model, by_weight(model), keep=keep, min_channels=2)
    gone = {name: channels.size for name, channels in found.removed.items()}
    assert sum(gone.values()) == min(round((1 - keep) * 40), 40 - 6)
    assert all(size - gone.get(name, 0) >= 2 for name, size in (("features.0", 8), ("features.4", 12)))


def test_the_least_important_go_first():
    model = network("vgg")
    scores = by_weight(model)
    found = prune(model, scores, scope="layer", keep=0.5)
    for layer, gone in found.removed.items():
        stays = np.setdiff1d(np.arange(scores[layer].size), gone)
        assert scores[layer][gone].max() <= scores[layer][stays].min()


def test_ties_are_broken_by_the_seed():
    model = network("vgg")
    ties = {name: np.ones_like(array) for name, array in by_weight(model).scores.items()}
    found = [prune(model, ties, random_state=seed).removed["classifier.0"].tolist() for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]


def test_the_original_is_left_alone_and_its_description_goes_along():
    model = network("resnet")
    model.module.train()
    model.module.fc.weight.grad = torch.ones_like(model.module.fc.weight)
    before = copy.deepcopy(model.module.state_dict())
    found = prune(model, by_weight(model), keep=0.4)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.module.state_dict().items())
    assert model.module.training
    assert not found.network.module.training
    assert not any(part._forward_hooks for part in (*model.module.modules(), *found.network.module.modules()))
    assert found.network.class_names == CLASSES
    assert found.network.image == SPEC
    assert "pruned" in found.network.name
    assert found.options["method"] == "weight"
    assert model.module.fc.weight.grad is not None


def test_what_cannot_be_removed_is_left_whole_and_said():
    class Half(nn.Module):
        """A norm over channels in its second half."""

        def __init__(self):
            super().__init__()
            self.conv, self.conv2 = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 6, 1)
            self.norm, self.fc = nn.GroupNorm(2, 6), nn.Linear(6, 2)

        def forward(self, x):
            return self.fc(self.norm(self.conv2(torch.relu(self.conv(x)))).mean((2, 3)))

    model = Half()
    found = prune(model, by_weight(model), example=pruning_nets.images(n=1), keep=0.5)
    assert list(found.removed) == ["conv"]
    assert list(found.left_whole) == ["conv2"]
    assert "GroupNorm" in found.left_whole["conv2"]
    assert "fc" not in found.left_whole  # the classes are not asked for
    with pytest.raises(InvalidInputError, match=r"No channels can be removed from Half\. conv2: norm"):
        prune(model, by_weight(model), example=pruning_nets.images(n=1), layers="conv2")


def test_layers_without_importance_are_left_whole():
    model = network("vgg")
    found = prune(model, {"features.0": np.arange(8.0)})
    assert found.left_whole == {"features.4": "it has no importance", "classifier.0": "it has no importance"}
    with pytest.raises(InvalidInputError, match="No channels can be removed from Vgg"):
        prune(model, {"features.1": np.arange(8.0)})  # a norm: not where channels begin


class Functional(nn.Module):
    """Weights that no torch.nn layer owns, and a weight that is computed."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(4, 3, 1, 1))
        self.norm = nn.utils.parametrizations.weight_norm(nn.Conv2d(4, 4, 1))
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        x = torch.relu(nn.functional.conv2d(x, self.weight))
        return self.fc(torch.relu(self.norm(x)).mean((2, 3)))


def test_weights_that_are_not_those_of_a_layer_are_left_whole():
    model = Functional()
    scores = random_scores(model, pruning_nets.images(n=1))
    with pytest.raises(
        InvalidInputError, match=r"are not those of a torch\.nn layer.*is computed from other parameters"
    ):
        prune(model, scores, example=pruning_nets.images(n=1))


def test_a_program_cannot_be_cut():
    program = torch.export.export(pruning_nets.make("vgg"), (pruning_nets.images(n=1),))
    model = torch.export.unflatten(program)
    scores = random_scores(model, pruning_nets.images(n=1))
    with pytest.raises(InvalidInputError, match=r"not those of a torch\.nn layer"):
        prune(model, scores, example=pruning_nets.images(n=1))


class Written(nn.Module):
    """Has the number of its channels written down."""

    def __init__(self, width):
        super().__init__()
        self.conv, self.fc, self.width = nn.Conv2d(3, 4, 1), nn.Linear(4 * 16, 2), width

    def forward(self, x):
        x = nn.functional.avg_pool2d(torch.relu(self.conv(x)), 4)
        return self.fc(x.view(-1, self.width * 16))


def test_code_that_knows_its_channels_is_an_error_that_says_so():
    model = Written(4)
    with pytest.raises(InvalidInputError, match="its code depends on numbers of channels"):
        prune(model, by_weight(model), example=pruning_nets.images(n=1))


def test_a_network_that_computes_something_else_when_cut_is_refused():
    class Counting(nn.Sequential):
        def forward(self, x):
            x = self[0](x)
            return self[1](x) * x.shape[1]  # a number, which no mask changes

    model = Counting(nn.Linear(2, 4), nn.Linear(4, 2))
    with pytest.raises(InvalidInputError, match="does not compute what the original does"):
        prune(model, by_weight(model), example=torch.ones(1, 2))


def test_shared_weights_stay_shared():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.one, self.two = nn.Linear(2, 4), nn.Linear(4, 4), nn.Linear(4, 4)
            self.two.weight = self.one.weight
            self.out = nn.Linear(4, 2)

        def forward(self, x):
            return self.out(torch.relu(self.two(torch.relu(self.one(torch.relu(self.first(x)))))))

    model = Tied()
    found = prune(model, by_weight(model), example=torch.ones(1, 2))
    smaller = found.network.module
    assert smaller.one.weight is smaller.two.weight
    assert smaller.one.weight.shape == (2, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keep": 0}, "above 0 and up to 1; got 0"),
        ({"keep": 1.2}, "above 0 and up to 1; got 1.2"),
        ({"keep": float("nan")}, "got nan"),
        ({"min_channels": 0}, "At least 1 channel"),
        ({"scope": "both"}, "scope must be global or layer"),
    ],
)
def test_options_are_checked(options, message):
    model = network("vgg")
    with pytest.raises(InvalidInputError, match=message):
        prune(model, by_weight(model), **options)


def test_importance_is_checked():
    model = network("vgg")
    with pytest.raises(InvalidInputError, match="8 channels; it was made for another network"):
        prune(model, Importance({"features.0": np.ones(9)}, method="taylor"))
    with pytest.raises(LayerNotFoundError, match=r"No units to prune in 'classifier\.2'"):
        prune(model, by_weight(model), layers="classifier.2")
    with pytest.raises(InvalidInputError, match="prune needs an example input"):
        prune(model.module, by_weight(model))


def test_efficientnet_lite0():
    model = load("efficientnet-lite0", device="cpu")
    found = prune(model, by_weight(model), keep=0.7)
    assert not found.left_whole
    assert found.network.predict("chelsea")[0].probability > 0
    assert found.n_parameters[1] < 0.8 * found.n_parameters[0]
    assert found.multiply_adds[0] == pytest.approx(385e6, rel=0.01)  # as published: 407 M, with those of the norms
