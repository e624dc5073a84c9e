"""Probabilities of classes as bars."""

from __future__ import annotations

from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QFont, QPainter, QPaintEvent, QPalette
from qtpy.QtWidgets import QWidget

MOST_CLASSES = 10

Line = tuple[str, float, bool]
"""Text, probability, and whether it is the answer."""


class ShareBars(QWidget):
    """A bar for each of some classes, the likeliest first; the one answered is bold."""

    def lines(self, most: int = MOST_CLASSES) -> list[Line]:
        """Return what is shown: of the likeliest classes at most so many, and what matters besides."""
        raise NotImplementedError

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - overrides Qt's
        """Paint a bar for each class."""
        painter = QPainter(self)
        n_rows = max(self.height() // painter.fontMetrics().height(), 1)
        lines = self.lines(min(MOST_CLASSES, n_rows))
        if len(lines) > n_rows:  # with one that matters besides
            lines = self.lines(n_rows - 1)
        if not lines:
            return
        height, room = self.height() / len(lines), self.width() * 0.45
        colour = self.palette().color(QPalette.ColorRole.Highlight)
        for row, (text, share, is_answer) in enumerate(lines):
            font = QFont(painter.font())
            font.setBold(is_answer)
            painter.setFont(font)
            place = QRectF(0, row * height, room - 6, height)
            shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(room - 6))
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, shown)
            bar = (self.width() - room - 44) * share
            painter.fillRect(QRectF(room, row * height + 2, max(bar, 1), max(height - 4, 1)), colour)
            painter.drawText(
                QRectF(room + bar + 4, row * height, 60, height), Qt.AlignmentFlag.AlignVCenter, f"{share:.0%}"
            )
