"""Pairs that averages or groups propose, and what the maps say to them."""

import copy

import merge_nets
import numpy as np
import pruning_nets
import pytest
import torch
from torch import nn
from torch.nn import functional

from cnnvis.capture import channel_spaces, read_moments, record
from cnnvis.core import ChannelMoments, ChannelPair, Redundancy
from cnnvis.core.errors import CancelledError, InvalidInputError, LayerNotFoundError
from cnnvis.core.redundancy import ALONE
from cnnvis.pruning import find_redundant


def averages_of(model, inputs, layers):
    with np.errstate(invalid="ignore"):
        maps = record(model, inputs, layers)
        return {name: np.corrcoef(maps[name].activations.mean(axis=(2, 3)).T) for name in layers}


# The line of a pair


def test_a_line_by_hand():
    """x = 0, 1, 2, 3; y = 2x + 1; z = 5; w = 0, 0, 1, 1."""
    values = np.array([[0, 1, 2, 3], [1, 3, 5, 7], [5, 5, 5, 5], [0, 0, 1, 1]], dtype=float)
    found = ChannelMoments(("v",), values.mean(axis=1)[None], np.cov(values, bias=True)[None], [4])
    assert found.fit(0, 1) == ((2.0,), (1.0,))
    assert found.fit(1, 0) == ((0.5,), (-0.5,))
    assert found.fit(ALONE, 2) == ((0.0,), (5.0,))
    assert found.fit(2, 0) == ((0.0,), (1.5,))  # a constant says nothing of x but its mean
    assert found.fit(0, 2) == ((0.0,), (5.0,))
    share = found.explained()[0]
    assert share[0, 1] == share[1, 0] == 1.0
    assert share[0, 3] == pytest.approx(0.8)  # (2 / 4)^2 / (1.25 * 0.25)
    assert share[0, 2] == 1.0  # nothing of a constant is left unexplained
    assert share[2, 0] == 0.0
    assert found.is_constant[0].tolist() == [False, False, True, False]


def test_a_joint_fit_is_a_ridge_regression():
    from sklearn.linear_model import Ridge

    values = np.random.default_rng(0).normal(size=(5, 60)) * [[1], [2], [3], [1], [1]]
    values[3] += values[0] - 2 * values[2] + 7
    found = ChannelMoments(("v",), values.mean(axis=1)[None], np.cov(values, bias=True)[None], [60])
    scale, shift = found.joint_fit(np.array([0, 1, 2]), np.array([3, 4]))
    ridge = 0.1 * 3 / 60 * values[:3].var(axis=1).mean()
    oracle = Ridge(alpha=60 * ridge).fit(values[:3].T, values[3:].T)
    assert np.allclose(scale[0], oracle.coef_.T)
    assert np.allclose(shift[0], oracle.intercept_)
    nothing, mean = found.joint_fit(np.array([], dtype=np.int64), np.array([3]))
    assert nothing.shape == (1, 0, 1)
    assert mean[0, 0] == pytest.approx(values[3].mean())


def test_a_dead_channel_is_constant_and_rounding_is_no_variation():
    mean = np.array([[0.0, 3.0, 3.0]])
    found = ChannelMoments(("v",), mean, np.diag([0.0, 1e-14, 1e-2])[None], [9])
    assert found.is_constant[0].tolist() == [True, True, False]


def test_a_broken_channel_has_no_figure():
    covariance = np.eye(2)[None].copy()
    covariance[:, 1] = covariance[:, :, 1] = np.nan
    found = ChannelMoments(("v",), np.array([[0.0, np.nan]]), covariance, [9])
    assert found.is_broken.tolist() == [False, True]
    assert not found.is_constant.any()
    assert np.isnan(found.explained()[0, 0, 1])


def test_pairs_of_channels_that_are_not_there_are_refused():
    moments = {"a": ChannelMoments(("v",), np.zeros((1, 2)), np.zeros((1, 2, 2)), [9])}
    for pair in (ChannelPair("a", 0, 2, 1, 1), ChannelPair("b", 0, 1, 1, 1), ChannelPair("a", -2, 1, 1, 1)):
        with pytest.raises(InvalidInputError, match="is not one of its"):
            Redundancy((pair,), moments)


# Moments where channels are read


def test_moments_are_those_of_what_layers_receive():
    """Behind pooling, and of a flattened value over all positions."""
    model, inputs = pruning_nets.make("vgg").double(), pruning_nets.images(n=9).double()
    spaces = channel_spaces(model, inputs[:1])
    found, n_images = read_moments(model, (inputs, np.zeros(9, dtype=int)), spaces.hidden)
    with torch.no_grad():
        first = model.features[:4](inputs)
        second = functional.max_pool2d(model.features[5](model.features[4](first)), 2)
    assert n_images == 9
    assert found["features.0"].count.tolist() == [9 * 64]
    for name, maps in (("features.0", first), ("features.4", second)):
        rows = maps.movedim(1, 0).flatten(1).numpy()
        assert np.allclose(found[name].covariance[0], np.cov(rows, bias=True), atol=1e-12)
        assert np.allclose(found[name].mean[0], rows.mean(axis=1), atol=1e-12)
        scale, shift = found[name].fit(0, 1)
        assert np.allclose((scale[0], shift[0]), np.polyfit(rows[0], rows[1], 1), atol=1e-9)


def test_a_residual_stream_is_read_in_several_values():
    model, inputs = pruning_nets.make("pre-act resnet"), pruning_nets.images(n=6)
    space = channel_spaces(model, inputs[:1]).of("stem")
    found, _ = read_moments(model, inputs, [space])
    assert len(found["stem"].values) == len(space.reads) == 3
    assert np.ptp(found["stem"].fit(0, 1)[0]) > 0  # each value has a line of its own


def test_one_broken_channel_does_not_cost_the_others_their_moments():
    model, inputs = merge_nets.shifted_twins(), merge_nets.pictures()
    whole = read_moments(model, inputs, channel_spaces(model, inputs[:1]).hidden)[0]["0"]
    model[0].weight.data[1] = torch.nan
    model[1] = nn.Identity()
    broken = read_moments(model, inputs, channel_spaces(model, merge_nets.pictures(1)).hidden)[0]["0"]
    assert broken.is_broken.tolist() == [False, True, False]
    assert np.allclose(broken.covariance[0, 0, 2], whole.covariance[0, 0, 2])


# Proposals and their verification


def test_averages_that_correlate_while_maps_do_not_are_refused():
    model, inputs = merge_nets.shifted_twins(), merge_nets.pictures()
    correlation = averages_of(model, inputs, ["0"])
    assert correlation["0"].min() > 0.99
    found = find_redundant(model, inputs, correlation=correlation, example=inputs[:1])
    by_pair = {(pair.first, pair.second): pair for pair in found.pairs}
    assert set(by_pair) == {(0, 1), (0, 2), (1, 2)}
    assert [pair[1:3] for pair in found.verified] == [(0, 2)]
    assert by_pair[0, 2].explained == pytest.approx(1.0)
    assert by_pair[0, 1].explained < 0.3
    assert "maps disagree" in by_pair[0, 1].reason
    assert [pair[1:3] for pair in found.disagreeing()] == [(0, 1), (1, 2)]
    assert not found.disagreeing(1.0)
    assert found.n_images == 64


def test_groups_propose_every_pair_of_a_group():
    model, inputs = merge_nets.shifted_twins(), merge_nets.pictures()
    found = find_redundant(model, inputs, labels={"0": [7, 3, 7]}, example=inputs[:1])
    assert [pair[1:3] for pair in found.pairs] == [(0, 2)]
    assert np.isnan(found.pairs[0].correlation)
    assert not find_redundant(model, inputs, labels={"0": [0, 1, 2]}, example=inputs[:1]).pairs


def test_constant_channels_are_proposed_by_themselves():
    model, inputs = merge_nets.shifted_twins(), merge_nets.pictures()
    model[0].weight.data[1] = 0
    correlation = averages_of(model, inputs, ["0"])
    found = find_redundant(model, inputs, correlation=correlation, example=inputs[:1])
    assert [pair[1:3] for pair in found.verified] == [(ALONE, 1), (0, 2)]
    correlation["0"][:] = np.nan  # a survey of one image knows no correlation; maps of that image vary
    found = find_redundant(model, inputs, correlation=correlation, example=inputs[:1])
    assert [pair.reason for pair in found.pairs] == ["constant on average only", "", "constant on average only"]


def test_layers_of_one_space_must_all_propose_a_pair():
    model, inputs = pruning_nets.make("resnet"), pruning_nets.images(n=6)
    high, low = np.full((8, 8), 0.99), np.full((8, 8), 0.5)
    layers = channel_spaces(model, inputs[:1]).of("stem").layers
    assert len(layers) == 2
    for second, n_pairs in ((high, 28), (low, 0)):
        given = {layers[0]: high, layers[1]: second}
        assert len(find_redundant(model, inputs, correlation=given, example=inputs[:1]).pairs) == n_pairs
    given = {layers[0]: np.zeros(8), layers[1]: np.arange(8) // 2}
    assert len(find_redundant(model, inputs, labels=given, example=inputs[:1]).pairs) == 4


def test_a_layer_of_one_channel_has_no_pairs():
    model = merge_nets.by_channel([nn.Conv2d(1, 1, 3), nn.ReLU(), nn.Conv2d(1, 2, 3)])
    found = find_redundant(model, merge_nets.pictures(), correlation={"0": [[1.0]]}, example=merge_nets.pictures(1))
    assert not found.pairs
    assert not found.left_whole


def test_layers_can_be_chosen():
    model, inputs = pruning_nets.make("vgg"), pruning_nets.images(n=6)
    labels = {"features.0": np.zeros(8), "features.4": np.zeros(12)}
    found = find_redundant(model, inputs, labels=labels, example=inputs[:1], layers="*.4")
    assert set(found.moments) == {"features.4"}


class Twice(nn.Module):
    """One convolution reads two values."""

    def __init__(self):
        super().__init__()
        self.stem, self.conv, self.fc = nn.Conv2d(1, 4, 1), nn.Conv2d(4, 4, 1), nn.Linear(4, 3)

    def forward(self, x):
        return self.fc(self.conv(torch.relu(self.conv(torch.relu(self.stem(x))))).mean((2, 3)))


class Normed(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.fc = nn.Conv2d(1, 4, 1), nn.GroupNorm(2, 4), nn.Linear(4, 3)

    def forward(self, x):
        return self.fc(self.norm(self.conv(x)).mean((2, 3)))


@pytest.mark.parametrize(
    ("model", "layer", "why"),
    [
        (Twice(), "stem", "conv is used more than once"),
        (Normed(), "conv", "GroupNorm"),
        (Normed(), "fc", "its classes"),
        (
            merge_nets.by_channel([nn.Conv2d(1, 4, 1), nn.ReLU(), nn.Conv2d(4, 8, 1, groups=4), nn.Conv2d(8, 3, 1)]),
            "0",
            "each channel for a group",
        ),
    ],
    ids=["used twice", "group norm", "classes", "doubling"],
)
def test_spaces_that_cannot_be_merged_are_named_with_the_reason(model, layer, why):
    size = channel_spaces(model, merge_nets.pictures(1)).of(layer).size
    found = find_redundant(
        model, merge_nets.pictures(2), labels={layer: np.zeros(size)}, example=merge_nets.pictures(1)
    )
    assert why in found.left_whole[layer]
    assert not found.pairs


def test_weights_that_are_nan_are_said_and_nothing_is_merged():
    model, inputs = merge_nets.shifted_twins(), merge_nets.pictures()
    model[0].weight.data[2] = torch.nan
    model[1] = nn.Identity()
    found = find_redundant(model, inputs, labels={"0": [0, 0, 0]}, example=inputs[:1])
    reasons = {(pair.first, pair.second): pair.reason for pair in found.pairs}
    assert reasons[0, 2] == reasons[1, 2] == "NaN or infinite"
    assert not found.verified


# Bad input


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "by correlation or by labels"),
        ({"correlation": {"0": np.eye(3)}, "labels": {"0": [0, 0, 0]}}, "give one of the two"),
        ({"correlation": {"0": np.eye(4)}}, r"shape \(4, 4\); allowed is \(3, 3\)"),
        ({"correlation": {"0": np.full((3, 3), 2.0)}}, "within -1 to 1"),
        ({"correlation": {"0": "abc"}}, "array of numbers"),
        ({"labels": {"0": [0, 0]}}, r"labels of '0' has shape \(2,\)"),
        ({"labels": {"0": [0, 0, 0]}, "explained": 1.5}, "explained must be from 0 to 1"),
        ({"labels": {"0": [0, 0, 0]}, "correlation_above": np.nan}, "correlation_above must be"),
    ],
)
def test_bad_options_are_refused_in_a_sentence(options, message):
    inputs = merge_nets.pictures(2)
    with pytest.raises(InvalidInputError, match=message):
        find_redundant(merge_nets.shifted_twins(), inputs, example=inputs, **options)


def test_an_unknown_layer_is_named():
    inputs = merge_nets.pictures(2)
    for given in ({"labels": {"9": [0]}}, {"labels": {"0": [0, 0, 0]}, "layers": "9"}):
        with pytest.raises(LayerNotFoundError, match="'9'"):
            find_redundant(merge_nets.shifted_twins(), inputs, example=inputs, **given)


def test_a_cancelled_pass_leaves_the_model_alone():
    model, inputs = merge_nets.shifted_twins().train(), merge_nets.pictures()
    before = copy.deepcopy(model.state_dict())
    told = []

    def progress(done, total):
        told.append((done, total))
        raise CancelledError("enough")

    with pytest.raises(CancelledError):
        find_redundant(model, inputs, labels={"0": [0, 0, 0]}, example=inputs[:1], progress=progress)
    assert told == [(64, 64)]
    assert model.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())
