"""The numbers of an operation, as a picture that fits the room there is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSize
from qtpy.QtGui import QImage, QPainter, QPaintEvent
from qtpy.QtWidgets import QScrollArea, QWidget

from cnnvis.viewer.operations.bench import OperationBench

SCALE = 0.52
"""Pixels of the screen for one of a figure: letters of 11 points are as large as those of the window then."""

COLUMN, GAP = 752, 36
"""Width of a column of a figure and what is between two, `report.operation_parts.BLOCK` by hand."""


class OperationPicture(QScrollArea):
    """Scrolls over the picture of an operation; as many columns as there is room for.

    Parameters
    ----------
    bench : OperationBench
    """

    def __init__(self, bench: OperationBench) -> None:
        super().__init__()
        self.bench = bench
        self.canvas = _Pixels()
        self.setWidget(self.canvas)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setMinimumWidth(round((COLUMN + 2 * GAP) * SCALE))
        bench.changed.connect(self.draw)
        bench.moved.connect(self.draw)
        self._columns = 0

    def resizeEvent(self, event: object) -> None:  # noqa: N802 - overrides Qt's
        """Draw in as many columns as fit."""
        super().resizeEvent(event)
        if self._fitting() != self._columns:
            self.draw()

    def _fitting(self) -> int:
        return max(int((self.width() / SCALE - GAP) // (COLUMN + GAP)), 1)

    def draw(self) -> None:
        """Draw the value that is explained; about 40 ms."""
        bench = self.bench
        if bench.operation is None or bench.subject is None or not self.isVisible():
            return
        from cnnvis.report import operation_sheet

        self._columns = self._fitting()
        sheet = operation_sheet(
            bench.operation,
            bench.channel,
            bench.position,
            fields=bench.fields,
            picture=bench.subject.picture,
            width=self._columns * (COLUMN + GAP) + GAP,
            header=False,
        )
        ratio = self.devicePixelRatioF()
        self.canvas.show_pixels(sheet.pixels(SCALE * ratio), ratio)

    def showEvent(self, event: object) -> None:  # noqa: N802 - overrides Qt's
        """Draw what changed while nobody looked."""
        super().showEvent(event)
        self.draw()


class _Pixels(QWidget):
    """Paints pixels as they are."""

    def __init__(self) -> None:
        super().__init__()
        self._image = QImage()
        self.setAccessibleName("The operation")

    def show_pixels(self, pixels: NDArray[np.uint8], ratio: float) -> None:
        """Show (H, W, 3) pixels, of which `ratio` are one of the screen's units."""
        pixels = np.ascontiguousarray(pixels)
        height, width = pixels.shape[:2]
        self._image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
        self._image.setDevicePixelRatio(ratio)
        self.resize(QSize(round(width / ratio), round(height / ratio)))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - overrides Qt's
        """Paint."""
        QPainter(self).drawImage(0, 0, self._image)
