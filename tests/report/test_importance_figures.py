"""Importance as grid, bars, heat map and histogram; agreement of methods; gradients as tiles; table of filters."""

import numpy as np
import pytest
from report_samples import PROVENANCE, assert_legible, pixels, texts, words

from cnnvis.core import FilterRow, FilterTable, Importance, ImportanceAgreement, Volume
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError
from cnnvis.report import (
    agreement_matrix_figure,
    filter_table_rows,
    gradient_tiles,
    importance_bars,
    importance_by_class,
    importance_grid,
    importance_histogram,
)
from cnnvis.report.figure_agreement import CELL, GAP
from cnnvis.report.figure_importance import ROOM
from cnnvis.report.parts import HEADER_HEIGHT, TITLE_HEIGHT
from cnnvis.report.scale import ColourScale
from cnnvis.report.style import ACCENT, INK, MARGIN, SHADE, WIDTH, to_bytes

CLASSES = ("Shirt", "Ankle boot")
SCORES = Importance(
    {"conv1": np.arange(96.0), "conv2": np.full(20, 3.0), "dead": np.zeros(4)},
    "gradient",
    per_class={"conv1": np.stack([np.arange(96.0), np.arange(96.0)[::-1]], axis=1)},
    class_names=CLASSES,
)


def colour(value, high):
    return ColourScale.of([np.array([0.0, high])], limits=(0.0, high)).rgb(np.array(value)).tolist()


def tile(picture, channel, *, top=HEADER_HEIGHT + TITLE_HEIGHT, width=ROOM // 16, height=60):
    """A pixel near the upper left corner of a tile of a grid of 16 columns."""
    row, column = divmod(channel, 16)
    return picture[top + row * height + 4, MARGIN + column * width + 4].tolist()


def test_96_channels_are_a_grid_of_16_by_6_in_their_colours():
    figure = importance_grid(SCORES, "conv1", provenance=PROVENANCE)
    picture = pixels(figure)
    for channel in (0, 15, 16, 50, 95):
        assert tile(picture, channel) == colour(channel / 95, 1.0)
    numbers = {text: (x, y) for text, x, y in texts(figure) if text.isdigit()}
    assert {str(channel) for channel in range(96)} <= set(numbers)
    assert numbers["16"][1] > numbers["15"][1]
    assert "Importance of channels by gradient" in words(figure)
    assert "conv1: 96 channels, largest 95" in words(figure)
    assert "share of the panel's largest importance" in words(figure)
    assert_legible(figure)


def test_a_shared_scale_is_said_and_reaches_over_all_panels():
    figure = importance_grid(SCORES, scale="shared")
    assert "importance, one scale for all panels" in words(figure)
    top = HEADER_HEIGHT + 2 * TITLE_HEIGHT + 6 * 60 + 18
    assert tile(pixels(figure), 3, top=top) == colour(3, 95.0)
    own = importance_grid(SCORES)
    assert tile(pixels(own), 3, top=top) == colour(1, 1.0)


def test_a_class_and_several_methods_are_named():
    assert "by gradient, class Ankle boot" in words(importance_grid(SCORES.of_class("Ankle boot")))
    shirt = SCORES.of_class("Shirt")
    assert "Importance of channels class Shirt | " in words(importance_grid({"a": shirt, "b": shirt}))
    said = words(importance_grid({"gradient": SCORES, "ablation": SCORES}, "conv2"))
    assert "conv2, gradient: 20 channels" in said
    assert "conv2, ablation: 20 channels" in said
    some = Importance({"conv2": [1.0]}, "x")
    titles = [text for text, _, _ in texts(importance_grid({"gradient": SCORES, "x": some})) if "channels, l" in text]
    assert [title.partition(":")[0] for title in titles] == [
        "conv1, gradient",
        "conv2, gradient",
        "conv2, x",
        "dead, gradient",
    ]


@pytest.mark.parametrize(("channels", "labelled"), [(1, True), (320, True), (560, True), (3000, False)])
def test_grids_of_any_size(channels, labelled):
    figure = importance_grid(Importance({"fc": np.ones(channels)}, "weight"))
    assert ((str(channels - 1)) in {text for text, _, _ in texts(figure)}) == labelled
    assert pixels(figure).shape[1] == WIDTH


def test_bad_grids():
    with pytest.raises(LayerNotFoundError, match="Did you mean: conv2, conv1"):
        importance_grid(SCORES, "conv")
    with pytest.raises(InvalidInputError, match="at least one layer"):
        importance_grid(Importance({}, "x"))
    with pytest.raises(InvalidInputError, match="scale must be layer or shared"):
        importance_grid(SCORES, scale="log")


def test_bars_are_as_high_as_their_share_in_one_order_for_all_methods():
    first = Importance({"c": [1.0, 4.0, 2.0]}, "gradient")
    second = Importance({"c": [0.0, 5.0, 10.0]}, "ablation")
    figure = importance_bars({"gradient": first, "ablation": second}, "c", provenance=PROVENANCE)
    heights = [axes.patches[0].get_data().values[::2].tolist() for axes in figure.axes[1:]]
    assert heights == [[1, 0.5, 0.25], [0.5, 1, 0]]
    assert [label.get_text() for label in figure.axes[2].get_xticklabels()] == ["1", "2", "0"]
    assert "most important by gradient first" in figure.axes[2].get_xlabel()
    assert "exactly 0: 1 of 3" in words(figure)
    assert_legible(figure)
    plain = importance_bars({"gradient": first}, "c", order="original")
    bars = plain.axes[1].patches[0].get_data()
    assert bars.values.tolist() == [0.25, 0, 1, 0, 0.5]
    np.testing.assert_allclose(bars.edges, [-0.4, 0.4, 0.6, 1.4, 1.6, 2.4])
    assert "in the network's order" in plain.axes[1].get_xlabel()


def test_many_bars_and_dead_layers():
    figure = importance_bars({"x": Importance({"c": np.arange(1000.0)}, "x")}, "c")
    assert_legible(figure)
    assert len(figure.axes[1].get_xticks()) > 15
    pixels(importance_bars({"x": SCORES}, "dead"))


def test_bad_bars():
    with pytest.raises(InvalidInputError, match="at least one method"):
        importance_bars({}, "c")
    with pytest.raises(InvalidInputError, match="all of the same channels"):
        importance_bars({"a": Importance({"c": [1]}, "a"), "b": Importance({"c": [1, 2]}, "b")}, "c")
    with pytest.raises(InvalidInputError, match="order must be sorted or original"):
        importance_bars({"a": SCORES}, "conv1", order="size")


def test_the_heat_map_has_a_row_per_class_by_name():
    figure = importance_by_class(SCORES, "conv1", provenance=PROVENANCE)
    picture = pixels(figure)
    left, width = MARGIN + 260, ROOM - 260
    for row, channel, value in [(0, 0, 0), (0, 95, 95), (1, 0, 95), (1, 95, 0), (0, 40, 40)]:
        x = left + round((channel + 0.5) * width / 96)
        assert picture[HEADER_HEIGHT + row * 40 + 20, x].tolist() == colour(value, 95.0)
    assert [text for text, _, _ in texts(figure) if text in CLASSES] == list(CLASSES)
    assert_legible(figure)


def test_a_heat_map_of_more_channels_than_pixels():
    many = Importance({"fc": np.ones(4096)}, "x", per_class={"fc": np.ones((4096, 3))})
    figure = importance_by_class(many, "fc")
    assert "class 2" in words(figure)
    assert_legible(figure)


def test_bad_heat_maps():
    with pytest.raises(InvalidInputError, match="'weight' has no classes"):
        importance_by_class(Importance({"a": [1]}, "weight"), "a")
    with pytest.raises(LayerNotFoundError, match="conv2"):
        importance_by_class(SCORES, "conv2")


def test_the_histogram_counts_channels_and_zeros():
    figure = importance_histogram(Importance({"a": [0, 0, 0.5, 1, 2], "b": np.arange(300.0)}, "x"))
    bars = figure.axes[1].patches
    assert [bar.get_height() for bar in bars[:20]] == [2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, *[0] * 8, 1]
    assert bars[20].get_height() == 2
    assert bars[20].get_facecolor()[:3] == pytest.approx(INK)
    assert bars[0].get_facecolor()[:3] == pytest.approx(ACCENT)
    assert "a (5)" in words(figure)
    assert_legible(figure)
    with pytest.raises(InvalidInputError, match="at least one layer"):
        importance_histogram(Importance({"a": []}, "x"))


METHODS = ("gradient", "taylor", "batchnorm")
MATRIX = np.array([[1, 0.5, np.nan], [0.5, 1, np.nan], [np.nan, np.nan, np.nan]])


def test_cells_have_the_colour_and_the_number_of_the_correlation():
    figure = agreement_matrix_figure(
        ImportanceAgreement(METHODS, {"conv1": MATRIX, "conv2": [[1, -0.5, 1], [-0.5, 1, 0], [1, 0, 1]]}),
        provenance=PROVENANCE,
    )
    said = words(figure)
    assert [name in said for name in ("mean over the layers", "conv1", "conv2", *METHODS)] == [True] * 6
    signed = ColourScale.of([np.zeros(1)], limits=(-1.0, 1.0))
    picture = pixels(figure)
    # The first panel is the mean: 0 between gradient and taylor, 1 between gradient and batchnorm.
    top = HEADER_HEIGHT + TITLE_HEIGHT
    for row, column, value in [(1, 0, 0.0), (2, 0, 1.0), (2, 1, 0.0)]:
        y, x = top + row * (CELL[1] + GAP) + 4, MARGIN + column * (CELL[0] + GAP) + 4
        assert picture[y, x].tolist() == signed.rgb(np.array(value)).tolist()
    numbers = [text for text, _, _ in texts(figure)]
    assert {"0.00", "1.00", "0.50", "−0.50", "–"} <= set(numbers)
    assert "scores all channels alike, or none" in said
    assert_legible(figure)


def test_undefined_cells_are_grey_and_one_layer_has_no_mean():
    figure = agreement_matrix_figure(ImportanceAgreement(METHODS, {"a_layer.with.a.long.name": MATRIX}))
    assert "mean over" not in words(figure)
    assert "a_layer.with.a.long.name" in words(figure)
    y = HEADER_HEIGHT + TITLE_HEIGHT + 2 * (CELL[1] + GAP) + 4
    assert pixels(figure)[y, MARGIN + 4].tolist() == list(to_bytes(SHADE))
    clear = agreement_matrix_figure(ImportanceAgreement(("a", "b"), {"c": np.ones((2, 2))}))
    assert "alike" not in words(clear)


def test_many_methods_and_layers_stay_legible():
    names = ("gradient", "taylor", "ablation", "batchnorm", "weight", "activation", "gradient mean_first")
    matrix = np.full((7, 7), -0.33) + 1.33 * np.eye(7)
    assert_legible(
        agreement_matrix_figure(ImportanceAgreement(names, {f"layer {index}": matrix for index in range(5)}))
    )


def test_bad_agreement():
    for agreement in (ImportanceAgreement(("a",), {"c": [[1]]}), ImportanceAgreement(("a", "b"), {})):
        with pytest.raises(InvalidInputError, match="two methods and a layer"):
            agreement_matrix_figure(agreement)


def gradients(values, **options):
    return Volume(np.asarray(values, np.float32), "conv1", quantity="weight gradient", provenance=PROVENANCE, **options)


def test_each_case_is_a_row_of_tiles_about_zero():
    flat = np.ones((4, 3, 3))
    cases = {"Shirt, classified right (0.93)": gradients(flat), "Ankle boot": gradients(-2 * flat)}
    figure = gradient_tiles(cases, clip=(0, 100))
    picture = pixels(figure)
    scale = ColourScale.of([np.zeros(1)], limits=(-2.0, 2.0))
    seen = {tuple(pixel) for pixel in picture[:-200].reshape(-1, 3)}
    assert {tuple(scale.rgb(np.array(value)).tolist()) for value in (1.0, -2.0)} <= seen
    said = words(figure)
    assert "conv1: weight gradient of 4 filters of 3 × 3" in said
    assert "Shirt, classified right (0.93)" in said
    assert "tiny-net · cat.png" in said
    assert_legible(figure)


@pytest.mark.parametrize("shape", [(28, 28), (300, 451), (500, 20)])
def test_the_image_of_a_case_stands_beside_its_tiles(shape):
    image = np.full((*shape, 3), (10, 200, 30), dtype=np.uint8)
    with_image, without = (
        pixels(gradient_tiles({"a": gradients(np.eye(3)[None].repeat(32, 0))}, images=images))
        for images in ({"a": image}, None)
    )
    green = (with_image == (10, 200, 30)).all(axis=-1)
    rows, columns = np.flatnonzero(green.any(axis=1)), np.flatnonzero(green.any(axis=0))
    assert (rows[0], columns[0]) == (HEADER_HEIGHT + TITLE_HEIGHT, MARGIN)
    assert (len(rows), len(columns)) == pytest.approx(np.array(shape) * 168 / max(shape), abs=0.5)
    assert not (without == (10, 200, 30)).all(axis=-1).any()


def test_bad_gradients():
    one = gradients(np.ones((2, 3, 3)))
    with pytest.raises(InvalidInputError, match="No volume"):
        gradient_tiles({})
    with pytest.raises(InvalidInputError, match="no gradients: dog"):
        gradient_tiles({"cat": one}, images={"dog": np.zeros((2, 2, 3), np.uint8)})
    with pytest.raises(InvalidInputError, match="one layer"):
        gradient_tiles({"cat": one, "dog": gradients(np.ones((3, 3, 3)))})


def test_missing_gradients_are_counted():
    values = np.ones((2, 3, 3))
    values[0, 1, 1] = np.nan
    assert "missing: 1 values are NaN or infinite" in words(gradient_tiles({"a": gradients(values)}))


def test_the_table_of_single_filters():
    rows = (FilterRow("all classes", 100, 0.125, 3, 0.12, 7, 0.4), FilterRow("Shirt", 10, 0.3, 1, 0.3, 7, 0.9))
    columns, cells, caption = filter_table_rows(FilterTable("conv1", "gradient", rows))
    assert columns == ("images of", "images", "error", "without least", "least", "without most", "most")
    assert cells[0] == ("all classes", 100, "12.5 %", "12.0 %", 3, "40.0 %", 7)
    assert cells[1][0] == "Shirt"
    assert "conv1" in caption
    assert "gradient" in caption
