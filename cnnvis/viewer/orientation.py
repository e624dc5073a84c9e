"""The marker in a corner of the view that says which way the axes run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, QObject, QPointF, Qt
from qtpy.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QWidget

SIDE = 84
LENGTH = 24.0
AXES = (("column", "#d55e00"), ("row", "#009e73"), ("depth", "#0072b2"))
"""Names and colours (Okabe and Ito's) of x, y and z: depth runs over channels or layers."""


class OrientationMarker(QWidget):
    """Three arrows in the upper right corner of a view; the mouse goes through it."""

    def __init__(self, view: QWidget) -> None:
        super().__init__(view)
        self._view = view
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.resize(SIDE, SIDE)
        self._ways: NDArray[np.float64] | None = None
        view.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - overrides Qt's
        """Stay in the corner."""
        if event.type() == QEvent.Type.Resize:
            self.move(self._view.width() - SIDE - 2, 2)
        return False

    def look_from(self, cameras: Sequence[Any]) -> None:
        """Show the axes as the first of the VTK cameras sees them; hidden without any."""
        self.setVisible(bool(cameras))
        if cameras:
            matrix = cameras[0].GetViewTransformMatrix()
            ways = np.array([[matrix.GetElement(row, axis) for row in range(3)] for axis in range(3)])
            if self._ways is None or not np.allclose(ways, self._ways, atol=1e-3):
                self._ways = ways
                self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draw the arrows, the farthest first."""
        if self._ways is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = QFont(self.font())
        font.setPointSize(8)
        painter.setFont(font)
        middle = QPointF(SIDE / 2, SIDE / 2)
        for axis in np.argsort(self._ways[:, 2]):
            name, colour = AXES[axis]
            across, upwards, _ = self._ways[axis]
            tip = middle + QPointF(LENGTH * float(across), -LENGTH * float(upwards))
            painter.setPen(QPen(QColor(colour), 2))
            painter.drawLine(middle, tip)
            if np.hypot(across, upwards) > 0.15:
                width = painter.fontMetrics().horizontalAdvance(name)
                at = middle + (tip - middle) * 1.3
                left = min(max(at.x() - width / 2, 0.0), SIDE - width)
                painter.drawText(QPointF(left, at.y() + 4), name)
        painter.end()
