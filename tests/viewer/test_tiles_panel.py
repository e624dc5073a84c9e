"""The panel of a network's maps: every control moves the state and the picture."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from viewer_scenes import small_network_maps

from cnnvis.scene import Scene
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
        ("gathered", "gathered", 1),
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
