"""Docks of a first session leave the view its room, in small windows too, until somebody places them."""

from __future__ import annotations

import pytest
from qtpy import QT5
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QTabBar
from viewer_scenes import network_scene, random_network, volume_scene

import cnnvis
from cnnvis.models import labelled_images, load
from cnnvis.scene import Selection

pytestmark = pytest.mark.qt

SMALL, WIDE = (900, 600), (1280, 800)
LEFT_AREA, RIGHT_AREA = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea


@pytest.fixture(scope="module")
def survey():
    images, labels = labelled_images("fashion-mnist", "importance").pair
    return cnnvis.survey(load("fashion-cnn"), (images[:30], labels[:30]))


def resize(driver, size) -> None:
    driver.window.resize(*size)
    driver.settle()


def size_of(widget) -> tuple[int, int]:
    return widget.width(), widget.height()


def is_folded(driver) -> bool:
    window, scene = driver.window, driver.window.docks["scene"]
    tabs = window.tabifiedDockWidgets(scene)
    assert {dock.objectName() for dock in tabs} in (set(), {"properties", "transfer", "ask", "network"})
    assert window.dockWidgetArea(scene) == (RIGHT_AREA if tabs else LEFT_AREA)
    return bool(tabs)


@pytest.mark.parametrize("make", [volume_scene, network_scene])
def test_a_small_window_gives_the_view_its_room(driver, make) -> None:
    resize(driver, SMALL)
    driver.workspace.show(make(), random_network() if make is network_scene else None)
    driver.settle()
    assert is_folded(driver)
    assert not driver.window.docks["properties"].visibleRegion().isEmpty(), "it stays in front"
    for name in ("scene", "properties", "transfer", "ask", "network"):
        driver.window.docks[name].raise_()
        driver.settle()
        assert driver.window.pages.width() >= 480, name
        assert size_of(driver.window) == SMALL, name


def test_the_tree_of_the_scene_is_the_first_tab_and_is_chosen_by_a_click(driver) -> None:
    resize(driver, SMALL)
    bar = next(bar for bar in driver.window.findChildren(QTabBar) if bar.count() == 5)
    names = [bar.tabText(tab) for tab in range(5)]
    expected = ["Scene", "Properties", "Transfer", "Selection", "Network"]
    assert names == expected if QT5 else sorted(names) == sorted(expected)  # Qt 6 puts it last
    assert bar.width() >= bar.sizeHint().width(), "no tab is cut off"
    tree = driver.window.docks["scene"].widget()
    assert tree.visibleRegion().isEmpty()
    QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(names.index("Scene")).center())
    QApplication.processEvents()
    assert not tree.visibleRegion().isEmpty()


def test_a_wide_window_gives_the_tree_its_side_again(driver) -> None:
    resize(driver, SMALL)
    resize(driver, WIDE)
    assert not is_folded(driver)
    assert not driver.window.docks["scene"].visibleRegion().isEmpty()
    resize(driver, (1099, 700))
    assert is_folded(driver)


def test_docks_that_somebody_placed_stay_there(driver) -> None:
    resize(driver, WIDE)
    dock = driver.window.docks["ask"]
    dock.setFloating(True)
    dock.setFloating(False)
    resize(driver, SMALL)
    assert driver.window.dockWidgetArea(driver.window.docks["scene"]) == LEFT_AREA


def test_a_later_session_has_the_docks_of_the_last(open_driver) -> None:
    first = open_driver()
    resize(first, WIDE)
    first.window.close()
    second = open_driver()
    resize(second, SMALL)
    assert not is_folded(second)


@pytest.mark.parametrize("size", [SMALL, WIDE])
def test_a_survey_fits_into_the_window(driver, survey, size) -> None:
    resize(driver, size)
    driver.workspace.show(network_scene(), random_network())
    driver.workspace.show_survey(survey)
    driver.settle()
    assert size_of(driver.window) == size
    assert driver.window.canvas.height() >= 0.4 * size[1]
    panel = driver.window.survey
    bottom = panel.text.mapTo(driver.window, QPoint(0, panel.text.height())).y()
    assert bottom <= size[1], "the line about the channel is in sight"
    driver.window.commands.run("file.start")
    driver.settle()
    assert driver.window.start_page.horizontalScrollBar().maximum() == 0


def test_the_view_keeps_its_size_while_channels_are_selected(driver, survey) -> None:
    resize(driver, SMALL)
    driver.workspace.show(network_scene(), random_network())
    driver.workspace.show_survey(survey)
    driver.settle()
    before = size_of(driver.window.canvas)
    driver.workspace.select(Selection(units={("conv3", 6)}))
    driver.settle()
    assert driver.window.ask.drivers.isVisibleTo(driver.window.ask), "there is more to be seen of it"
    assert size_of(driver.window.canvas) == before


def test_at_the_usual_size_a_survey_need_not_scroll(driver, survey) -> None:
    resize(driver, WIDE)
    driver.workspace.show_survey(survey)
    driver.settle()
    assert driver.window.survey.area.verticalScrollBar().maximum() == 0
    assert driver.window.survey.area.horizontalScrollBar().maximum() == 0


def test_the_log_can_be_made_as_high_as_one_likes(driver) -> None:
    resize(driver, WIDE)
    log = driver.window.docks["log"]
    log.raise_()
    driver.settle()
    low = log.height()
    driver.window.resizeDocks([log], [400], Qt.Orientation.Vertical)
    driver.settle()
    assert low < 120 < 300 < log.height()
