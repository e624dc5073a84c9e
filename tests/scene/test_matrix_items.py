"""Matrices, importance and series of volumes in a scene: what is shown, under which labels and colours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cnnvis.core import Importance, Volume
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError
from cnnvis.scene import Camera, Scene, SceneGrid, TransferFunction

CLASSES = ("Shirt", "Bag", "Ankle boot")


def importance(n=6, **options):
    scores = np.arange(n, dtype=float)
    return Importance(
        {"conv": scores, "fc": [1.0]},
        "gradient",
        per_class={"conv": scores[:, None] * [1, 10, 100]},
        class_names=CLASSES,
        options=options,
    )


# -- matrices --------------------------------------------------------------------------------------


def test_a_matrix_keeps_its_values_and_gets_labels_as_text():
    values = np.array([[1.0, np.nan], [3.0, 4.0]])
    item = Scene().add_matrix(values, rows=range(2), columns=("a", "b"), quantity="share")
    assert item.data is values
    assert (item.rows, item.columns) == (("0", "1"), ("a", "b"))
    assert item.exists().all()
    assert item.transfer.span_of(values) == (1.0, 4.0)  # nothing is clipped
    assert item.transfer.opacity_at([0.0, 1.0]).tolist() == [1.0, 1.0]


def test_signed_values_diverge_around_zero_and_whole_numbers_are_values():
    item = Scene().add_matrix([[-1, 4], [0, 2]])
    assert item.data.dtype == np.float64
    assert item.transfer.centre == 0.0
    assert item.transfer.span_of(item.data) == (-4.0, 4.0)


@pytest.mark.parametrize(
    ("values", "state", "says"),
    [
        (np.zeros(3), {}, r"needs \(R, C\)"),
        (np.zeros((0, 3)), {}, r"got \(0, 3\)"),
        (np.zeros((2, 2), complex), {}, "real numbers"),
        ([["a"]], {}, "real numbers"),
        (np.zeros((2, 3)), {"rows": ("a",)}, "has 2 rows, got 1 labels"),
        (np.zeros((2, 3)), {"columns": "ab"}, "has 3 columns, got 2 labels"),
        (np.zeros((2, 3)), {"n_cells": 7}, "has 6 cells, got n_cells=7"),
    ],
)
def test_what_is_no_matrix(values, state, says):
    scene = Scene()
    with pytest.raises(InvalidInputError, match=says):
        scene.add_matrix(values, **state)
    assert len(scene) == 0


@pytest.mark.parametrize(
    "state", [{"style": "pie"}, {"cell": (0, 1)}, {"height": -1}, {"n_cells": 0}, {"cell_text": "x"}]
)
def test_states_that_make_no_sense(state):
    with pytest.raises(ValidationError):
        Scene().add_matrix([[1.0]], **state)


def test_a_matrix_alone_is_looked_at_as_it_is_meant_to_be():
    cells, bars, beside, turned = Scene(), Scene(), Scene(), Scene(camera=Camera(azimuth=5))
    cells.add_matrix([[1.0]])
    bars.add_matrix([[1.0]], style="bars")
    beside.add_volume(np.zeros((2, 2, 2)))
    for scene in (beside, turned):
        scene.add_matrix([[1.0]])
    assert (cells.camera.view, cells.camera.parallel) == ("front", True)
    assert (bars.camera.view, bars.camera.parallel) == ("isometric", True)
    assert beside.camera == Camera()
    assert turned.camera == Camera(azimuth=5)


def test_size_of_cells_and_bars():
    item = Scene().add_matrix(np.ones((2, 4)), cell=(3, 5))
    assert item.extent == (12, 10, 0)
    item.style = "bars"
    assert item.extent == (12, pytest.approx(22 / 6), 10)
    item.height = 7
    assert item.extent == (12, 7, 10)


def test_frames_and_grids_share_the_range_of_matrices_apart_from_that_of_volumes():
    scene, other = Scene(), Scene()
    scene.add_matrix([[0.0, 1.0]])
    other.add_matrix([[2.0, 5.0]])
    other.add_volume(np.full((2, 2, 2), 50.0))
    scene.set_frames("epoch", "ab", {"matrix": [np.array([[0.0, 1.0]]), np.array([[0.5, 3.0]])]})
    assert scene["matrix"].transfer.span == (0.0, 3.0)
    SceneGrid([scene, other])
    assert scene["matrix"].transfer.span == other["matrix"].transfer.span == (0.0, 5.0)
    assert other["volume"].transfer.span == (49.5, 50.5)


# -- importance ------------------------------------------------------------------------------------


def test_channels_stand_on_a_grid_row_after_row():
    item = Scene().add_importance(importance(), "conv", columns=4)
    np.testing.assert_array_equal(item.data, [[0, 1, 2, 3], [4, 5, np.nan, np.nan]])
    assert item.exists().tolist() == [[True] * 4, [True, True, False, False]]
    assert item.rows == ("0", "4")
    assert item.columns == ("+0", "+1", "+2", "+3")
    assert item.title == "conv: importance by gradient"
    assert item.transfer.span == (0.0, 5.0)
    assert (item.name, item.cell_text, item.style) == ("conv", "number", "cells")


def test_state_given_wins():
    item = Scene().add_importance(importance(), "conv", style="bars", title="mine", name="x", cell_text="value")
    assert (item.style, item.title, item.name, item.cell_text) == ("bars", "mine", "x", "value")


@given(st.integers(1, 2500))
def test_a_grid_holds_every_channel_once_and_is_about_as_wide_as_a_picture(n):
    item = Scene().add_importance(Importance({"conv": np.arange(n, dtype=float)}, "x"), "conv")
    rows, columns = item.data.shape
    np.testing.assert_array_equal(item.data[item.exists()], np.arange(n))
    assert rows * columns - n < columns  # no empty row
    assert rows <= columns
    assert columns <= 3.5 * rows or n < 4


def test_96_channels_leave_no_cell_empty():
    item = Scene().add_importance(importance(96), "conv")
    assert item.data.shape == (8, 12)
    assert Scene().add_importance(importance(96), "conv", columns=16).data.shape == (6, 16)


def test_classes_are_rows_with_their_names():
    every = Scene().add_importance(importance(), "conv", classes="all")
    assert every.rows == CLASSES
    np.testing.assert_array_equal(every.data, np.arange(6.0) * np.array([[1], [10], [100]]))
    some = Scene().add_importance(importance(), "conv", classes=["ankle boot", 0])
    assert some.rows == ("Ankle boot", "Shirt")
    assert some.data[:, 1].tolist() == [100, 1]
    assert (some.row_name, some.column_name) == ("class", "channel")


def test_the_title_says_which_class_it_is():
    item = Scene().add_importance(importance().of_class("Bag"), "conv")
    assert item.title == "conv: importance by gradient for Bag"
    assert item.transfer.span == (0.0, 50.0)


def test_a_dead_layer_is_shown_as_zeros():
    item = Scene().add_importance(Importance({"conv": [0.0, 0.0]}, "x"), "conv")
    assert item.transfer.span == (0.0, 1.0)


@pytest.mark.parametrize(
    ("layer", "options", "error", "says"),
    [
        ("conv1", {}, LayerNotFoundError, "Did you mean: conv"),
        ("fc", {"classes": "all"}, InvalidInputError, "no classes in layer 'fc'"),
        ("conv", {"classes": ["Shrit"]}, InvalidInputError, "Did you mean: Shirt"),
        ("conv", {"classes": [3]}, InvalidInputError, "0 to 2"),
        ("conv", {"classes": []}, InvalidInputError, "classes is empty"),
        ("conv", {"columns": 7}, InvalidInputError, "6 channels for 1 to as many columns, got 7"),
        ("conv", {"columns": 0}, InvalidInputError, "got 0"),
    ],
)
def test_importance_that_is_not_there(layer, options, error, says):
    with pytest.raises(error, match=says):
        Scene().add_importance(importance(), layer, **options)


# -- gradients of filters --------------------------------------------------------------------------


def gradients(values, **fields):
    return Volume(np.asarray(values, np.float32).reshape(2, 2, 2), layer="conv", quantity="weight gradient", **fields)


def test_filters_are_not_blended_and_have_names_of_their_own():
    item = Scene().add_volume(gradients(np.arange(8)))
    assert item.data.axis_names == ("filter", "kernel row", "kernel column")
    assert item.interpolation == "nearest"
    assert Scene().add_volume(gradients(np.arange(8)), interpolation="linear").interpolation == "linear"
    maps = Scene().add_volume(np.ones((2, 2, 2)))
    assert maps.data.axis_names == ("channel", "row", "column")
    assert maps.interpolation == "linear"


def test_a_series_has_the_colours_of_all_its_frames():
    dead, signed, large = gradients(np.zeros(8)), gradients([-2, 1, 0, 0, 0, 0, 0, 0]), gradients(np.arange(8))
    scene = Scene.of_series("case", ("dead", "signed", "large"), [dead, signed, large], density=2)
    item = scene["conv"]
    assert item.transfer.centre == 0.0  # the first frame alone has no sign
    low, high = item.transfer.span
    assert -low == high == pytest.approx(np.percentile(np.arange(8), 99))
    assert item.density == 2
    assert scene.series.axis == "case"
    scene.frame = 2
    assert item.data is large
    unsigned = Scene.of_series("case", ("a", "b"), [dead, large])
    assert unsigned["conv"].transfer.centre is None
    given_ = TransferFunction(span=(0, 9))
    assert Scene.of_series("case", ("a",), [large], transfer=given_)["conv"].transfer == given_


def test_a_series_needs_as_many_volumes_as_labels():
    with pytest.raises(InvalidInputError, match="needs at least one volume"):
        Scene.of_series("case", (), [])
    with pytest.raises(InvalidInputError, match="1 frames but there are 2 labels"):
        Scene.of_series("case", ("a", "b"), [gradients(np.arange(8))])


def test_subjects_name_the_quantity_unless_it_is_the_activation():
    assert gradients(np.arange(8)).subject == "weight gradient"
    assert gradients(np.arange(8), method="pca").subject == "weight gradient, PCA order"
    assert Volume(np.ones((1, 1, 1))).subject == "original order"
