"""Where docks stand in the first session, until somebody places them."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow

NARROW, RELEASE_MS = 370, 1500
"""Width of docks at the side at first, and how long they are held to it: until all has been laid out."""

FIVE_TABS = 400
"""The same where the scene's is one of them: what their tabs need, or the view loses that width when one is chosen."""

ROOM = 1100
"""Width of a window from which the tree of the scene has a side of its own; below, the view has its room."""

QWIDGETSIZE_MAX = 16_777_215
"""Qt's own name for no limit."""


class FirstLayout(QObject):
    """Lets docks begin narrow, and puts the scene's among those at the right while the window is small.

    What the docks ask for would leave the view half of the window, and less of a small one.

    Parameters
    ----------
    window : QMainWindow
    docks : mapping of str to QDockWidget
        Of which "scene" is alone at the left, and those at the right are tabs.
    """

    def __init__(self, window: QMainWindow, docks: Mapping[str, QDockWidget]) -> None:
        super().__init__(window)
        self._window, self._scene = window, docks["scene"]
        right = Qt.DockWidgetArea.RightDockWidgetArea
        self._right = [dock for dock in docks.values() if window.dockWidgetArea(dock) == right]
        self._folded = False
        for dock in (self._scene, *self._right):
            dock.setMaximumWidth(NARROW)
            dock.topLevelChanged.connect(self._leave)
        QTimer.singleShot(RELEASE_MS, self._release)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - overrides Qt's
        """Place the scene's dock before the window lays its docks out for another size."""
        if event.type() == QEvent.Type.Resize and (self._window.width() < ROOM) != self._folded:
            self._folded = not self._folded
            self._fold() if self._folded else self._unfold()
        return False

    def _fold(self) -> None:
        """Make the scene's dock the first of the tabs at the right; what was in front stays there."""
        front = next((dock for dock in self._right if not dock.visibleRegion().isEmpty()), self._right[0])
        self._window.tabifyDockWidget(self._right[0], self._scene)
        for dock in self._right:
            self._window.tabifyDockWidget(self._scene, dock)
            dock.setMinimumWidth(FIVE_TABS)
            dock.setMaximumWidth(max(FIVE_TABS, dock.maximumWidth()))
        front.raise_()

    def _unfold(self) -> None:
        self._window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, self._scene)
        for dock in self._right:
            dock.setMinimumWidth(NARROW)

    def _release(self) -> None:
        for dock in (self._scene, *self._right):
            dock.setMaximumWidth(QWIDGETSIZE_MAX)

    def _leave(self, *_: object) -> None:
        """Somebody drags a dock: they stand where they are put from now on."""
        self._window.removeEventFilter(self)
