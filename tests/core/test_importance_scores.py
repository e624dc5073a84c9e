"""Importance as a result: classes by name, one class as the scores, layers scaled by their maximum."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnvis.core import FeatureMaps, Importance
from cnnvis.core.errors import InvalidInputError

PER_CLASS = {"conv": [[1.0, 8.0], [0.5, 2.0], [0.0, 4.0]]}
CLASSES = {"per_class": PER_CLASS, "class_names": ("Shirt", "Ankle boot")}


def importance(**fields):
    return Importance({"conv": [4.0, 1.0, 2.0], "fc": [0.0, 0.0]}, "gradient", **fields)


def test_one_class_by_name_or_index_becomes_the_scores():
    by_name = importance(**CLASSES, options={"seed": 0}).of_class("ankle boot")
    assert by_name["conv"].tolist() == [8.0, 2.0, 4.0]
    assert list(by_name) == ["conv"]  # fc has no scores by class
    assert by_name.per_class is None
    assert dict(by_name.options) == {"seed": 0, "class": "Ankle boot"}
    assert importance(**CLASSES).of_class(0)["conv"].tolist() == [1.0, 0.5, 0.0]
    unnamed = importance(per_class=PER_CLASS).of_class(1)
    assert unnamed["conv"].tolist() == [8.0, 2.0, 4.0]
    assert unnamed.options["class"] == 1


def test_one_class_weighs_the_channels_of_a_volume():
    maps = FeatureMaps(np.zeros((1, 3, 2, 2)), "conv")
    assert maps.volume(importance=importance(**CLASSES).of_class("Shirt")).weights.tolist() == [1.0, 0.5, 0.0]


@pytest.mark.parametrize(
    ("fields", "wanted", "says"),
    [
        ({}, "Shirt", "'gradient' has no classes"),
        (CLASSES, "Shrit", "Did you mean: Shirt"),
        (CLASSES, 2, "By index: 0 to 1"),
        (CLASSES, -1, "no class -1"),
        ({"per_class": PER_CLASS}, 2, "'conv' has scores of 2 classes, 0 to 1"),
        ({"per_class": PER_CLASS}, "Shirt", "give an index"),
    ],
)
def test_a_class_that_is_not_there(fields, wanted, says):
    with pytest.raises(InvalidInputError, match=says):
        importance(**fields).of_class(wanted)


def test_as_many_names_as_classes():
    with pytest.raises(InvalidInputError, match=r"allowed is \(3, 3\)"):
        importance(per_class=PER_CLASS, class_names=("a", "b", "c"))


def test_scaled_by_the_largest_of_each_layer():
    scaled = importance(**CLASSES, signed={"conv": [-4.0, 1.0, 2.0]}).scaled()
    assert scaled["conv"].tolist() == [1.0, 0.25, 0.5]
    assert scaled["fc"].tolist() == [0.0, 0.0]  # not 0 / 0
    assert scaled.signed["conv"].tolist() == [-1.0, 0.25, 0.5]
    assert scaled.per_class["conv"].tolist() == [[0.125, 1.0], [0.0625, 0.25], [0.0, 0.5]]
    assert scaled.class_names == ("Shirt", "Ankle boot")
    assert importance().scaled().per_class is None


def test_some_classes_are_their_columns_and_the_mean_of_these():
    full = Importance(
        {"conv": [0.0, 0.0], "fc": [3.0]}, "gradient", {"conv": [[1, 8, 3], [0, 2, 4]]}, class_names=("a", "b", "c")
    )
    some = full.of_classes(["c", 0])
    assert some.per_class["conv"].tolist() == [[1, 3], [0, 4]]
    assert some["conv"].tolist() == [2.0, 2.0]
    assert some["fc"].tolist() == [3.0]
    assert (some.class_names, some.classes) == (("a", "c"), (0, 2))
    assert some.of_classes([2]).classes == (2,)  # an index is one of the network, not of a column
    unnamed = importance(per_class=PER_CLASS).of_classes([1])
    assert (unnamed.per_class["conv"].tolist(), unnamed.class_names) == ([[8.0], [2.0], [4.0]], None)


def test_classes_that_are_not_there_are_refused():
    with pytest.raises(InvalidInputError, match="no classes"):
        importance().of_classes([0])
    with pytest.raises(InvalidInputError, match="No class was chosen of 2"):
        importance(**CLASSES).of_classes([])
    with pytest.raises(InvalidInputError, match="no class 7"):
        importance(**CLASSES).of_classes([7])
    with pytest.raises(InvalidInputError, match="ankle"):
        importance(**CLASSES).of_classes(["ankle bot"])


@given(st.lists(st.floats(0, 1e300), min_size=1, max_size=20))
def test_scaled_scores_reach_from_0_to_1_and_stay_in_order(scores):
    scaled = Importance({"conv": scores}, "x").scaled()["conv"]
    assert scaled.max() == (1.0 if any(scores) else 0.0)
    assert scaled.min() >= 0
    assert np.all(np.diff(scaled[np.argsort(scores)]) >= 0)
    np.testing.assert_array_equal(Importance({"conv": scaled}, "x").scaled()["conv"], scaled)
