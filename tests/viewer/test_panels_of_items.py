"""Every control is moved by real events, and state and pixels follow."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QGroupBox
from viewer_scenes import network_scene, random_network, volume_scene

from cnnvis.scene import ITEM_KINDS, ClipBox, Scene, SceneGrid, VolumeMode
from cnnvis.viewer.fields import CheckField, ChoiceField, NumberField, bind
from cnnvis.viewer.panels import PANELS
from cnnvis.viewer.panels.scene_tree import ITEM, LAYER, ROLE
from cnnvis.viewer.panels.volume import VolumePanel

pytestmark = pytest.mark.qt

LEFT = Qt.MouseButton.LeftButton


def change(before: np.ndarray, after: np.ndarray) -> int:
    return int(np.abs(after - before).max())


def choose(field: ChoiceField, value: object) -> None:
    """Choose a value with the keyboard."""
    wanted = next(index for index in range(field.count()) if field.itemData(index) == value)
    field.setFocus()
    steps = wanted - field.currentIndex()
    for _ in range(abs(steps)):
        QTest.keyClick(field, Qt.Key.Key_Down if steps > 0 else Qt.Key.Key_Up)


def type_in(field: NumberField, value: float) -> None:
    field.box.setFocus()
    field.box.selectAll()
    QTest.keyClicks(field.box, f"{value:g}")
    QTest.keyClick(field.box, Qt.Key.Key_Return)


def panel(driver, kind):
    return driver.window.docks["properties"].findChild(kind)


def test_every_kind_of_item_has_a_panel() -> None:
    assert PANELS.keys() == ITEM_KINDS.keys()


# -- fields --------------------------------------------------------------------------------------


def test_a_number_is_dragged_typed_and_shown(qtbot) -> None:
    scene = volume_scene()
    item = scene["ball"]
    field = bind(NumberField(0, 1, 0.5), item, "opacity")
    qtbot.addWidget(field)
    assert field.value == 1, "it shows what the model says"
    type_in(field, 0.25)
    assert item.opacity == 0.25
    assert field.slider.value() == 250
    QTest.keyClick(field.slider, Qt.Key.Key_PageUp)
    assert item.opacity == pytest.approx(0.35)
    item.opacity = 0.7
    assert field.value == 0.7


def test_a_number_out_of_range_is_not_taken(qtbot) -> None:
    item = volume_scene()["ball"]
    field = bind(NumberField(0, 1, 0.5), item, "opacity")
    qtbot.addWidget(field)
    type_in(field, 7)
    assert item.opacity <= 1


def test_a_bound_widget_that_is_gone_is_left_alone(qtbot) -> None:
    item = volume_scene()["ball"]
    field = bind(CheckField("x"), item, "visible")
    field.deleteLater()
    qtbot.wait(50)
    item.visible = False
    item.visible = True
    assert len(item.events.visible) == 0, "nor does the signal keep what it called"


def test_whole_numbers_stay_whole(qtbot) -> None:
    field = NumberField(0, 20, 3, whole=True)
    qtbot.addWidget(field)
    heard = []
    field.changed.connect(heard.append)
    QTest.keyClick(field.slider, Qt.Key.Key_Right)
    assert heard == [4]
    assert field.value == 4


# -- the tree ------------------------------------------------------------------------------------


def rows_of(driver) -> dict:
    tree = driver.window.docks["scene"].widget()
    return {(row.data(0, ROLE)[0], row.text(0)): row for row in tree._rows()}


def click_box(driver, row) -> None:
    tree = driver.window.docks["scene"].widget().tree
    box = tree.visualItemRect(row)
    QTest.mouseClick(tree.viewport(), LEFT, pos=box.topLeft() + type(box.topLeft())(10, box.height() // 2))


def test_the_box_of_an_item_hides_it(driver) -> None:
    driver.workspace.show(network_scene(), random_network())
    before = driver.pixels()
    row = rows_of(driver)[ITEM, "units"]
    click_box(driver, row)
    assert not driver.scene["units"].visible
    assert change(before, driver.pixels()) > 20
    driver.scene["units"].visible = True
    assert row.checkState(0) == Qt.CheckState.Checked


def test_the_box_of_a_layer_hides_its_units(driver) -> None:
    driver.workspace.show(network_scene(), random_network())
    before = driver.pixels()
    layer = driver.scene["units"].layers[1]
    tree = driver.window.docks["scene"].widget()
    row = next(row for row in tree._rows() if row.data(0, ROLE) == (LAYER, 0, "units", layer))
    click_box(driver, row)
    assert driver.scene["units"].hidden_layers == (layer,)
    assert change(before, driver.pixels()) > 20
    click_box(driver, row)
    assert driver.scene["units"].hidden_layers == ()


def test_choosing_a_row_shows_its_properties(driver) -> None:
    driver.workspace.show(network_scene(), random_network())
    tree = driver.window.docks["scene"].widget().tree
    row = rows_of(driver)[ITEM, "units"]
    QTest.mouseClick(tree.viewport(), LEFT, pos=tree.visualItemRect(row).center())
    assert driver.workspace.item is driver.scene["units"]


def test_rows_of_several_scenes_and_their_order(driver) -> None:
    grid = SceneGrid([volume_scene(), volume_scene()])
    grid.scenes[1].add_image(np.zeros((2, 2, 3), np.uint8))
    driver.workspace.show(grid)
    tree = driver.window.docks["scene"].widget()
    row = next(row for row in tree._rows() if row.data(0, ROLE)[:3] == (ITEM, 1, "image"))
    tree.tree.setCurrentItem(row)
    assert driver.workspace.scene is grid.scenes[1]
    tree._move(-1)
    assert [item.name for item in grid.scenes[1]] == ["image", "ball"]
    tree._remove()
    assert [item.name for item in grid.scenes[1]] == ["ball"]
    driver.workspace.history.undo()
    assert [item.name for item in grid.scenes[1]] == ["image", "ball"]


# -- volumes -------------------------------------------------------------------------------------


def test_modes_of_a_volume(driver) -> None:
    driver.workspace.show(volume_scene())
    before = driver.pixels()
    for mode in (VolumeMode.MIP, VolumeMode.ISOSURFACE, VolumeMode.SLICES):
        choose(panel(driver, VolumePanel).mode, str(mode))
        assert driver.scene["ball"].mode is mode
        after = driver.pixels()
        assert change(before, after) > 20
        before = after


def test_slices_follow_their_sliders(driver) -> None:
    driver.workspace.show(volume_scene())
    item = driver.scene["ball"]
    item.mode = VolumeMode.SLICES
    before = driver.pixels()
    type_in(panel(driver, VolumePanel).planes["channel"], 1)
    assert item.slices.channel == 1
    assert change(before, driver.pixels()) > 20


def test_the_clip_box_follows_its_sliders(driver) -> None:
    driver.workspace.show(volume_scene())
    item = driver.scene["ball"]
    before = driver.pixels()
    clip = panel(driver, VolumePanel).clips["row"]
    clip.setValue((0, 4))
    assert item.clip_box == ClipBox(row=(0, 4))
    assert change(before, driver.pixels()) > 20
    item.clip_box = ClipBox()
    assert clip.value() == (0, 11)


@pytest.mark.parametrize("method", ["pca", "kmeans", "leaf"])
def test_live_reordering(driver, method) -> None:
    rng = np.random.default_rng(0)
    patterns = rng.random((2, 6, 6))
    values = patterns[rng.integers(0, 2, 10)] + 0.01 * rng.random((10, 6, 6))
    driver.workspace.show(Scene.of(values.astype(np.float32), name="maps"))
    item = driver.scene["maps"]
    before = item.data
    choose(panel(driver, VolumePanel).method, method)
    driver.settle()
    assert item.data.method == method
    assert not np.array_equal(item.data.channels, before.channels)
    np.testing.assert_array_equal(item.data.values[item.data.inverse], before.values)
    driver.workspace.history.undo()
    assert item.data is before


def test_a_reordering_that_comes_too_late_is_dropped(driver) -> None:
    driver.workspace.show(volume_scene())
    item = driver.scene["ball"]
    choose(panel(driver, VolumePanel).method, "pca")
    other = volume_scene()["ball"].data
    item.data = other
    driver.settle()
    assert item.data is other


# -- everything has a name -----------------------------------------------------------------------


@pytest.mark.parametrize("make", [volume_scene, network_scene])
def test_every_field_has_a_tooltip_and_a_name(driver, make) -> None:
    driver.workspace.show(make())
    properties = driver.window.docks["properties"]
    fields = [each for kind in (NumberField, ChoiceField, CheckField) for each in properties.findChildren(kind)]
    assert len(fields) > 8
    for field in fields:
        assert field.accessibleName(), field
        assert field.toolTip(), field.accessibleName()
    assert all(box.title() for box in properties.findChildren(QGroupBox))
