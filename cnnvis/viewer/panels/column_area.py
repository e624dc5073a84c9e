"""A column of controls that scrolls up and down, and is never narrower than its controls."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QStyle


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
        # The style is asked, not the scroll bar: PyQt keeps the object of a part that Qt has made for as long as that
        # of the area around it, beyond the end of both, and takes it for whatever comes to lie in the part's place. A
        # method of it that is called then ends the program.
        bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent, None, self)
        return QSize(self.widget().minimumSizeHint().width() + bar, height)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the same, as high as the controls: a dock that asked for more would take it from the view."""
        return QSize(self.minimumSizeHint().width(), super().sizeHint().height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Ask for room anew when the controls have changed."""
        if watched is self.widget() and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)
