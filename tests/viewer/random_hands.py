"""Hands that do anything to a window of the viewer, in any order, by real events where there are some."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from qtpy.QtGui import QDropEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QMessageBox,
    QPushButton,
    QSlider,
    QTabBar,
    QWidget,
)
from viewer_scenes import network_scene, random_network, volume_scene

import cnnvis
from cnnvis.core import Survey
from cnnvis.scene import SceneGrid
from cnnvis.viewer.choice_dialogs import ChooseSeveral

LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier
SURVEY = "survey.safetensors"
KEYS = "HRBCXOP0123456789"
VIEW_KEYS = (Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp, Qt.Key.Key_Space)
AREAS = (
    Qt.DockWidgetArea.LeftDockWidgetArea,
    Qt.DockWidgetArea.RightDockWidgetArea,
    Qt.DockWidgetArea.BottomDockWidgetArea,
)
LOOK_MS = 40
"""How often to look for a dialog to close."""


class Hands:
    """Does random things to the window of a driver; the seed says which.

    Parameters
    ----------
    driver : Driver
    folder : Path
        For the files that are opened and saved.
    seed : int
    """

    def __init__(self, driver, folder: Path, seed: int) -> None:
        self.driver, self.random = driver, random.Random(seed)
        self.files = files_in(folder)
        self.closer = QTimer(driver.window)
        self.closer.setInterval(LOOK_MS)
        self.closer.timeout.connect(self.end_dialog)
        self.closer.start()
        self.actions: list[Callable[[], object]] = [
            *[self.press] * 4,
            *[self.drag] * 3,
            *[self.click] * 3,
            *[self.slide] * 5,
            *[self.choose] * 2,
            *[self.check] * 2,
            *[self.command] * 2,
            *[self.cell] * 2,
            self.alike,
            self.pass_images,
            self.survey,
            self.type,
            self.push,
            self.row,
            self.tab,
            self.dock,
            self.open,
            self.drop,
            self.resize,
            self.wheel,
            self.undo,
            self.redo,
            self.save,
            self.wait,
        ]

    def act(self) -> str:
        """Do one thing, and return its name."""
        action = self.random.choice(self.actions)
        action()
        QApplication.processEvents()
        for box in self.window.findChildren(QMessageBox):
            box.close()
        return action.__name__

    def rest(self) -> None:
        """Take the hands off, and let everything come to an end."""
        if self.window.rotating:
            self.window.toggle_rotation()
        self.window.timeline.play.setChecked(False)
        self.window.survey.images.play.setChecked(False)
        for dock in self.window.docks.values():
            dock.setFloating(False)
        self.window.workspace.jobs.cancel()
        while QApplication.activeModalWidget() is not None:
            QTest.qWait(LOOK_MS)
        self.closer.stop()
        self.driver.settle()

    @property
    def window(self):
        return self.driver.window

    def end_dialog(self) -> None:
        """Close what would wait for an answer: mostly by Esc, and a choice also by taking what is proposed."""
        dialog = QApplication.activePopupWidget() or QApplication.activeModalWidget()
        if dialog is not None:
            accept = isinstance(dialog, ChooseSeveral) and self.random.random() < 0.5
            QTest.keyClick(dialog, Qt.Key.Key_Return if accept else Qt.Key.Key_Escape)

    # -- in the view -----------------------------------------------------------------------------

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
        self.driver.drag(
            self.point(), self.point(), steps=3, modifiers=Qt.KeyboardModifier.ControlModifier if ctrl else NONE
        )

    def click(self) -> None:
        self.driver.hover(self.point())
        self.driver.click(self.point())

    def wheel(self) -> None:
        view = self.window.canvas.view
        at = QPoint(*self.point())
        turned = QPoint(0, self.random.choice([-120, 120]))
        event = QWheelEvent(
            QPointF(at),
            QPointF(view.mapToGlobal(at)),
            QPoint(),
            turned,
            Qt.MouseButton.NoButton,
            NONE,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(view, event)

    # -- on widgets ------------------------------------------------------------------------------

    def _any(self, kind: type[QWidget]):
        found = [each for each in self.window.findChildren(kind) if each.isVisible() and each.isEnabled()]
        return self.random.choice(found) if found else None

    def slide(self) -> None:
        slider = self._any(QSlider)
        if slider is not None:
            at = QPoint(self.random.randrange(max(slider.width(), 1)), slider.height() // 2)
            QTest.mouseClick(slider, LEFT, pos=at)
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
        if button is not None:
            QTest.mouseClick(button, LEFT)

    def type(self) -> None:
        box = self._any(QAbstractSpinBox)
        if box is not None:
            box.selectAll()
            QTest.keyClicks(box, self.random.choice(["0", "7", "0.35", "-2", "1e9", "none", ""]))
            QTest.keyClick(box, Qt.Key.Key_Return)

    def row(self) -> None:
        tree = self.window.docks["scene"].widget()
        rows = tree._rows()
        if rows:
            tree.tree.setCurrentItem(self.random.choice(rows))

    def tab(self) -> None:
        bar = self._any(QTabBar)
        if bar is not None and bar.count():
            QTest.mouseClick(bar, LEFT, pos=bar.tabRect(self.random.randrange(bar.count())).center())

    def dock(self) -> None:
        dock = self.random.choice(list(self.window.docks.values()))
        move = self.random.choice(["hide", "show", "float", "land", "move"])
        if move in ("hide", "show"):
            dock.setVisible(move == "show")
        elif move in ("float", "land"):
            dock.setFloating(move == "float")
        else:
            self.window.addDockWidget(self.random.choice(AREAS), dock)

    # -- in a survey -----------------------------------------------------------------------------

    @property
    def _views(self):
        """The views of a survey; None where none is open, or its dock is closed or behind others."""
        panel = self.window.survey
        return None if panel.bench.survey is None or panel.visibleRegion().isEmpty() else panel

    def survey(self) -> None:
        """Open the survey and bring its dock to the front, or close that."""
        dock = self.window.docks["survey"]
        if self._views is not None and self.random.random() < 0.3:
            dock.close()
            return
        self.window.files.open([next(path for path in self.files if path.name == SURVEY)])
        self._until_open()
        dock.show()
        dock.raise_()
        QApplication.processEvents()

    def _click_in(self, widget: QWidget, at: QPoint) -> None:
        """Point at a place of a view and click it, with Ctrl now and then."""
        QTest.mouseMove(widget, at)
        keys = Qt.KeyboardModifier.ControlModifier if self.random.random() < 0.3 else NONE
        QTest.mouseClick(widget, LEFT, keys, at)

    def cell(self) -> None:
        if self._views is not None:
            layers = self._views.bench.survey.layers
            layer = self.random.choice(list(layers))
            unit = (layer, self.random.randrange(layers[layer].n_channels))
            self._click_in(self._views.grid, self._views.grid.rect_of(unit).center().toPoint())

    def alike(self) -> None:
        """Click the matrix or the graph, twice now and then."""
        if self._views is not None:
            view = self.random.choice([self._views.matrix, self._views.graph])
            at = QPoint(self.random.randrange(view.width()), self.random.randrange(view.height()))
            self._click_in(view, at)
            if self.random.random() < 0.3:
                QTest.mouseDClick(view, LEFT, NONE, at)

    def pass_images(self) -> None:
        """Step to the next image or the one before, or let them play or stop."""
        if self._views is not None:
            images = self._views.images
            QTest.mouseClick(self.random.choice([images.back, images.forward, images.forward, images.play]), LEFT)
            QTest.qWait(30)

    # -- of the window ---------------------------------------------------------------------------

    def command(self) -> None:
        names = [name for name in self.window.commands.commands if name != "file.quit"]
        self.window.commands.run(self.random.choice(names))

    def open(self) -> None:
        self.window.files.open([self.random.choice(self.files)])
        self._until_open()

    def drop(self) -> None:
        data = QMimeData()
        chosen = self.random.sample(self.files, self.random.choice([1, 1, 2]))
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in chosen])
        QApplication.sendEvent(self.window, QDropEvent(QPoint(100, 100), Qt.DropAction.CopyAction, data, LEFT, NONE))
        self._until_open()

    def _until_open(self) -> None:
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


@functools.cache
def small_survey() -> Survey:
    """What the channels of fashion-cnn do over thirty images."""
    from cnnvis.models import labelled_images, load

    images, labels = labelled_images("fashion-mnist", "importance").pair
    return cnnvis.survey(load("fashion-cnn"), (images[:30], labels[:30]))


def files_in(folder: Path) -> list[Path]:
    """Write files of several kinds, one that is no such thing among them, and name one that is not there."""
    nonsense = folder / "nonsense.vti"
    nonsense.write_text("no volume")
    return [
        cnnvis.save(volume_scene(), folder / "volume.json"),
        cnnvis.save(network_scene(), folder / "network.json"),
        cnnvis.save(random_network(), folder / "network.safetensors"),
        cnnvis.save(small_survey(), folder / SURVEY),
        cnnvis.save(SceneGrid([volume_scene(), volume_scene()]), folder / "grid.json"),
        nonsense,
        folder / "missing.vti",
    ]
