"""The graph of a surveyed layer in a pane: picked, selected, in step with the survey's views, undone."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from viewer_scenes import network_scene, random_network, volume_scene

import cnnvis
from cnnvis.capture import SurveyOptions
from cnnvis.models import labelled_images, load
from cnnvis.rendering.screen_box import Projection
from cnnvis.scene import Selection

pytestmark = pytest.mark.qt

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture(scope="module")
def survey():
    images, labels = labelled_images("fashion-mnist", "importance").pair
    return cnnvis.survey(load("fashion-cnn"), (images[:60], labels[:60]), options=SurveyOptions(window=60))


@pytest.fixture
def panel(driver, survey):
    """The survey's panel with a network open in the window, and the graph of conv3 beside it."""
    driver.workspace.show(network_scene(), random_network())
    driver.workspace.show_survey(survey)
    driver.settle()
    panel = driver.window.survey
    QTest.mouseClick(panel.in_space, LEFT)
    driver.settle()
    return panel


def graph_scene(driver):
    return next(scene for scene in driver.workspace.scenes if "channels" in scene)


def pixel_of(driver, channel):
    """Where the ball of a channel is in the view, logical pixels from the top left."""
    scene = graph_scene(driver)
    pane = next(each for each in driver.window.canvas.panes if each.drawn.scene is scene)
    renderer = pane.drawn.renderer
    (width, height), (left, bottom) = renderer.GetSize(), renderer.GetOrigin()
    x, y = Projection.of(renderer, width / height)(scene["channels"].data.points[channel : channel + 1])[0]
    view, ratio = driver.window.canvas.view, driver.window.canvas.view.devicePixelRatio()
    at_x, at_y = left + (x + width / height / 2) * height, bottom + (y + 0.5) * height
    return round(at_x / ratio), round(view.height() - at_y / ratio)


def foremost(driver):
    """The channel whose ball is nearest to the eye: nothing is before it."""
    scene = graph_scene(driver)
    pane = next(each for each in driver.window.canvas.panes if each.drawn.scene is scene)
    sight = np.array(pane.drawn.renderer.GetActiveCamera().GetDirectionOfProjection())
    return int((scene["channels"].data.points @ sight).argmin())


def test_it_stands_beside_what_is_open_and_shares_the_selection_only(driver, panel):
    scenes, target = driver.workspace.scenes, driver.workspace.target
    assert len(scenes) == 2
    assert target.link == ("selection",) or set(target.link) == {"selection"}
    assert driver.workspace.networks == (random_network(), None)
    assert [item.name for item in scenes[1]] == ["links", "channels", "groups"]
    assert scenes[1].title == "fashion-cnn · conv3 · 64 channels in " + scenes[1].title.rsplit(" in ", 1)[1]
    assert len(scenes[1]["channels"].data) == 64
    assert not driver.problems


def test_a_ball_that_is_clicked_is_selected_in_every_view(driver, panel):
    channel = foremost(driver)
    before = panel.graph.grab().toImage()
    driver.click(pixel_of(driver, channel))
    driver.settle()
    unit = ("conv3", channel)
    assert all(scene.selection == Selection(units={unit}) for scene in driver.workspace.scenes)
    assert panel.bench.selected == {unit}
    assert panel.text.text().startswith(f"conv3 #{channel} ·")
    assert panel.graph.grab().toImage() != before


def test_a_ball_under_the_mouse_is_pointed_at_in_every_view(qtbot, driver, panel):
    channel = foremost(driver)
    driver.settle()
    driver.hover(pixel_of(driver, channel))
    qtbot.waitUntil(lambda: panel.bench.hovered == ("conv3", channel), timeout=10_000)
    assert panel.text.text().startswith(f"conv3 #{channel} ·")
    driver.hover((driver.window.canvas.view.width() - 3, 3))
    qtbot.waitUntil(lambda: panel.bench.hovered is None, timeout=10_000)


def test_channels_that_were_not_surveyed_are_neither_pointed_at_nor_marked(driver, panel):
    others = {("a layer of another network", 0), ("conv3", 64)}
    for unit in others:
        panel.bench.point_at(unit)
        assert panel.bench.hovered is None
    driver.workspace.select(Selection(units={*others, ("conv3", 63)}))
    driver.settle()
    assert panel.bench.selected == {("conv3", 63)}
    panel.grab()
    assert panel.text.text().startswith("conv3 #63 ·")


def test_what_is_selected_in_the_grid_stands_out_in_space(driver, panel):
    before = driver.pixels()
    channel = foremost(driver)
    column, row = pixel_of(driver, channel)
    colour = before[row, column]
    cell = panel.grid.rect_of(("conv3", channel)).center()
    QTest.mouseClick(panel.grid, LEFT, NONE, QPoint(int(cell.x()), int(cell.y())))
    after = driver.pixels()
    column, row = pixel_of(driver, channel)  # what the title says of it may take a line more
    np.testing.assert_allclose(after[row, column], colour, atol=40)
    paler = (after.sum(axis=2) > before.sum(axis=2) + 60).mean()
    assert paler > 0.01, "the others fade"


def test_another_layer_takes_its_place_and_undo_brings_the_first_back(driver, panel):
    scene, camera = graph_scene(driver), graph_scene(driver).camera.model_copy()
    first = scene["channels"].data
    panel.bench.show_layer("conv2")
    driver.settle()
    assert graph_scene(driver) is scene
    assert scene["channels"].layers == ("conv2",)
    assert len(scene["channels"].data) == 32
    assert "conv2" in scene.title
    assert scene.camera == camera
    driver.workspace.history.undo()
    driver.settle()
    assert len(driver.workspace.scenes) == 1, "opening the pane and what follows are one step"
    driver.workspace.history.redo()
    driver.settle()
    assert len(graph_scene(driver)["channels"].data) == 32
    assert first is not scene["channels"].data


def test_another_survey_of_the_same_layers_takes_its_place(driver, panel):
    images, labels = labelled_images("fashion-mnist", "importance").pair
    places = graph_scene(driver)["channels"].data.points
    driver.workspace.show_survey(cnnvis.survey(load("fashion-cnn"), (images[60:90], labels[60:90])))
    driver.settle()
    assert panel.bench.layer == "conv3"
    assert not np.allclose(graph_scene(driver)["channels"].data.points, places)


def test_asking_again_makes_no_second_pane(driver, panel):
    QTest.mouseClick(panel.in_space, LEFT)
    driver.settle()
    assert len(driver.workspace.scenes) == 2


def test_without_a_survey_it_says_what_to_do(driver):
    said = []
    driver.workspace.message.connect(said.append)
    driver.workspace.show(volume_scene())
    driver.window.survey.pane.show()
    driver.settle()
    assert "open a survey" in said[-1]
    assert len(driver.workspace.scenes) == 1


def test_four_panes_are_enough(driver, panel, survey):
    driver.workspace.arrange([volume_scene() for _ in range(4)], [None] * 4)
    QTest.mouseClick(panel.in_space, LEFT)
    driver.settle()
    assert len(driver.workspace.scenes) == 4
    assert "4 panes are open" in str(driver.problems[-1][1])
    driver.problems.clear()
