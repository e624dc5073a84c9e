"""What a newcomer does and sees first: the start page, dark windows, small windows, one thing opened after another."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QCheckBox, QTreeWidget, QTreeWidgetItem, QWidget
from viewer_scenes import network_scene, random_network, volume_scene

import cnnvis
from cnnvis.core import Volume
from cnnvis.io.showing import Shown
from cnnvis.scene import Camera, Scene, SceneGrid
from cnnvis.viewer import comparing
from cnnvis.viewer.acts import cameras
from cnnvis.viewer.density_grid import NAME, DensityGrid
from cnnvis.viewer.theme import apply_theme

pytestmark = pytest.mark.qt


def grey_of(widget: QWidget) -> np.ndarray:
    image = widget.grab().toImage()
    rows, columns = range(image.height()), range(image.width())
    return np.array([[image.pixelColor(x, y).lightness() for x in columns] for y in rows])


# -- the start page ------------------------------------------------------------------------------


def test_the_start_page_leads_back_to_what_is_open(driver) -> None:
    page = driver.window.start_page
    assert not page.go_back.isVisible()
    driver.workspace.show(volume_scene())
    driver.window.commands.run("file.start")
    assert page.go_back.isVisible()
    QTest.mouseClick(page.go_back, Qt.MouseButton.LeftButton)
    assert driver.window.canvas.isVisible()
    assert driver.scene.items


def test_the_start_page_leads_to_random_networks(driver) -> None:
    QTest.mouseClick(driver.window.start_page.make_random, Qt.MouseButton.LeftButton)
    builder = driver.window.network.builder
    driver.settle()
    assert builder.isVisible()
    assert not builder.visibleRegion().isEmpty()


# -- light and dark ------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_boxes_that_are_off_have_a_rim_one_can_see(qtbot, theme) -> None:
    apply_theme(theme)
    try:
        box, tree = QCheckBox(), QTreeWidget()
        QTreeWidgetItem(tree, [""]).setCheckState(0, Qt.CheckState.Unchecked)
        tree.setHeaderHidden(True)
        for widget in (box, tree):
            qtbot.addWidget(widget)
            widget.show()
        for seen in (grey_of(box), grey_of(tree)[3:18, 12:45]):
            ground = np.median(seen)
            assert np.abs(seen - ground).max() > 60
    finally:
        apply_theme("light")


def test_what_is_made_anew_stands_on_the_ground_of_the_window(driver, tmp_path) -> None:
    cnnvis.save(Volume(values=np.ones((3, 4, 5), np.float32), layer="a"), tmp_path / "a.vti")
    light = Scene.of(np.ones((3, 4, 5), np.float32), name="saved")
    cnnvis.save(light, tmp_path / "saved.json")
    driver.window.commands.run("view.dark")
    driver.window.files.open([tmp_path / "a.vti"])
    assert driver.pixels()[5, -100].max() < 60
    driver.window.files.open([tmp_path / "saved.json"])
    driver.settle()
    assert driver.scene.background == "light"  # as it was saved


# -- a small window ------------------------------------------------------------------------------


def test_a_small_window_stays_small_and_its_view_as_wide_whatever_is_open(driver) -> None:
    driver.window.resize(900, 600)
    driver.settle()
    width = driver.window.pages.width()
    for make in (volume_scene, network_scene):
        driver.workspace.show(make())
        for name in ("properties", "transfer", "ask", "network"):
            driver.window.docks[name].raise_()
            driver.settle()
            assert driver.window.width() == 900, name
            assert driver.window.pages.width() == width, name


# -- answers in the status bar -------------------------------------------------------------------


def test_what_the_mouse_points_at_is_not_hidden_by_a_message(driver) -> None:
    driver.workspace.message.emit("said before")
    assert driver.window.status.currentMessage() == "said before"
    driver.window.pointing.hovered.emit("")
    assert driver.window.status.currentMessage() == "said before"
    driver.window.pointing.hovered.emit("unit #3")
    assert not driver.window.status.currentMessage()
    assert driver.window.status.under_cursor.isVisible()
    assert driver.window.status.under_cursor.text() == "unit #3"


def test_the_class_of_the_path_that_is_selected_is_shown_and_keys_go_on_from_it(driver) -> None:
    driver.workspace.show(network_scene(), random_network())
    ask = driver.window.ask
    driver.window.docks["ask"].raise_()
    ask.classes.setFocus()
    for number in range(3):
        QTest.keyClick(ask.classes, Qt.Key.Key_Down)
        assert ask.classes.value == number
        assert (ask.units.layers[-1], number) in driver.scene.selection.units
    driver.workspace.select()
    assert ask.classes.value is None


def test_the_strongest_path_is_found_in_the_menu_and_by_a_key(driver) -> None:
    driver.workspace.show(volume_scene())
    driver.window.commands.run("edit.path")
    assert "no classes" in driver.window.status.currentMessage()
    driver.workspace.show(network_scene(), random_network())
    before = driver.pixels()
    QApplication.setActiveWindow(driver.window)
    driver.window.commands.run("edit.path")
    classes = driver.window.ask.classes
    driver.settle()
    assert not classes.visibleRegion().isEmpty()
    assert classes.hasFocus()
    QTest.keyClick(classes, Qt.Key.Key_Down)
    assert len(driver.scene.selection.links) == len(driver.scene["units"].layers) - 1
    assert np.abs(driver.pixels() - before).max() > 30


def test_saving_says_how_to_draw_it_without_a_window(driver, tmp_path) -> None:
    driver.workspace.show(volume_scene())
    driver.window.files.save_to(tmp_path / "ball.json")
    driver.settle()
    assert "cnnvis render ball.json ball.png" in driver.window.status.currentMessage()


# -- one thing after another ---------------------------------------------------------------------


def test_a_comparison_of_what_is_not_open_any_more_is_dropped(driver, monkeypatch) -> None:
    go_on = threading.Event()

    def slow(*_: object) -> Shown:
        go_on.wait(10)
        return Shown(volume_scene())

    monkeypatch.setattr(comparing, "load_to_show", slow)
    driver.workspace.show(volume_scene())
    comparing.add_files(driver.workspace, [Path("x.vti")])
    other = network_scene()
    driver.workspace.show(other)
    go_on.set()
    driver.settle()
    assert driver.workspace.target is other


def test_of_two_things_that_are_asked_for_the_last_is_what_opens(driver, monkeypatch) -> None:
    go_on = threading.Event()

    def slow(*_: object) -> Shown:
        go_on.wait(10)
        return Shown(volume_scene())

    monkeypatch.setattr("cnnvis.viewer.files.load_to_show", slow)
    driver.window.network.builder.generate()
    driver.window.files.open([Path("x.vti")])
    go_on.set()
    driver.settle()
    assert driver.workspace.network is None
    assert driver.scene.items[0].name == "ball"


def test_a_density_goes_to_the_pane_it_was_asked_for(driver) -> None:
    one, other = network_scene(), network_scene()
    driver.workspace.show(SceneGrid([one, other], link=()), [random_network()] * 2)
    density = DensityGrid.of(driver.workspace)
    density.show("cloud")
    driver.settle()
    density.show("cloud")  # once more, and on to the other pane
    driver.workspace.activate(other)
    driver.settle()
    assert NAME in one
    assert NAME not in other


def test_r_in_a_pane_takes_its_own_camera_back(driver) -> None:
    one, other = volume_scene(), volume_scene()
    other.camera.update(Camera(azimuth=40.0).model_dump())
    driver.workspace.show(SceneGrid([one, other], link=()))
    driver.workspace.activate(other)
    other.camera.update(one.camera.model_dump())
    assert one == other
    cameras.reset(driver.window)
    assert other.camera.azimuth == 40.0
