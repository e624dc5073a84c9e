"""Every control of every panel has a name, says what it does, is reached by keyboard, and leaves the wheel alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDockWidget,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QScrollBar,
    QTabBar,
    QVBoxLayout,
    QWidget,
)
from superqt import QLabeledRangeSlider
from viewer_scenes import network_scene, random_network, volume_scene

from cnnvis.scene import Scene
from cnnvis.viewer.fields import ChoiceField, NumberField
from cnnvis.viewer.panels.volume import VolumePanel

pytestmark = pytest.mark.qt

CONTROLS = (
    *(QAbstractButton, QComboBox, QAbstractSpinBox, QAbstractSlider, QLineEdit, QAbstractItemView, QPlainTextEdit),
)
PARTS = (QAbstractSpinBox, QComboBox, QTabBar, QHeaderView, QDockWidget)
"""What has controls of its own that are reached through it."""


def flat_scene() -> Scene:
    scene = Scene()
    scene.add_matrix(np.eye(3))
    scene.add_image(np.zeros((4, 4, 3), np.uint8))
    scene.add_labels([[0, 0, 0]], ["a"])
    return scene


def controls(root: QWidget) -> Iterator[QWidget]:
    for widget in root.findChildren(QWidget):
        inner = widget.objectName().startswith("qt_") or isinstance(widget.parent(), PARTS)
        inner = inner or isinstance(widget, QScrollBar | QHeaderView)
        popup = isinstance(widget.window(), QWidget) and widget.window() is not root.window()
        corner = type(widget) is QAbstractButton  # of a table
        hidden = not widget.isVisibleTo(root)
        if isinstance(widget, CONTROLS) and not (
            hidden or inner or popup or corner or isinstance(widget.parent(), PARTS)
        ):
            yield widget


def tip_of(widget: QWidget, root: QWidget) -> str:
    while widget is not root and not widget.toolTip():
        widget = widget.parentWidget()
    return widget.toolTip()


def lacks(widget: QWidget, root: QWidget) -> list[str]:
    name = widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton) else "")
    typed = isinstance(widget.parent(), QLabeledRangeSlider) and isinstance(widget, QAbstractSlider)
    tabbed = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) or typed  # into the numbers beside it
    found = {"name": bool(name), "tooltip": bool(tip_of(widget, root)), "tab": tabbed}
    return [f"{type(widget).__name__} {name!r}: no {what}" for what, there in found.items() if not there]


def letters(root: QWidget) -> Counter[str]:
    """Letters that Alt goes to a visible control with."""
    texts = [label.text() for label in root.findChildren(QLabel) if label.buddy() and label.isVisible()]
    texts += [button.text() for button in root.findChildren(QAbstractButton) if button.isVisible()]
    return Counter(text[text.index("&") + 1].lower() for text in texts if "&" in text)


@pytest.mark.parametrize("kind", ["network", "volume", "flat"])
def test_controls_have_name_tooltip_and_a_place_among_the_tabs(driver, kind) -> None:
    makers = {"network": (network_scene, random_network()), "volume": (volume_scene, None), "flat": (flat_scene, None)}
    make, network = makers[kind]
    driver.workspace.show(make(), network)
    window = driver.window
    of_menus = Counter(
        action.text()[action.text().index("&") + 1].lower() for action in window.menuBar().actions() if action.text()
    )
    assert max(of_menus.values()) == 1
    for name, dock in window.docks.items():
        dock.raise_()
        driver.settle()
        for item in driver.scene if name == "properties" else (None,):
            driver.workspace.item = item or driver.workspace.item
            QApplication.processEvents()
            root = dock.widget()
            assert not [each for widget in controls(root) for each in lacks(widget, root)], (name, item)
            twice = [letter for letter, count in (letters(root) + of_menus).items() if count > 1]
            assert not twice, (name, item, twice)


# -- the wheel -----------------------------------------------------------------------------------


def turn_wheel(widget: QWidget, steps: int) -> None:
    """Send it to the widget, then to what is around it until somebody takes it: Qt does so for real mice only."""
    none, phase = Qt.MouseButton.NoButton, Qt.ScrollPhase.NoScrollPhase
    keys = Qt.KeyboardModifier.NoModifier
    while widget is not None:
        at = widget.rect().center()
        glob = QPointF(widget.mapToGlobal(at))
        event = QWheelEvent(QPointF(at), glob, QPoint(), QPoint(0, 120 * steps), none, keys, phase, False)
        if QApplication.sendEvent(widget, event) and event.isAccepted():
            return
        widget = widget.parentWidget()


def test_the_wheel_scrolls_past_controls_and_turns_the_one_that_is_in_use(qtbot) -> None:
    area, column = QScrollArea(), QWidget()
    qtbot.addWidget(area)
    layout = QVBoxLayout(column)
    number, choice = NumberField(0, 10, 5), ChoiceField(("a", "b", "c"), "b")
    for part in (number, choice, QWidget()):
        layout.addWidget(part)
    layout.itemAt(2).widget().setMinimumHeight(900)
    area.setWidgetResizable(True)
    area.setWidget(column)
    area.resize(300, 200)
    with qtbot.waitExposed(area):
        area.show()
    QApplication.setActiveWindow(area)
    area.setFocus()
    for part in (number.slider, number.box, choice):
        before = area.verticalScrollBar().value()
        turn_wheel(part, -1)
        assert area.verticalScrollBar().value() > before, "it scrolls"
    assert (number.value, choice.value) == (5, "b")
    number.box.setFocus()
    QApplication.processEvents()
    before = area.verticalScrollBar().value()
    turn_wheel(number.box, 1)
    assert number.value > 5
    assert area.verticalScrollBar().value() == before
    choice.setFocus()
    turn_wheel(choice, -1)
    assert choice.value == "c"


def test_the_wheel_over_the_properties_of_a_volume_changes_nothing(driver) -> None:
    driver.workspace.show(volume_scene())
    driver.window.canvas.view.setFocus()
    before, pixels = driver.scene.state(), driver.pixels()
    panel = driver.window.docks["properties"].findChild(VolumePanel)
    for control in (*panel.findChildren(QAbstractSlider), *panel.findChildren(QAbstractSpinBox)):
        turn_wheel(control, -1)
    assert driver.scene.state() == before
    np.testing.assert_array_equal(driver.pixels(), pixels)


def test_the_ends_of_a_clip_box_are_typed(driver) -> None:
    driver.workspace.show(volume_scene())
    QApplication.setActiveWindow(driver.window)
    before = driver.pixels()
    clip = driver.window.docks["properties"].findChild(VolumePanel).clips["channel"]
    first = next(end for end in clip.findChildren(QLineEdit) if end.isVisible())
    first.setFocus()
    first.selectAll()
    QTest.keyClicks(first, "3")
    QTest.keyClick(first, Qt.Key.Key_Return)
    assert driver.scene["ball"].clip_box.channel == (3, 7)
    assert (driver.pixels() != before).any()
