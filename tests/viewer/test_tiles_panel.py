"""The panel of a network's maps: every control moves the state and the picture."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from viewer_scenes import small_network_maps

from cnnvis.scene import Scene, Selection
from cnnvis.viewer.fields import CheckField, ChoiceField, NumberField
from cnnvis.viewer.panels.tiles import TilesPanel

pytestmark = pytest.mark.qt

BEGIN = {"turn": 0.5, "arrangement": 0.5, "depth": "full", "n_reduced": 2}


def type_in(field: NumberField, value: float) -> None:
    field.box.setFocus()
    field.box.selectAll()
    QTest.keyClicks(field.box, f"{value:g}")
    QTest.keyClick(field.box, Qt.Key.Key_Return)


def numbers(panel: TilesPanel, name: str) -> NumberField:
    return next(field for field in panel.findChildren(NumberField) if field.accessibleName().lower() == name)


def choices(panel: TilesPanel, name: str) -> ChoiceField:
    return next(field for field in panel.findChildren(ChoiceField) if field.accessibleName().lower() == name)


@pytest.fixture
def shown(driver):
    """A window with the maps of a small network; the item and its panel."""
    scene = Scene.of_tiles(small_network_maps(), **BEGIN)
    driver.workspace.show(scene)
    driver.settle()
    return driver, scene["network"], driver.window.docks["properties"].findChild(TilesPanel)


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("arrangement", "arrangement", 2),
        ("turn of lines", "turn", 0.1),
        ("layer distance", "layer_distance", 6),
        ("spacing", "spacing", 0.6),
        ("expansion", "expansion", 0),
        ("expansion", "expansion", 2),
        ("expansion", "expansion", 3),
        ("brightness of links", "link_brightness", 3),
        ("brightness of maps", "brightness", 3),
    ],
)
def test_numbers_move_the_tiles(shown, name, field, value) -> None:
    driver, item, panel = shown
    before = driver.pixels()
    type_in(numbers(panel, name), value)
    assert getattr(item, field) == value
    assert (driver.pixels() != before).any()


@pytest.mark.parametrize(
    ("name", "field", "steps", "value"),
    [
        ("maps", "depth", 2, "slab"),
        ("maps", "depth", 1, "reduced"),
        ("rows", "rows", 3, 3),
        ("shape", "pixels", 1, "soft"),
    ],
)
def test_choices_change_what_is_drawn(shown, name, field, steps, value) -> None:
    driver, item, panel = shown
    before = driver.pixels()
    choice = choices(panel, name)
    choice.setFocus()
    for _ in range(steps):
        QTest.keyClick(choice, Qt.Key.Key_Down)
    assert getattr(item, field) == value
    assert (driver.pixels() != before).any()


def test_ticks_change_what_is_drawn(shown) -> None:
    driver, item, panel = shown
    for name, field in (("links", "links"), ("pixels", "same_pixels"), ("legend", "legend")):
        before = driver.pixels()
        tick = next(box for box in panel.findChildren(CheckField) if box.accessibleName().lower() == name)
        wanted = not getattr(item, field)
        tick.click()
        assert getattr(item, field) is wanted
        assert (driver.pixels() != before).any(), field


def test_undo_brings_the_arrangement_back(shown) -> None:
    driver, item, panel = shown
    before = driver.pixels()
    type_in(numbers(panel, "arrangement"), 2)
    driver.settle()
    driver.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert item.arrangement == BEGIN["arrangement"]
    np.testing.assert_array_equal(driver.pixels(), before)


def test_the_position_and_the_colour_of_links_between_pixels(shown) -> None:
    driver, item, panel = shown
    item.expansion = 2
    pictures = [driver.pixels()]
    type_in(numbers(panel, "row"), 0.1)
    pictures.append(driver.pixels())
    type_in(numbers(panel, "column"), 0.9)
    pictures.append(driver.pixels())
    choice = choices(panel, "colour by")
    choice.setFocus()
    QTest.keyClick(choice, Qt.Key.Key_Down)
    pictures.append(driver.pixels())
    assert (item.row, item.column, item.links_by) == (0.1, 0.9, "product")
    assert all((one != other).any() for one, other in itertools.pairwise(pictures))


def test_a_layer_is_folded_and_enlarged(shown) -> None:
    driver, item, panel = shown
    panel.layer.setFocus()
    QTest.keyClick(panel.layer, Qt.Key.Key_Down)
    assert panel.layer.value == "conv"
    before = driver.pixels()
    QTest.mouseClick(panel.folded, Qt.MouseButton.LeftButton, pos=QPoint(8, panel.folded.height() // 2))
    assert item.folded_layers == ("conv",)
    folded = driver.pixels()
    QTest.mouseClick(panel.folded, Qt.MouseButton.LeftButton, pos=QPoint(8, panel.folded.height() // 2))
    QTest.mouseClick(panel.enlarged, Qt.MouseButton.LeftButton, pos=QPoint(8, panel.enlarged.height() // 2))
    assert (item.folded_layers, item.enlarged_layers) == ((), ("conv",))
    assert (folded != before).any()
    assert (driver.pixels() != folded).any()


def test_a_selected_map_has_its_strongest_links_said_and_marked(shown) -> None:
    driver, _, panel = shown
    before = driver.pixels()
    driver.workspace.select(Selection(units={("conv", 0)}))
    assert panel.strongest.text() == (
        "conv #0\nstrongest inputs: input #0 +1.00\nstrongest outputs: none among the links that are kept"
    )
    assert (driver.pixels() != before).any()
    driver.workspace.select(Selection(units={("conv", 3)}))
    assert "input #0 −0.50" in panel.strongest.text()
    driver.workspace.select()
    assert panel.strongest.text() == ""
    assert (driver.pixels() == before).all()
