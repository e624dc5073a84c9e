"""The colours along the map, their points moved by hand."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from cnnvis.scene import TransferFunction
from cnnvis.viewer.transfer.curve_plot import plot_left, plot_place
from cnnvis.viewer.transfer.grip import HELP, Grip, Spot
from cnnvis.viewer.transfer.points import Point

HEIGHT, BAR = 34, 20
"""Pixels of the widget, and of the colours in it; the points hang below them."""

HALF = 6.0
"""Half the width of a point's mark, pixels."""

ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)

SAMPLES = 9
"""Points that a named colour map becomes when its first point is set by hand."""


class ColourStrip(QWidget):
    """Shows the colour map under a `CurvePlot`, in line with it.

    A map with a name has no points; the first double-click replaces it by points that look much like it.

    Attributes
    ----------
    grip : Grip
        Tells of changes by hand.

    Notes
    -----
    `colour_asked` is emitted when another colour is wanted for the chosen point: double-click or Enter.
    """

    colour_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Colours")
        self.setToolTip(
            f"Colours of the values. {HELP}\nDouble-click on a point, or Enter, changes its colour.\n"
            "Choosing a colour map drops the points."
        )
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._transfer = TransferFunction()
        self.grip = Grip(self, self, self.spots, self._point_at, upright=False)
        self.grip.edited.connect(lambda _: self.update())
        self.grip.chosen.connect(lambda _: self.update())

    def sizeHint(self) -> QSize:  # noqa: N802 - overrides Qt's
        """As wide as there is room."""
        return QSize(240, HEIGHT)

    minimumSizeHint = sizeHint  # noqa: N815

    def show_transfer(self, transfer: TransferFunction) -> None:
        """Show colours that were changed elsewhere."""
        self._transfer = transfer
        self.grip.show(transfer.colour_points)
        self.update()

    def colour_at(self, position: float) -> str:
        """Return the colour at a place of the map as #rrggbb."""
        return _code(self._transfer.colours(np.array(position)))

    # -- hands -----------------------------------------------------------------------------------

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - overrides Qt's
        """Ask for the colour of a point, or make points of a map that has none; else the grip added one."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if self.grip.points:
            self.colour_asked.emit()
            return
        place = self._point_at(event.position())[0]  # type: ignore[attr-defined]  # qtpy adds it to Qt 5
        places = sorted({*np.linspace(0, 1, SAMPLES).tolist(), place})
        self.grip.change(tuple((position, self.colour_at(position)) for position in places))
        self.grip.choose(places.index(place))
        self.grip.finished.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Ask for a colour on Enter."""
        if event.key() in ENTER and self.grip.point is not None:
            self.colour_asked.emit()
        else:
            super().keyPressEvent(event)

    def _point_at(self, at: QPointF) -> Point:
        place = min(max(plot_place(self, at.x()), 0.0), 1.0)
        return place, self.colour_at(place)

    def spots(self) -> list[Spot]:
        """Return where the points are, in pixels."""
        return [
            Spot(index, QPointF(plot_left(self, position), BAR + HALF))
            for index, (position, _) in enumerate(self.grip.points)
        ]

    # -- painting --------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint the colours, and the points below."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rgb = np.ascontiguousarray(np.round(255 * self._transfer.colours(np.linspace(0, 1, 256))), np.uint8)
        image = QImage(rgb.tobytes(), 256, 1, 3 * 256, QImage.Format.Format_RGB888)
        left, right = plot_left(self, 0.0), plot_left(self, 1.0)
        painter.drawImage(QRectF(left, 1, right - left, BAR - 2), image)
        text = self.palette().color(QPalette.ColorRole.WindowText)
        if self.hasFocus():
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 2))
            painter.drawRect(QRectF(left, 1, right - left, BAR - 2))
        for spot, (_, colour) in zip(self.spots(), self.grip.points, strict=True):
            chosen = spot.index == self.grip.index
            painter.setPen(QPen(text, 2.4 if chosen else 1.2))
            painter.setBrush(QColor(colour))
            x, top = spot.at.x(), BAR - 1.0
            painter.drawPolygon(
                QPolygonF([QPointF(x, top), QPointF(x + HALF, top + 2 * HALF), QPointF(x - HALF, top + 2 * HALF)])
            )

    def event(self, event: QEvent) -> bool:
        """Keep Enter from a shortcut of the window."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in ENTER:
            event.accept()
            return True
        return super().event(event)


def _code(rgb: np.ndarray) -> str:
    return "#" + np.round(255 * rgb).astype(np.uint8).tobytes().hex()
