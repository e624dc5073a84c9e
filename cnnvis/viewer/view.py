"""The widget that VTK draws into, and what the mouse does there."""

from __future__ import annotations

from pyvistaqt import QtInteractor
from qtpy.QtCore import QPoint, QRect, QSize, Qt, Signal
from qtpy.QtGui import QKeyEvent, QMouseEvent
from qtpy.QtWidgets import QRubberBand, QWidget

CLICK = 3
"""Pixels that the mouse may move between press and release of a click."""

FIRST_SIZE = QSize(640, 400)


class SceneView(QtInteractor):
    """pyvistaqt's widget, which draws when it is told to and leaves keys and dropped files to the window.

    VTK's interactor turns the camera, but never draws: `paintGL` shows the last frame, so that a frame is drawn once,
    and no repaint of the window costs one. `plotter` methods of pyvista work as ever.

    Notes
    -----
    Signals: `ready` the first frame has to be drawn, before the slot returns; `resized`; `turning` the camera moves by
    hand; `rested` the hand let go; `pointed` (x, y) the mouse is here, no button pressed; `left` it went away;
    `clicked` (x, y, modifiers); `double_clicked` (x, y); `banded` (rectangle, modifiers): a rectangle was drawn with
    Ctrl held. Positions are pixels of the render window, counted from its lower left corner.
    """

    ready = Signal()
    resized = Signal()
    turning = Signal(object)
    rested = Signal()
    pointed = Signal(int, int)
    left = Signal()
    clicked = Signal(int, int, object)
    double_clicked = Signal(int, int)
    banded = Signal(QRect, object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, auto_update=False, lighting=None, multi_samples=0)
        self.setMinimumSize(160, 120)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAcceptDrops(False)
        self.setAccessibleName("3-D view")
        # An empty renderer of the plotter stays below the panes, for whoever adds meshes of pyvista.
        self.renderer.InteractiveOff()
        interactor = self.iren.interactor
        interactor.EnableRenderOff()
        style = interactor.GetInteractorStyle()
        for event in ("InteractionEvent", "EndInteractionEvent"):
            style.AddObserver(event, self._turned)
        style.AddObserver("EndInteractionEvent", lambda *_: self.rested.emit())
        self._began = False
        self._pressed: QPoint | None = None
        self._band: QRubberBand | None = None

    def sizeHint(self) -> QSize:  # noqa: N802 - overrides Qt's
        """Ask for a room to start with."""
        return FIRST_SIZE

    def paintGL(self) -> None:  # noqa: N802
        """Show the last frame; the first time, tell that one is needed: to show none would spoil all later ones."""
        if not self._began:
            self._began = True
            self.ready.emit()
        super().paintGL()

    def resizeGL(self, width: int, height: int) -> None:  # noqa: N802
        """Tell when a frame of another size is needed; until it is there the last one is stretched."""
        super().resizeGL(width, height)
        self.resized.emit()

    def close(self) -> None:
        """Let go of OpenGL, for good."""
        super().close()
        # PySide6 would take the context's surface, which Qt deletes unseen, for whatever comes to lie in its place.
        self._forget_context()

    # -- keys and mouse --------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Leave keys to the window: VTK's own (e, q, s, w, 3) would end it or change what is drawn."""
        event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Leave keys to the window."""
        event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Begin a click, a turn or, with Ctrl, a rectangle."""
        self._pressed = event.pos()
        if self._is_band(event):
            self._band = QRubberBand(QRubberBand.Shape.Rectangle, self)
            self._band.setGeometry(QRect(event.pos(), QSize()))
            return
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Turn, draw the rectangle, or point."""
        if self._band is not None:
            self._band.setGeometry(QRect(self._pressed, event.pos()).normalized())
            self._band.show()
            return
        super().mouseMoveEvent(event)
        if event.buttons() == Qt.MouseButton.NoButton:
            self.pointed.emit(*self.in_window(event.pos()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """End a click, a turn or a rectangle."""
        pressed, self._pressed = self._pressed, None
        band, self._band = self._band, None
        if band is None:
            super().mouseReleaseEvent(event)
        else:
            band.hide()
            band.deleteLater()
        if pressed is None or event.button() != Qt.MouseButton.LeftButton:
            return
        if (event.pos() - pressed).manhattanLength() <= CLICK:
            self.clicked.emit(*self.in_window(pressed), event.modifiers())
        elif band is not None:
            corners = [QPoint(*self.in_window(corner)) for corner in (pressed, event.pos())]
            self.banded.emit(QRect(*corners).normalized(), event.modifiers())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Ask for what is here to come into the middle."""
        self.double_clicked.emit(*self.in_window(event.pos()))

    def leaveEvent(self, event: object) -> None:  # noqa: N802
        """Tell that nothing is pointed at any more."""
        super().leaveEvent(event)
        self.left.emit()

    @staticmethod
    def _is_band(event: QMouseEvent) -> bool:
        ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        return ctrl and event.button() == Qt.MouseButton.LeftButton

    def _turned(self, *_: object) -> None:
        x, y = self.iren.interactor.GetEventPosition()
        self.turning.emit((x, y))

    def in_window(self, point: QPoint) -> tuple[int, int]:
        """Return the pixel of the render window at a point of the widget."""
        ratio = self.devicePixelRatioF()
        return round(point.x() * ratio), round(self.height() * ratio) - 1 - round(point.y() * ratio)
