"""Whatever a user does, in whatever order: no exception, no window left over, no growing memory, and undo goes back."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QCheckBox, QComboBox, QMessageBox, QPushButton, QSlider
from viewer_scenes import network_scene, random_network, volume_scene

import cnnvis
from cnnvis.core.errors import CnnvisError
from cnnvis.scene import Scene, SceneGrid

pytestmark = pytest.mark.qt

LEFT = Qt.MouseButton.LeftButton
KEYS = "HRBCXOP0123456789"
VIEW_KEYS = (Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp, Qt.Key.Key_Space)
DIALOGS = ("…",)
"""Buttons that open a dialog of the system, which nobody would close here."""


class Hands:
    """Does random things to a window, by real events where there are some."""

    def __init__(self, driver, folder: Path, seed: int) -> None:
        self.driver, self.random = driver, random.Random(seed)
        self.files = [
            cnnvis.save(volume_scene(), folder / "volume.json"),
            cnnvis.save(network_scene(), folder / "network.json"),
            cnnvis.save(random_network(), folder / "network.safetensors"),
            cnnvis.save(SceneGrid([volume_scene(), volume_scene()]), folder / "grid.json"),
            folder / "missing.vti",
        ]
        self.actions: list[Callable[[], object]] = [
            *[self.press] * 4,
            *[self.drag] * 3,
            *[self.click] * 3,
            *[self.slide] * 5,
            *[self.choose] * 2,
            *[self.check] * 2,
            self.push,
            self.row,
            self.open,
            self.resize,
            self.undo,
            self.redo,
            self.save,
            self.wait,
        ]

    def act(self) -> str:
        action = self.random.choice(self.actions)
        action()
        QApplication.processEvents()
        return action.__name__

    @property
    def window(self):
        return self.driver.window

    def point(self) -> tuple[int, int]:
        view = self.window.canvas.view
        return self.random.randrange(view.width()), self.random.randrange(view.height())

    def press(self) -> None:
        QApplication.setActiveWindow(self.window)
        view = self.window.canvas.view
        view.setFocus()
        QTest.keyClick(view, self.random.choice([*KEYS, *VIEW_KEYS, Qt.Key.Key_Escape]))

    def drag(self) -> None:
        ctrl = self.random.random() < 0.3
        modifier = Qt.KeyboardModifier.ControlModifier if ctrl else Qt.KeyboardModifier.NoModifier
        self.driver.drag(self.point(), self.point(), steps=3, modifiers=modifier)

    def click(self) -> None:
        self.driver.hover(self.point())
        self.driver.click(self.point())

    def _any(self, kind):
        found = [
            each
            for each in self.window.findChildren(kind)
            if each.isVisible() and each.isEnabled() and not getattr(each, "text", str)().endswith(DIALOGS)
        ]
        return self.random.choice(found) if found else None

    def slide(self) -> None:
        slider = self._any(QSlider)
        if slider is not None:
            QTest.mouseClick(
                slider, LEFT, pos=QPoint(self.random.randrange(max(slider.width(), 1)), slider.height() // 2)
            )
            if isinstance(slider.value(), int):  # others have two ends
                slider.setValue(self.random.randint(slider.minimum(), slider.maximum()))

    def choose(self) -> None:
        box = self._any(QComboBox)
        if box is not None and box.count():
            QTest.keyClick(box, self.random.choice([Qt.Key.Key_Down, Qt.Key.Key_Up]))

    def check(self) -> None:
        box = self._any(QCheckBox)
        if box is not None:
            QTest.mouseClick(box, LEFT, pos=QPoint(8, box.height() // 2))

    def push(self) -> None:
        button = self._any(QPushButton)
        if button is not None and button.menu() is None:
            QTest.mouseClick(button, LEFT)

    def row(self) -> None:
        tree = self.window.docks["scene"].widget()
        rows = tree._rows()
        if rows:
            tree.tree.setCurrentItem(self.random.choice(rows))

    def open(self) -> None:
        self.window.files.open([self.random.choice(self.files)])
        for _ in range(400):
            QTest.qWait(10)
            if "open" not in self.window.workspace.jobs.slots:
                return

    def resize(self) -> None:
        self.window.resize(self.random.randint(700, 1100), self.random.randint(420, 700))

    def undo(self) -> None:
        self.window.commands.run("edit.undo")

    def redo(self) -> None:
        self.window.commands.run("edit.redo")

    def save(self) -> None:
        self.window.files.save_to(self.files[0].with_name("saved.json"))

    def wait(self) -> None:
        QTest.qWait(self.random.choice([1, 30, 450]))


def memory() -> float:
    """Resident memory in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def run(driver, folder: Path, seed: int, count: int) -> list[str]:
    hands = Hands(driver, folder, seed)
    done = []
    for _ in range(count):
        done.append(hands.act())
        for box in driver.window.findChildren(QMessageBox):
            box.close()
        unknown = [error for _, error in driver.problems if not isinstance(error, CnnvisError)]
        assert not unknown, (done[-5:], unknown)
        driver.problems.clear()
    if driver.window.rotating:
        driver.window.toggle_rotation()
    driver.window.timeline.play.setChecked(False)
    driver.window.workspace.jobs.cancel()
    driver.settle()
    return done


@pytest.mark.parametrize("seed", [0, 1])
def test_random_actions(driver, tmp_path, seed) -> None:
    driver.workspace.show(network_scene(), random_network())
    driver.settle()
    widgets = len(QApplication.topLevelWidgets())
    assert len(set(run(driver, tmp_path, seed, 60))) > 8
    gc.collect()
    assert len(QApplication.topLevelWidgets()) <= widgets + 2, "popups of boxes that were opened, at most"
    pixels = driver.pixels()
    if isinstance(driver.workspace.target, Scene):
        height, width = pixels.shape[:2]
        np.testing.assert_array_equal(pixels, cnnvis.render(driver.workspace.target, size=(width, height)))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_five_hundred_random_actions(driver, tmp_path) -> None:
    driver.workspace.show(network_scene(), random_network())
    run(driver, tmp_path, 2, 150)  # what is loaded and made once is there now
    driver.workspace.show(Scene())
    driver.settle()
    gc.collect()
    widgets, before = len(QApplication.topLevelWidgets()), memory()
    run(driver, tmp_path, 3, 350)
    driver.workspace.show(Scene())
    driver.settle()
    gc.collect()
    assert len(QApplication.topLevelWidgets()) <= widgets + 2
    assert memory() - before < 150
