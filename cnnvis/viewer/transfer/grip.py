"""Points of a widget, held by mouse and keyboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from qtpy.QtCore import QEvent, QObject, QPointF, Qt, Signal
from qtpy.QtGui import QKeyEvent, QMouseEvent
from qtpy.QtWidgets import QWidget

from cnnvis.viewer.transfer import points as edits
from cnnvis.viewer.transfer.points import Point, Points

REACH = 9.0
"""Pixels around a point in which it can be taken hold of."""

STEP, LONG_STEP = 0.01, 0.1
"""How far an arrow key moves a point, and with Shift; shares of the whole."""

HELP = (
    "Double-click adds a point, a drag moves it, right-click or Delete removes it.\n"
    "Keys: arrows move the chosen point (Shift: further), Ctrl+Left and Ctrl+Right choose the one before and after, "
    "Insert adds one."
)

_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Down: (0, -1),
    Qt.Key.Key_Up: (0, 1),
}


class Spot(NamedTuple):
    """Where a point is drawn; a curve that is mirrored has two spots for one point.

    Parameters
    ----------
    index : int
    at : QPointF
        Pixels of the widget that hears the mouse.
    """

    index: int
    at: QPointF


class Grip(QObject):
    """Lets the points of a widget be added, moved and removed.

    Parameters
    ----------
    widget : QWidget
        Has the focus of the keyboard, and emits nothing itself.
    surface : QWidget
        Where the mouse is heard; often the same one.
    spots : callable
        Returns where the points are, as a sequence of `Spot`.
    point_at : callable
        Returns the point that pixels (QPointF) stand for.
    upright : bool
        Whether points are moved upwards and downwards, too: what stands at them is a height in [0, 1].

    Notes
    -----
    Signals: `edited` with the new points, on each step of a change; `finished` when the hand lets go; `chosen` with the
    number of the point, -1 for none.
    """

    edited = Signal(object)
    finished = Signal()
    chosen = Signal(int)

    def __init__(
        self,
        widget: QWidget,
        surface: QWidget,
        spots: Callable[[], list[Spot]],
        point_at: Callable[[QPointF], Point],
        *,
        upright: bool,
    ) -> None:
        super().__init__(widget)
        self.points: Points = ()
        self.index = -1
        self._spots, self._point_at, self._upright = spots, point_at, upright
        self._held: tuple[QPointF, QPointF] | None = None  # where the point was, and the mouse
        self._surface = surface
        widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        surface.setMouseTracking(True)
        for heard in {widget, surface}:
            heard.installEventFilter(self)

    @property
    def point(self) -> Point | None:
        """The chosen point."""
        return self.points[self.index] if self.index >= 0 else None

    def show(self, points: Points) -> None:
        """Take points that were changed elsewhere."""
        self.points = edits.with_ends(points) if points else ()
        if self.index >= len(self.points):
            self.choose(-1)

    def choose(self, index: int) -> None:
        """Choose a point; -1 chooses none."""
        self.index = index
        self.chosen.emit(index)

    def change(self, points: Points) -> None:
        """Change the points, as a step of what `finished` ends."""
        if points != self.points:
            self.points = points
            self.edited.emit(points)

    def set_point(self, point: Point) -> None:
        """Put the chosen point elsewhere, at once: what typing a number does."""
        self.change(edits.move(self.points, self.index, point))
        self.finished.emit()

    # -- mouse -----------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - overrides Qt's
        """Take events of the mouse on the surface and of the keyboard in the widget; True for what was used."""
        kind = event.type()
        if isinstance(event, QMouseEvent) and watched is self._surface:
            return self._mouse(kind, event)
        if isinstance(event, QKeyEvent) and self.points:
            if kind == QEvent.Type.ShortcutOverride and self._knows(event):
                event.accept()  # else a shortcut of the window would take the key
                return True
            if kind == QEvent.Type.KeyPress:
                return self._key(event)
            if kind == QEvent.Type.KeyRelease and self._knows(event) and not event.isAutoRepeat():
                self.finished.emit()
                return True
        return False

    def _mouse(self, kind: QEvent.Type, event: QMouseEvent) -> bool:
        at = QPointF(event.position())  # type: ignore[attr-defined]  # qtpy adds it to Qt 5
        if kind == QEvent.Type.MouseButtonPress:
            return self._press(event.button(), at)
        if kind == QEvent.Type.MouseButtonDblClick and event.button() == Qt.MouseButton.LeftButton:
            return self._double_click(at)
        if kind == QEvent.Type.MouseMove:
            return self._drag(at)
        if kind == QEvent.Type.MouseButtonRelease and self._held is not None:
            self._held = None
            self.finished.emit()
            return True
        return False

    def spot_at(self, at: QPointF) -> Spot | None:
        """Return the spot nearest to some pixels, within reach."""
        near = min(self._spots(), key=lambda spot: _distance(spot.at, at), default=None)
        return near if near is not None and _distance(near.at, at) <= REACH else None

    def _press(self, button: Qt.MouseButton, at: QPointF) -> bool:
        spot = self.spot_at(at)
        if spot is None:
            return False
        if button == Qt.MouseButton.RightButton:
            self._remove(spot.index)
        elif button == Qt.MouseButton.LeftButton:
            self._held = (spot.at, at)
            self.choose(spot.index)
        return True

    def _double_click(self, at: QPointF) -> bool:
        if self.spot_at(at) is not None or not self.points:
            return False
        points, index = edits.add(self.points, self._point_at(at))
        self.change(points)
        self.choose(index)
        self._held = (at, at)
        return True

    def _drag(self, at: QPointF) -> bool:
        if self._held is None:
            over = self.spot_at(at) is not None
            self._surface.setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)
            return False
        spot, start = self._held
        position, height = self._point_at(spot + at - start)
        self._put(position, height)
        return True

    def _put(self, position: float, height: object) -> None:
        kept = height if self._upright else self.points[self.index][1]
        self.change(edits.move(self.points, self.index, (position, kept)))
        self.chosen.emit(self.index)

    def _remove(self, index: int) -> None:
        fewer = edits.remove(self.points, index)
        if fewer == self.points:
            return
        self.choose(-1)
        self.change(fewer)
        self.finished.emit()

    # -- keyboard --------------------------------------------------------------------------------

    @staticmethod
    def _knows(event: QKeyEvent) -> bool:
        return event.key() in (*_ARROWS, Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_Insert)

    def _key(self, event: QKeyEvent) -> bool:
        key, modifiers = event.key(), event.modifiers()
        if not self._knows(event):
            return False
        if self.index < 0:
            self.choose(0)
        elif key in _ARROWS and modifiers & Qt.KeyboardModifier.ControlModifier:
            across = _ARROWS[key][0]
            self.choose(min(max(self.index + across, 0), len(self.points) - 1))
        elif key in _ARROWS:
            self._step(_ARROWS[key], LONG_STEP if modifiers & Qt.KeyboardModifier.ShiftModifier else STEP)
        elif key == Qt.Key.Key_Insert:
            self._insert()
        else:
            self._remove(self.index)
        return True

    def _step(self, direction: tuple[int, int], step: float) -> None:
        position, height = self.points[self.index]
        if self._upright:
            height = min(max(round(height + step * direction[1], 6), 0.0), 1.0)
        self._put(round(position + step * direction[0], 6), height)

    def _insert(self) -> None:
        """Add a point in the middle between the chosen one and the next; before the last one, where that is chosen."""
        left = min(self.index, len(self.points) - 2)
        spots = {spot.index: spot.at for spot in self._spots()}
        points, index = edits.add(self.points, self._point_at((spots[left] + spots[left + 1]) / 2))
        self.change(points)
        self.choose(index)


def _distance(one: QPointF, other: QPointF) -> float:
    return ((one.x() - other.x()) ** 2 + (one.y() - other.y()) ** 2) ** 0.5
