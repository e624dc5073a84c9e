"""The mouse asks: values under it, selection by click and rectangle, and what is linked with it."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from viewer_scenes import network_scene, random_network, volume_scene

from cnnvis.layout.neighbours import strongest_links, strongest_path
from cnnvis.rendering.screen_box import Projection
from cnnvis.scene import Selection, VolumeMode

pytestmark = pytest.mark.qt

CTRL = Qt.KeyboardModifier.ControlModifier


def where(driver, unit) -> tuple[int, int]:
    """The point of the widget at which a unit is drawn."""
    item = driver.scene["units"]
    place = item.data.points[item.data.arrays["unit"].tolist().index(item.units.id(*unit))]
    view = driver.window.canvas.view
    drawn = driver.window.canvas.panes[0].drawn
    across, upwards = Projection.of(drawn.renderer, view.width() / view.height())(place[None].astype(float))[0]
    return round(view.width() / 2 + across * view.height()), round(view.height() / 2 - upwards * view.height())


@pytest.fixture
def asked(driver):
    """A window with a network whose units only are drawn, so that a click meets them."""
    driver.workspace.show(network_scene(), random_network())
    driver.scene["bundle"].visible = False
    driver.settle()
    return driver


def test_hover_tells_the_unit_under_it(asked, qtbot) -> None:
    layer = asked.scene["units"].layers[-1]
    asked.hover(where(asked, (layer, 2)))
    qtbot.waitUntil(lambda: asked.window.status.under_cursor.text().startswith(f"{layer} #2"), timeout=5000)
    assert "importance" in asked.window.status.under_cursor.text()
    assert "class" in asked.window.status.under_cursor.text()
    asked.hover((3, asked.window.canvas.view.height() - 3))
    qtbot.waitUntil(lambda: not asked.window.status.under_cursor.text(), timeout=5000)


def test_hover_tells_the_voxel(driver, qtbot) -> None:
    driver.workspace.show(volume_scene())
    driver.scene["ball"].mode = VolumeMode.SLICES
    driver.settle()
    view = driver.window.canvas.view
    driver.hover((view.width() // 2, view.height() // 2))
    qtbot.waitUntil(lambda: "row" in driver.window.status.under_cursor.text(), timeout=5000)
    text = driver.window.status.under_cursor.text()
    assert "channel #" in text
    assert "activation" in text


def test_a_click_selects_and_shows_links_both_ways(asked) -> None:
    layer = asked.scene["units"].layers[1]
    unit = (layer, 3)
    asked.click(where(asked, unit))
    assert asked.scene.selection.units == {unit}
    panel = asked.window.ask
    inputs, outputs = strongest_links(asked.scene["bundle"].data, panel.units.id(*unit), 12)
    assert panel.inputs.topLevelItemCount() == len(inputs)
    assert panel.outputs.topLevelItemCount() == len(outputs)
    first = panel.inputs.topLevelItem(0)
    assert first.text(0) == "{} #{}".format(*panel.units.split(int(inputs.units[0])))
    assert float(first.text(1)) == pytest.approx(inputs.importance[0], rel=1e-2)


def test_what_is_selected_stands_out_in_the_picture(driver) -> None:
    driver.workspace.show(network_scene(), random_network())
    before = driver.pixels()
    layer = driver.scene["units"].layers[1]
    driver.workspace.select(Selection(units=frozenset({(layer, 3)})))
    during = driver.pixels()
    assert (255 - during).sum() < 0.8 * (255 - before).sum(), "all else fades"
    driver.window.commands.run("edit.deselect")
    np.testing.assert_array_equal(driver.pixels(), before)


def test_ctrl_click_adds_and_takes_away_and_empty_clears(asked) -> None:
    layer = asked.scene["units"].layers[-1]
    asked.click(where(asked, (layer, 0)))
    asked.settle()
    asked.click(where(asked, (layer, 1)), CTRL)
    assert asked.scene.selection.units == {(layer, 0), (layer, 1)}
    asked.settle()
    asked.click(where(asked, (layer, 0)), CTRL)
    assert asked.scene.selection.units == {(layer, 1)}
    asked.settle()
    asked.click((3, asked.window.canvas.view.height() - 3))
    assert not asked.scene.selection


def test_a_second_click_takes_out_what_the_first_selected(asked) -> None:
    layer = asked.scene["units"].layers[-1]
    before = asked.pixels()
    for expected in ({(layer, 0)}, set()):
        asked.click(where(asked, (layer, 0)))
        assert asked.scene.selection.units == expected
        asked.settle()
    np.testing.assert_array_equal(asked.pixels(), before)
    asked.workspace.select(Selection(units=frozenset({(layer, 0), (layer, 1)})))
    asked.settle()
    asked.click(where(asked, (layer, 0)))
    assert asked.scene.selection.units == {(layer, 0)}, "one of several is chosen, not taken out"


def test_ctrl_click_takes_a_selected_layer_or_class_out(asked) -> None:
    layer, other = asked.scene["units"].layers[-1], asked.scene["units"].layers[0]
    at = where(asked, (layer, 0))
    main = asked.window.pointing.hit_at(*asked.window.canvas.view.in_window(QPoint(*at))).main_class
    for selection, left in (
        (Selection(layers={layer, other}), Selection(layers={other})),
        (Selection(classes={main}, units={(layer, 1)}), Selection(units={(layer, 1)})),
    ):
        asked.workspace.select(selection)
        before = asked.pixels()
        asked.click(where(asked, (layer, 0)), CTRL)
        assert asked.scene.selection == left
        assert (asked.pixels() != before).any()


def test_a_rectangle_selects_what_is_inside(asked) -> None:
    layer = asked.scene["units"].layers[-1]
    places = np.array([where(asked, (layer, channel)) for channel in range(4)])
    low, high = places.min(axis=0) - 6, places.max(axis=0) + 6
    asked.drag(tuple(low), tuple(high), modifiers=CTRL)
    assert {(layer, channel) for channel in range(4)} <= asked.scene.selection.units
    assert asked.scene.camera.view != "custom", "the camera did not turn"


def test_double_click_looks_there(asked) -> None:
    layer = asked.scene["units"].layers[0]
    at = where(asked, (layer, 0))
    view = asked.window.canvas.view
    QTest.mouseDClick(view, Qt.MouseButton.LeftButton, pos=QPoint(*at))
    asked.settle()
    moved = where(asked, (layer, 0))
    assert abs(moved[0] - view.width() / 2) < abs(at[0] - view.width() / 2)


def test_the_strongest_path_to_a_class(asked) -> None:
    panel = asked.window.ask
    panel.classes.setCurrentIndex(3)  # "choose", then class 0, 1, 2
    panel.classes.activated.emit(3)
    units = panel.units
    expected = strongest_path(asked.scene["bundle"].data, units.id(units.layers[-1], 2), towards="input")
    assert asked.scene.selection == Selection.of_path(units.split(int(unit)) for unit in expected.units)
    assert " → " in panel.said.text()
    assert panel.unit == (units.layers[-1], 2), "of a path the last unit is asked"


def test_lists_lead_on(asked) -> None:
    layer = asked.scene["units"].layers[1]
    asked.workspace.select(Selection(units=frozenset({(layer, 0)})))
    panel = asked.window.ask
    row = panel.inputs.topLevelItem(1)
    name = row.text(0)
    panel.inputs.itemActivated.emit(row, 0)
    assert asked.scene.selection.text == name
    QTest.mouseClick(panel.clear, Qt.MouseButton.LeftButton)
    assert not asked.scene.selection
    assert panel.inputs.topLevelItemCount() == 0


def test_export_writes_what_is_selected(asked, tmp_path) -> None:
    layer = asked.scene["units"].layers[-1]
    asked.workspace.select(Selection(units=frozenset({(layer, 0), (layer, 2)})))
    asked.window.ask.export_to(tmp_path / "selection.csv")
    with (tmp_path / "selection.csv").open() as file:
        rows = [row for row in csv.reader(file) if row and not row[0].startswith("#")]
    assert len(rows) == 3
    assert [row[:2] for row in rows[1:]] == [[layer, "0"], [layer, "2"]]
