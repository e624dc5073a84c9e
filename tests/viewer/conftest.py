"""A real window of the viewer, driven by real events."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QEventLoop, QPoint, Qt, QTimer
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from transfer_hand import Hand
from viewer_scenes import random_network

from cnnvis.scene import Scene
from cnnvis.viewer.app import settle
from cnnvis.viewer.garbage import collector
from cnnvis.viewer.settings import Settings
from cnnvis.viewer.transfer_editor import TransferEditor
from cnnvis.viewer.window import ViewerWindow
from cnnvis.viewer.workspace import Workspace

SIZE = (900, 560)


class Driver:
    """A window, and the hands that use it."""

    def __init__(self, window: ViewerWindow) -> None:
        self.window = window
        self.problems: list[tuple[str, BaseException]] = []
        window.workspace.problem.connect(lambda what, error: self.problems.append((what, error)))

    @property
    def workspace(self):
        return self.window.workspace

    @property
    def scene(self) -> Scene:
        return self.workspace.scene

    def settle(self) -> None:
        """Wait until all is done and painted."""
        settle(self.window, 60_000)

    def pixels(self) -> np.ndarray:
        """The 3-D view at rest, (H, W, 3)."""
        self.settle()
        return self.window.canvas.pixels().astype(int)

    def mouse(self, kind, at, button, buttons, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
        view = self.window.canvas.view
        point = QPoint(*at)
        QApplication.sendEvent(view, QMouseEvent(kind, point, view.mapToGlobal(point), button, buttons, modifiers))

    def drag(self, start, end, *, steps=6, modifiers=Qt.KeyboardModifier.NoModifier, release=True) -> None:
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        self.mouse(QEvent.Type.MouseButtonPress, start, left, left, modifiers)
        for step in range(1, steps + 1):
            at = [round(a + (b - a) * step / steps) for a, b in zip(start, end, strict=True)]
            self.mouse(QEvent.Type.MouseMove, at, none, left, modifiers)
            QApplication.processEvents()
        if release:
            self.release(end, modifiers)

    def release(self, at, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        self.mouse(QEvent.Type.MouseButtonRelease, at, left, none, modifiers)

    def click(self, at, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
        left = Qt.MouseButton.LeftButton
        self.mouse(QEvent.Type.MouseButtonPress, at, left, left, modifiers)
        self.release(at, modifiers)

    def press(self, key, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
        """Press a key in the view."""
        for _ in range(50):  # there is no window manager to do it, and other tests' windows on the same display undo it
            QApplication.setActiveWindow(self.window)
            QApplication.processEvents()
            if self.window.isActiveWindow():
                break
        self.window.canvas.view.setFocus()
        QTest.keyClick(self.window.canvas.view, key, modifiers)
        QApplication.processEvents()

    def hover(self, at) -> None:
        none = Qt.MouseButton.NoButton
        self.mouse(QEvent.Type.MouseMove, at, none, none)


@pytest.fixture(autouse=True, scope="session")
def garbage_is_collected_here(qapp) -> Iterator[None]:
    """Let what is left of windows be freed in this thread, between windows too: xdist and tqdm have threads as well."""
    collector().begin()
    yield
    collector().end()


@pytest.fixture(autouse=True)
def loops_still_run(qapp) -> Iterator[None]:
    """Fail a test after which Qt lets every event loop end at once: all that later tests wait for would not happen."""
    yield
    loop = QEventLoop()
    QTimer.singleShot(0, lambda: loop.exit(7))
    assert loop.exec_() == 7


@pytest.fixture(autouse=True)
def nothing_is_left_of_windows(qapp) -> Iterator[None]:
    """Free what a test has left behind: tests ask for parts that Qt has made, and PyQt keeps these (`let_go`)."""
    yield
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "settings")


@pytest.fixture
def open_driver(qtbot, settings) -> Iterator[Callable[[], Driver]]:
    """Makes windows, and sees that they end without a problem that was not expected."""
    drivers: list[Driver] = []

    def make() -> Driver:
        window = ViewerWindow(settings)
        window.resize(*SIZE)
        with qtbot.waitExposed(window):
            window.show()
        drivers.append(Driver(window))
        return drivers[-1]

    yield make
    for driver in drivers:
        driver.window.close()
        driver.window.deleteLater()
    QApplication.processEvents()
    problems = [problem for driver in drivers for problem in driver.problems]
    assert not problems, problems


@pytest.fixture
def driver(open_driver) -> Driver:
    return open_driver()


@pytest.fixture
def workspace(qtbot) -> Iterator[Workspace]:
    """A small network that is open, without a window."""
    workspace, network = Workspace(), random_network()
    workspace.show(Scene.of_network(network), network)
    yield workspace
    workspace.close()


@pytest.fixture
def edit_transfer(qtbot, tmp_path) -> Iterator[Callable[[Scene, tuple[int, int]], Hand]]:
    """Opens the transfer editor of a scene's first item in a size, and gives the hands that use it."""
    made: list[Workspace] = []

    def make(scene: Scene, size: tuple[int, int]) -> Hand:
        made.append(Workspace())
        made[-1].show(scene)
        editor = TransferEditor(made[-1], made[-1].item, presets=tmp_path / "presets")
        qtbot.addWidget(editor)
        editor.resize(*size)
        editor.show()
        qtbot.waitExposed(editor)
        QApplication.processEvents()
        return Hand(editor)

    yield make
    for workspace in made:
        workspace.close()
