"""Every control is moved by real events, and state and pixels follow."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, QRect, Qt, QTimer
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QGroupBox, QSpinBox, QTreeWidgetItem
from viewer_scenes import network_scene, random_network, volume_scene

from cnnvis.scene import ITEM_KINDS, ClipBox, Scene, SceneGrid, VolumeMode
from cnnvis.viewer.fields import CheckField, ChoiceField, NumberField, bind
from cnnvis.viewer.first_layout import ROOM
from cnnvis.viewer.panels import PANELS
from cnnvis.viewer.panels.item_tree import ITEM, LAYER, OPACITY, ROLE
from cnnvis.viewer.panels.network import BundlePanel
from cnnvis.viewer.panels.volume import VolumePanel
from cnnvis.viewer.reordering import METHODS

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


def test_orders_are_those_of_the_library() -> None:
    from cnnvis.analysis import OrderMethod  # here: it loads scikit-learn

    assert set(METHODS) == set(OrderMethod)


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


@pytest.fixture
def driver(driver):
    """A window wide enough that the tree of the scene stands beside the properties, not behind them."""
    driver.window.resize(ROOM, 560)
    QApplication.processEvents()
    return driver


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
    row = next(each for each in rows_of(driver).values() if each.data(0, ROLE) == (LAYER, 0, "units", layer))
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


def bar_of(driver, name: str) -> QRect:
    tree = driver.window.docks["scene"].widget().tree
    return tree.visualRect(tree.indexFromItem(rows_of(driver)[ITEM, name], OPACITY))


def drag_bar(driver, name: str, shares: list[float]) -> None:
    """Press in the bar of an item and drag, to these shares of its width one after the other."""
    view, bar = driver.window.docks["scene"].widget().tree.viewport(), bar_of(driver, name).adjusted(3, 3, -3, -3)
    places = [QPoint(round(bar.left() + share * (bar.width() - 1)), bar.center().y()) for share in shares]
    QTest.mousePress(view, LEFT, pos=places[0])
    for at in places:
        none = Qt.MouseButton.NoButton
        move = QMouseEvent(QEvent.Type.MouseMove, at, view.mapToGlobal(at), none, LEFT, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(view, move)
    QTest.mouseRelease(view, LEFT, pos=places[-1])


@pytest.mark.parametrize("name", ["units", "bundle", "ball"])
def test_the_bar_of_an_item_makes_all_of_it_fainter(driver, name) -> None:
    driver.workspace.show(volume_scene() if name == "ball" else network_scene())
    item = driver.scene[name]
    item.legend = False
    item.opacity = 0.0
    without = driver.pixels()
    item.opacity = 1.0
    before = driver.pixels()
    driver.workspace.history.commit()
    builds = driver.window.canvas.panes[0].drawn.network.builds
    drag_bar(driver, name, [0.9, 0.5, 0.25])
    assert item.opacity == pytest.approx(0.25, abs=0.02)
    assert panel_of_opacity(driver).value == pytest.approx(item.opacity, abs=1e-3)
    after = driver.pixels()
    assert 0.1 < np.abs(without - after).sum() / np.abs(without - before).sum() < 0.75
    assert driver.window.canvas.panes[0].drawn.network.builds == builds, "a uniform, nothing is built"
    driver.workspace.history.undo()
    assert item.opacity == 1, "a drag is one step"
    np.testing.assert_array_equal(driver.pixels(), before)


def panel_of_opacity(driver) -> NumberField:
    fields = driver.window.docks["properties"].findChildren(NumberField)
    return next(field for field in fields if field.accessibleName() == "Opacity")


def test_a_bar_shows_what_the_scene_says(driver) -> None:
    driver.workspace.show(network_scene())
    tree = driver.window.docks["scene"].widget().tree

    def filled() -> int:
        """Columns of the bar that are darker than its end."""
        picture, bar = tree.viewport().grab(bar_of(driver, "layers")).toImage(), bar_of(driver, "layers")
        line = [picture.pixelColor(x, 5).lightness() for x in range(6, bar.width() - 6)]
        return sum(grey < max(line) - 20 for grey in line)

    driver.scene["layers"].opacity = 0.0
    none = filled()
    driver.scene["layers"].opacity = 0.5
    half = filled()
    assert half > none + 15


def test_the_opacity_of_a_row_is_typed_after_f2(driver) -> None:
    driver.workspace.show(network_scene())
    tree = driver.window.docks["scene"].widget().tree
    tree.setCurrentItem(rows_of(driver)[ITEM, "units"])
    tree.setFocus()
    QTest.keyClick(tree, Qt.Key.Key_F2)
    box = tree.viewport().findChild(QSpinBox)
    box.selectAll()
    QTest.keyClicks(box, "30")
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert driver.scene["units"].opacity == 0.3
    assert driver.scene["units"].visible


def drop(driver, qtbot, name: str, on: str, *, above: bool) -> None:
    """Drag the row of an item to the upper or lower rim of another's, and drop it there."""
    tree = driver.window.docks["scene"].widget().tree
    rows, handle = rows_of(driver), driver.window.windowHandle()

    def rim(row: QTreeWidgetItem, inside: int) -> QPoint:
        return tree.viewport().mapTo(driver.window, tree.visualItemRect(row).topLeft() + QPoint(30, inside))

    start = rim(rows[ITEM, name], 9)
    end = rim(rows[ITEM, on], 2 if above else tree.visualItemRect(rows[ITEM, on]).height() - 3)
    done = []

    def go_on(way: list[QPoint]) -> None:  # while Qt's own loop of the drag runs
        if way:
            QTest.mouseMove(handle, way[0])
            QTimer.singleShot(30, lambda: go_on(way[1:]))
        else:
            QTest.mouseRelease(handle, LEFT, Qt.KeyboardModifier.NoModifier, end)
            done.append(True)

    QTest.mousePress(handle, LEFT, Qt.KeyboardModifier.NoModifier, start)
    QTimer.singleShot(60, lambda: go_on([(start + end) / 2, end, end]))
    for away in (2, 14):
        QTest.mouseMove(handle, start + QPoint(0, away))
    qtbot.waitUntil(lambda: bool(done), timeout=5000)
    qtbot.wait(20)


def test_items_are_dragged_into_another_order_and_named_in_it(driver, qtbot) -> None:
    scene = volume_scene()
    for number, name in enumerate(("second", "third")):
        data = volume_scene()["ball"].data
        scene.add_volume(data, name=name, origin=(40.0 * (number + 1), 0.0, 0.0))
    driver.workspace.show(scene)
    before = driver.pixels()
    drop(driver, qtbot, "third", "ball", above=True)
    assert [item.name for item in scene] == ["third", "ball", "second"]
    rows = [row for row in driver.window.docks["scene"].widget()._rows() if row.data(0, ROLE)[0] == ITEM]
    assert [row.text(0) for row in rows] == ["third", "ball", "second"]
    assert [artist.item.name for artist in driver.window.canvas.panes[0].drawn.shown] == ["third", "ball", "second"]
    assert change(before, driver.pixels()) > 20, "titles and scalar bars are in that order"
    drop(driver, qtbot, "third", "ball", above=False)
    assert [item.name for item in scene] == ["ball", "third", "second"]
    driver.workspace.history.undo()
    driver.workspace.history.undo()
    assert [item.name for item in scene] == ["ball", "second", "third"]
    np.testing.assert_array_equal(driver.pixels(), before)


def test_an_item_is_not_dragged_into_another_scene(driver, qtbot) -> None:
    one, other = volume_scene(), network_scene()
    driver.workspace.show(SceneGrid([one, other], link=()))
    drop(driver, qtbot, "ball", "units", above=True)
    assert [item.name for item in one] == ["ball"]
    assert [item.name for item in other] == ["bundle", "units", "layers"]
    driver.workspace.activate(other)
    drop(driver, qtbot, "layers", "bundle", above=True)
    assert [item.name for item in other] == ["layers", "bundle", "units"]


# -- light ---------------------------------------------------------------------------------------


def test_the_light_of_a_network_is_moved_and_the_picture_follows_without_building(driver) -> None:
    driver.workspace.show(network_scene(), random_network())
    fields = driver.window.docks["properties"].findChild(BundlePanel).light
    before, drawn = driver.pixels(), driver.window.canvas.panes[0].drawn
    builds = drawn.network.builds
    for name, value in (("light", 1.0), ("light_azimuth", -80.0), ("light_elevation", 50.0)):
        type_in(fields[name], value)
        after = driver.pixels()
        assert change(before, after) > 10, name
        before = after
    assert drawn.network.builds == builds


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
