"""The few controls beside an interactive view: which there are, and what they change."""

import numpy as np
import pytest
from network_samples import sagging_network

from cnnvis.core import Ordering, Volume
from cnnvis.notebook.controls import controls_of, in_order
from cnnvis.scene import Scene, SceneGrid


def volume(seed=0):
    return Volume(np.random.default_rng(seed).standard_normal((6, 5, 5)), layer="conv")


def control(scenes, label):
    return next(each for each in controls_of(scenes) if each.label == label)


def labels(*scenes):
    return [each.label for each in controls_of(scenes)]


def test_what_there_is_depends_on_what_is_shown():
    assert labels(Scene()) == []
    assert labels(Scene.of(volume())) == ["order", "opacity"]
    assert labels(Scene.of_series("epoch", "abc", [volume()] * 3)) == ["epoch", "opacity"]
    network = Scene.of_network(sagging_network())
    assert labels(network) == ["straight to bundled", "class", "hide below importance", "opacity"]
    matrix = Scene()
    matrix.add_matrix(np.eye(2))
    assert labels(matrix) == []


@pytest.mark.parametrize(
    ("label", "name", "value"),
    [
        ("straight to bundled", "blend", 0.25),
        ("hide below importance", "importance_threshold", 0.5),
        ("opacity", "opacity", 0),
    ],
)
def test_a_slider_changes_a_field_of_all_items_that_have_it(label, name, value):
    scenes = SceneGrid([Scene.of_network(sagging_network()) for _ in range(2)]).scenes
    slider = control(scenes, label)
    slider.change(value)
    assert slider.value() == value
    items = [item for scene in scenes for item in scene if item.kind != "labels"]
    assert {getattr(item, name) for item in items if hasattr(item, name)} == {value}
    assert {item.opacity for scene in scenes for item in scene if item.kind == "labels"} == {1.0}


def test_a_class_is_chosen_by_its_place_in_the_list():
    scene = Scene.of_network(sagging_network())
    choice = control([scene], "class")
    assert [text for _, text in choice.choices] == ["one ink", "all classes", "class 0", "class 1", "class 2"]
    assert choice.value() == "all"
    choice.change(2)
    assert [item.shown_class for item in scene if item.kind != "labels"] == [2, 2]
    scene["bundle"].shown_class = "class 1"  # by a script
    assert choice.value() == 1
    choice.change("none")
    assert scene["units"].shown_class == "none"


def test_the_frame_of_all_series_is_moved_as_far_as_each_goes():
    long, short = (Scene.of_series("epoch", list("abcd")[:n], [volume(seed) for seed in range(n)]) for n in (4, 2))
    slider = control([short, long], "epoch")
    assert (slider.low, slider.high, slider.step) == (0, 3, 1)
    slider.change(3.0)
    assert (long.frame, short.frame, slider.value()) == (3, 1, 3)


def test_channels_are_ordered_and_come_back():
    came = in_order(volume(), "kmeans")
    scene = Scene.of(came)
    choice = control([scene], "order")
    assert [value for value, _ in choice.choices] == ["kmeans", "original", "pca", "leaf"]
    choice.change("original")
    np.testing.assert_array_equal(scene["conv"].data.values, volume().values)
    assert choice.value() == "original"
    choice.change("kmeans")
    assert scene["conv"].data is came


def test_a_volume_is_ordered_by_what_the_network_numbers():
    shuffled = volume().reordered(Ordering(np.arange(6)[::-1], method="reversed"))
    np.testing.assert_array_equal(in_order(shuffled, "pca").values, in_order(volume(), "pca").values)
    np.testing.assert_array_equal(in_order(shuffled, "original").values, volume().values)
