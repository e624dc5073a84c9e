"""Cells have the colours of their values, bars their heights; labels are legible, and none covers another."""

import numpy as np
import pytest
from shots import shoot

from cnnvis.core import Importance, Volume
from cnnvis.core.palette import MISSING_COLOUR
from cnnvis.rendering import OffscreenWindow, SceneRenderer, _vtk, render
from cnnvis.rendering.matrix_artist import BAR, SHADES, MatrixArtist
from cnnvis.rendering.style import THEMES
from cnnvis.scene import Camera, Scene, TransferFunction

WHITE = [255, 255, 255]
NAMES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


def matrix(values, *, scene=None, **state):
    """Return a scene of one matrix, as it is looked at by default."""
    scene = Scene() if scene is None else scene
    scene.add_matrix(values, **({"axes": False, "legend": False} | state))
    return scene


def colour_of(item, value):
    positions = item.transfer.normalise([value], item.transfer.span_of(item.data))
    return np.round(255 * item.transfer.colours(positions)[0])


def texts(scene, size):
    """Return the texts of a picture with the box (left, right, bottom, top) of their pixels."""
    with OffscreenWindow(scene, size) as window:
        window.draw()
        renderer = window.panes[0][0].renderer
        found = []
        for prop in renderer.GetViewProps():
            if isinstance(prop, _vtk.vtkTextActor):
                box = [0.0] * 4
                prop.GetBoundingBox(renderer, box)
                x, y = prop.GetPositionCoordinate().GetComputedViewportValue(renderer)
                found.append((prop.GetInput(), np.add(box, [x, x, y, y])))
        return found


def assert_apart_and_inside(found, size):
    for index, (text, (left, right, bottom, top)) in enumerate(found):
        assert 0 <= left <= right <= size[0], text
        assert 0 <= bottom <= top <= size[1], text
        for other, box in found[:index]:
            covered = left < box[1] - 1 and right > box[0] + 1 and bottom < box[3] - 1 and top > box[2] + 1
            assert not covered, (text, other)


# -- cells -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", [(0, 0, 0), (5, -3, 2)])
@pytest.mark.parametrize("cell", [(1, 1), (1, 3)])
def test_every_cell_has_the_colour_of_its_value_where_the_matrix_has_it(cell, origin):
    values = np.array([[0.0, 1.0, -2.0], [np.nan, 4.0, np.inf]])
    scene = matrix(values, cell=cell, origin=origin)
    shot, item = shoot(scene), scene["matrix"]
    for row, column in np.ndindex(values.shape):
        at = np.add(origin, [(column + 0.5) * cell[0], (row + 0.5) * cell[1], 0])
        finite = np.isfinite(values[row, column])
        wanted = colour_of(item, values[row, column]) if finite else np.round(255 * np.array(MISSING_COLOUR))
        assert shot.colour(*at).tolist() == wanted.tolist()
    first, right, below = (shot.at(*(np.array(origin) + p)) for p in [(0.1, 0.1, 0), (2.9, 0.1, 0), (0.1, 1.9, 0)])
    assert right[1] > first[1]  # columns run to the right
    assert below[0] > first[0]  # rows run downwards


def test_cells_that_do_not_exist_are_paper():
    scene = Scene(background="dark")
    scene.add_importance(Importance({"conv": [1.0, 2, 3, 4, 5]}, "x"), "conv", columns=3, axes=False, legend=False)
    shot = shoot(scene)
    paper = np.round(255 * np.array(THEMES["dark"].background))
    np.testing.assert_allclose(shot.colour(2.5, 1.5, 0), paper, atol=1)
    np.testing.assert_allclose(shot.colour(0.3, 1.3, 0), 255 * scene["conv"].transfer.colours([0.8])[0], atol=1)


def test_the_opacity_curve_fades_cells_into_the_paper():
    transfer = TransferFunction(span=(0, 1), colour_map="gray", opacity=((0, 0.5), (1, 0.5)))
    scene = matrix([[0.0, 1.0]], transfer=transfer)
    assert shoot(scene).colour(0.5, 0.5, 0).tolist() == [128, 128, 128]
    scene["matrix"].opacity = 0.5
    np.testing.assert_allclose(shoot(scene).colour(0.5, 0.5, 0), [192] * 3, atol=1)


def test_a_new_frame_is_drawn():
    scene = matrix([[0.0, 1.0]])
    scene.set_frames("epoch", ("0", "1"), {"matrix": [np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])]})
    before = shoot(scene).colour(0.5, 0.5, 0)
    scene.frame = 1
    np.testing.assert_array_equal(shoot(scene).colour(1.5, 0.5, 0), before)


# -- bars ------------------------------------------------------------------------------------------


def bars(values, **state):
    """Return a scene of bars seen from exactly in front: heights can be measured."""
    return matrix(values, style="bars", scene=Scene(camera=Camera(view="front", parallel=True)), **state)


def test_bars_are_as_high_as_their_values_and_negative_ones_go_down():
    values = np.array([[2.0, -1.0, 0.5, 0.0]])
    scene = bars(values, height=3.0)
    shot, item = shoot(scene, (400, 300)), scene["matrix"]
    lowest, highest = -2.0, 2.0  # the range is symmetric around zero
    per_value = 3.0 / (highest - lowest)
    zero = highest * per_value
    front = [SHADES[2] * colour_of(item, value) for value in values[0]]
    for column, value in enumerate(values[0]):
        rows, middle = (
            shot.pixels[:, round(shot.at(column + 0.5, 0, 0)[1])].astype(float),
            round(shot.at(0, zero, 0)[0]),
        )
        found = np.flatnonzero(np.abs(rows - front[column]).max(axis=1) < 3)
        reach = shot.at(0, zero, 0)[0] - shot.at(0, zero - value * per_value, 0)[0]  # in pixels, upwards
        assert len(found) == pytest.approx(abs(reach), abs=3)
        if value:
            assert (found.mean() < middle) == (value > 0)


def test_the_end_of_a_bar_has_the_very_colour_of_its_value():
    values = np.array([[2.0, 1.0], [0.5, np.nan]])
    scene = matrix(values, style="bars", scene=Scene(camera=Camera(view="top", parallel=True)))
    shot, item = shoot(scene), scene["matrix"]
    y = [item.extent[1] * (1 - value / 2) for value in (2.0, 1.0, 0.5, 0.0)]
    for index, (row, column) in enumerate(np.ndindex(2, 2)):
        wanted = colour_of(item, values[row, column]) if index < 3 else np.round(255 * np.array(MISSING_COLOUR))
        # The first row is farthest: on top of the picture, as in the table.
        assert shot.colour(column + 0.5, y[index], 1.5 - row).tolist() == wanted.tolist()
    assert shot.at(0.5, 0, 1.5)[0] < shot.at(0.5, 0, 0.5)[0]
    width = np.count_nonzero((shot.pixels[round(shot.at(0, 0, 1.5)[0])] == colour_of(item, 2.0)).all(axis=1))
    assert width == pytest.approx(BAR * (shot.at(1, 0, 0)[1] - shot.at(0, 0, 0)[1]), abs=2)


def test_values_beyond_the_range_end_with_it():
    transfer = TransferFunction(span=(0, 1))
    for value in (1.0, 7.0):
        artist = MatrixArtist(bars([[value]], transfer=transfer)["matrix"], None)
        (actor,) = artist.build(THEMES["light"])
        assert actor.GetBounds()[2:4] == pytest.approx((0, artist.item.extent[1]))
    low, high = artist.bounds()
    assert np.all(np.array(actor.GetBounds()[::2]) >= low)
    assert np.all(np.array(actor.GetBounds()[1::2]) <= high)


def test_bars_that_do_not_exist_are_not_drawn():
    artist = MatrixArtist(bars(np.ones((2, 2)), n_cells=3)["matrix"], None)
    (actor,) = artist.build(THEMES["light"])
    assert actor.GetMapper().GetInput().GetNumberOfCells() == 3 * 6


def test_zero_is_in_the_box_of_bars_that_are_all_high():
    scene = bars([[10.0, 12.0]], height=12.0)
    (actor,) = MatrixArtist(scene["matrix"], None).build(THEMES["light"])
    assert actor.GetBounds()[2:4] == pytest.approx((0, 12.0))  # as high as 12 and from 0, not from 10


# -- labels ----------------------------------------------------------------------------------------

BY_CLASS = Importance({"conv": np.ones(96)}, "gradient", per_class={"conv": np.full((96, 10), 3.0)}, class_names=NAMES)


@pytest.mark.parametrize("size", [(640, 400), (320, 200), (300, 420)])
@pytest.mark.parametrize("style", ["cells", "bars"])
@pytest.mark.parametrize("classes", ["all", None])
def test_labels_are_apart_and_inside(style, classes, size):
    scene = Scene()
    scene.add_importance(BY_CLASS, "conv", classes=classes, style=style)
    assert_apart_and_inside(texts(scene, size), size)


def test_all_classes_are_named_where_they_fit_and_channels_are_counted():
    scene = Scene()
    scene.add_importance(BY_CLASS, "conv", classes="all")
    shown = [text for text, _ in texts(scene, (640, 400))]
    assert set(NAMES) <= set(shown)
    assert {"channel", "class", "importance", "conv: importance by gradient", "0", "5", "95"} <= set(shown)
    assert "1" not in shown  # every fifth has room


def test_names_below_stand_upright_where_they_would_run_into_each_other():
    wide, narrow = Scene(), Scene()
    wide.add_matrix(np.zeros((2, 2)), columns=("left", "right"))
    narrow.add_matrix(np.zeros((10, 10)), columns=NAMES)
    boxes = dict(texts(wide, (640, 400)))
    left, right, bottom, top = boxes["left"]
    assert right - left > top - bottom
    boxes = dict(texts(narrow, (640, 400)))
    assert set(NAMES) <= set(boxes)
    left, right, bottom, top = boxes["Ankle boot"]
    assert top - bottom > 3 * (right - left)


def test_a_label_too_long_for_the_pane_loses_its_middle():
    scene = Scene()
    scene.add_matrix([[1.0]], rows=("x" * 200,))
    assert any("\N{HORIZONTAL ELLIPSIS}" in text for text, _ in texts(scene, (400, 300)))
    assert_apart_and_inside(texts(scene, (400, 300)), (400, 300))


@pytest.mark.parametrize(
    ("n", "size", "fits"), [(96, (640, 400), True), (96, (140, 100), False), (2500, (800, 600), False)]
)
def test_cells_are_numbered_where_all_numbers_fit(n, size, fits):
    scene = Scene()
    scene.add_importance(Importance({"conv": np.linspace(0, 1, n)}, "x"), "conv", axes=False, legend=False)
    numbers = [text for text, _ in texts(scene, size) if text.isdecimal()]
    assert numbers == ([str(channel) for channel in range(n)] if fits else [])


def test_the_text_of_a_cell_stands_in_its_middle_and_shows_up():
    scene = matrix([[0.0, 1.0]], cell_text="value", transfer=TransferFunction(span=(0, 1), colour_map="gray"))
    shot = shoot(scene, (400, 300))
    for (text, box), column, ink in zip(texts(scene, (400, 300)), (0, 1), (255, 0), strict=True):
        assert text == str(column)
        row, at = shot.at(column + 0.5, 0.5, 0)
        assert (box[0] + box[1]) / 2 == pytest.approx(at, abs=2)
        assert 300 - (box[2] + box[3]) / 2 == pytest.approx(row, abs=3)
        patch = shot.pixels[round(row) - 8 : round(row) + 8, round(at) - 8 : round(at) + 8]
        assert (np.abs(patch.astype(int) - ink) < 60).all(axis=2).sum() > 8


def test_values_on_cells_have_the_digits_of_the_largest_and_missing_ones_none():
    scene = matrix([[1.0, -0.0046, 0.256, np.nan]], cell_text="value")
    shown = [text for text, _ in texts(scene, (640, 300)) if "NaN" not in text]
    assert [text for text in shown if text] == ["1", "0", "0.26"]


def test_slanting_cells_carry_no_text():
    scene = matrix([[0.0, 1.0]], cell_text="value")
    scene.camera.view = "three_quarter"
    assert texts(scene, (400, 300)) == []


# -- beside others ---------------------------------------------------------------------------------


def legends_of(scene, size=(640, 400)):
    return [text for text, _ in texts(scene, size)]


def test_every_scale_of_a_scene_has_its_bar_once():
    scene = Scene(camera=Camera(view="front"))
    values = np.linspace(0, 1, 27).reshape(3, 3, 3)
    scene.add_volume(Volume(values, layer="a"), axes=False)
    scene.add_volume(Volume(values, layer="b"), origin=(4, 0, 0), axes=False)
    assert legends_of(scene).count("activation") == 1
    scene.add_matrix([[0.0, 2.0]], origin=(8, 0, 0), quantity="importance", axes=False)
    assert {"activation", "importance"} <= set(legends_of(scene))
    scene["b"].transfer = TransferFunction(span=(0, 5))
    found = legends_of(scene)
    assert {"a: activation", "b: activation", "matrix: importance"} <= set(found)
    for size in ((640, 400), (320, 420)):
        assert_apart_and_inside(texts(scene, size), size)


def test_a_matrix_gives_the_headline_unless_a_volume_does():
    scene = matrix([[1.0, np.nan]], title="agreement")
    renderer = SceneRenderer(scene, _vtk.vtkRenderer())
    items = list(scene)
    assert renderer._title(items) + renderer._notes(items) == ["agreement", "1 values NaN or infinite (magenta)"]
    scene.add_volume(Volume(np.ones((2, 2, 2)), layer="conv"))
    assert renderer._title(list(scene)) == ["conv: original order", "agreement"]
    scene.title = "Mine"
    assert renderer._title(list(scene)) == ["Mine", "agreement"]
    renderer.close()


def test_a_picture_of_one_cell():
    assert (render(matrix([[3.0]]), size=(100, 80)) != 255).any()
