import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import cnnvis
from cnnvis.attribution import unit_importance
from cnnvis.capture import channel_spaces, trace
from cnnvis.core import ChannelSpace, ChannelSpaces, Importance, Units
from cnnvis.core.errors import InvalidInputError

UNITS = Units(("x", "a", "b", "out"), (1, 2, 3, 2), n_inputs=1)
BY_CLASS = {"a": [[1, 4], [0, 2]], "b": [[0, 0], [3, 6], [6, 3]]}
SCORES = {"a": [4, 1], "b": [0, 5, 10]}


def test_by_hand():
    scores, profiles = unit_importance(UNITS, Importance(SCORES, "m", per_class=BY_CLASS))
    assert scores.tolist() == [1, 1, 0.25, 0, 0.5, 1, 1, 1]
    expected = [[1, 1], [0.25, 1], [0, 0.5], [0, 0], [0.5, 1], [1, 0.5], [1, 0], [0, 1]]
    assert profiles.tolist() == expected


def test_without_importance_all_count_alike_and_without_classes_there_are_no_profiles():
    scores, profiles = unit_importance(UNITS)
    assert (scores.tolist(), profiles) == ([1] * 8, None)
    scores, profiles = unit_importance(UNITS, SCORES)
    assert (scores.tolist(), profiles) == ([1, 1, 0.25, 0, 0.5, 1, 1, 1], None)


def test_scores_of_inputs_and_of_a_last_layer_that_is_no_classes_count():
    units = Units(("x", "a", "out"), (2, 2, 3), n_inputs=1)
    importance = {"x": [2, 4], "a": [1, 1], "out": [1, 2, 4]}
    assert unit_importance(units, importance)[0].tolist() == [0.5, 1, 1, 1, 0.25, 0.5, 1]
    by_class = {"x": [[1, 0], [2, 2]], "a": [[1, 1], [1, 1]]}
    profiles = unit_importance(units, Importance(importance, "m", per_class=by_class))[1]
    # three units, two classes: no unit has a class of its own, and scores without classes serve all alike
    assert profiles.tolist() == [[0.5, 0], [1, 1], [1, 1], [1, 1], [0.25, 0.25], [0.5, 0.5], [1, 1]]


def test_some_classes_of_many():
    importance = Importance({"a": [1, 2]}, "m", per_class={"a": [[1, 0], [2, 1]]}, options={"classes": (2, 0)})
    scores, profiles = unit_importance(Units(("a", "out"), (2, 4)), importance)
    assert profiles.tolist() == [[0.5, 0], [1, 0.5], [0, 1], [0, 0], [1, 0], [0, 0]]
    assert scores.tolist() == [0.5, 1, 1, 1, 1, 1]


def test_folded_blocks_have_the_importance_of_their_layers():
    units = Units(("x", "block", "out"), (1, 5, 2), n_inputs=1, members={"block": {"a": 2, "b": 3}})
    assert unit_importance(units, SCORES)[0].tolist() == [1, 1, 0.25, 0, 0.5, 1, 1, 1]
    units = Units(("x", "a", "head"), (1, 2, 5), n_inputs=1, members={"head": {"b": 3, "out": 2}})
    assert unit_importance(units, SCORES)[0].tolist() == [1, 1, 0.25, 0, 0.5, 1, 1, 1]


def test_channels_that_are_shared_share_their_scores():
    spaces = ChannelSpaces((ChannelSpace(("a", "c"), 2, ()), ChannelSpace(("b", "depthwise"), 3, ())))
    units = Units(("a", "b", "depthwise", "out"), (2, 3, 3, 2))
    with pytest.raises(InvalidInputError, match="hidden layer 'depthwise'"):
        unit_importance(units, SCORES)
    scores, profiles = unit_importance(units, Importance(SCORES, "m", per_class=BY_CLASS), spaces=spaces)
    assert scores[2:5].tolist() == scores[5:8].tolist() == [0, 0.5, 1]
    assert profiles[2:5].tolist() == profiles[5:8].tolist() == [[0, 0], [0.5, 1], [1, 0.5]]


def test_a_second_call_has_the_scores_of_the_first():
    layer = torch.nn.Linear(3, 3)
    model, example = torch.nn.Sequential(layer, torch.nn.ReLU(), layer, torch.nn.Linear(3, 2)), torch.rand(1, 3)
    units, spaces = trace(model, example).units, channel_spaces(model, example)
    assert units.layers == ("input", "0", "0_1", "3")
    assert unit_importance(units, {"0": [1, 2, 4]}, spaces=spaces)[0][3:9].tolist() == [0.25, 0.5, 1] * 2


def test_a_dead_layer_stays_one():
    scores, profiles = unit_importance(
        Units(("a", "out"), (2, 1)), Importance({"a": [0, 0]}, "m", per_class={"a": [[0], [0]]})
    )
    assert scores.tolist() == [0, 0, 1]
    assert profiles.tolist() == [[0], [0], [1]]


@given(arrays(float, (3, 2), elements=st.just(0.0) | st.floats(1e-3, 1e6)), st.floats(0.5, 1e3))
def test_scale_does_not_matter_and_the_largest_is_one(by_class, factor):
    units = Units(("a", "out"), (3, 2))

    def of(values):
        return unit_importance(units, Importance({"a": values.mean(axis=1)}, "m", per_class={"a": values}))

    (one, one_by_class), (two, two_by_class) = of(by_class), of(by_class * factor)
    np.testing.assert_allclose(one, two)
    np.testing.assert_allclose(one_by_class, two_by_class)
    assert one[:3].max() == (by_class.max() > 0)
    assert one_by_class.min() >= 0
    assert one_by_class[:3].max() == (by_class.max() > 0)


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({"a": [1, 2]}, "no importance of the hidden layer 'b'"),
        ({**SCORES, "a": [1, 2, 3]}, "'a' has 3 scores, but 'a' has 2 units"),
        ({**SCORES, "a": [np.nan, 2]}, "importance of 'a' holds 1 values that are NaN"),
    ],
)
def test_refusals(scores, message):
    with pytest.raises(InvalidInputError, match=message):
        unit_importance(UNITS, scores)


@pytest.mark.parametrize("name", ["mnist-mlp", "fashion-cnn", "efficientnet-lite0"])
def test_every_layer_of_the_bundled_networks_has_scores(name):
    network = cnnvis.models.load(name)
    units = trace(network).units
    scores, _ = unit_importance(units, cnnvis.importance(network, None, "weight"))
    assert scores.shape == (len(units),)
    for layer in units.layers:
        assert scores[units.range(layer)].max() == 1
