"""A column of controls that scrolls up and down, and is never narrower than its controls."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtWidgets import QFrame, QScrollArea


class ColumnArea(QScrollArea):
    """Scrolls its widget up and down only."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - overrides Qt's
        """Return a size at which no control is cut off at the side."""
        height = super().minimumSizeHint().height()
        if self.widget() is None:
            return QSize(0, height)
        bar = self.verticalScrollBar().sizeHint().width()
        return QSize(self.widget().minimumSizeHint().width() + bar, height)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the same, as high as the controls: a dock that asked for more would take it from the view."""
        return QSize(self.minimumSizeHint().width(), super().sizeHint().height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Ask for room anew when the controls have changed."""
        if watched is self.widget() and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)
