"""The averages of all channels: one block per layer, eight cells in a row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPoint, QRect, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen
from qtpy.QtWidgets import QWidget

from cnnvis.core.palette import group_colour
from cnnvis.report.scale import ColourScale
from cnnvis.scene.selection import Unit
from cnnvis.viewer.surveys.bench import SurveyBench

PER_ROW = 8
"""Cells in a row of a layer, as in ReactCNN."""

NAME_HEIGHT = 18
LARGEST_CELL = 16
"""Pixels of a side."""

_SCALE = ColourScale.of([np.zeros(1)], limits=(0.0, 1.0))


class SurveyGrid(QWidget):
    """One cell per channel, coloured by its average as a share of the layer's largest; marks what is selected.

    Painted as one small picture that is enlarged, so that thousands of cells take milliseconds.

    Parameters
    ----------
    bench : SurveyBench
    """

    def __init__(self, bench: SurveyBench) -> None:
        super().__init__()
        self.bench = bench
        self.setMouseTracking(True)
        self.setMinimumSize(QSize(240, 88))
        self.setAccessibleName("Averages of all channels")
        self.setToolTip(
            "Averages by layer, eight channels in a row. Point for values and maps, click to select, Ctrl adds."
        )
        for signal in (bench.changed, bench.answered, bench.pointed):
            signal.connect(self.update)
        bench.grouped.connect(self.update)
        bench.workspace.edited.connect(self.update)

    # -- where cells are ---------------------------------------------------------------------------

    @property
    def _layers(self) -> list[str]:
        return [] if self.bench.survey is None else list(self.bench.survey)

    def _cell(self) -> tuple[float, float]:
        """Return width and height of a cell."""
        columns = max(1, len(self._layers) * (PER_ROW + 1) - 1)
        rows = max([1, *(self._rows(name) for name in self._layers)])
        side = min(self.width() / columns, LARGEST_CELL)
        return side, min((self.height() - NAME_HEIGHT) / rows, LARGEST_CELL)

    def _rows(self, layer: str) -> int:
        return -(-self.bench.survey[layer].n_channels // PER_ROW) if self.bench.survey else 0

    def rect_of(self, unit: Unit) -> QRectF:
        """Return the cell of a channel."""
        layer, channel = unit
        width, height = self._cell()
        column = self._layers.index(layer) * (PER_ROW + 1) + channel % PER_ROW
        return QRectF(column * width, NAME_HEIGHT + channel // PER_ROW * height, width, height)

    def unit_at(self, place: QPoint) -> Unit | None:
        """Return the channel at a place of the widget."""
        width, height = self._cell()
        column, row = int(place.x() // width), int((place.y() - NAME_HEIGHT) // height)
        block, column = divmod(column, PER_ROW + 1)
        if place.y() < NAME_HEIGHT or row < 0 or column == PER_ROW or not 0 <= block < len(self._layers):
            return None
        layer, channel = self._layers[block], row * PER_ROW + column
        return (layer, channel) if self.bench.survey and channel < self.bench.survey[layer].n_channels else None

    # -- painting ------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - overrides Qt's
        """Paint all cells as one picture, then names and marks."""
        painter = QPainter(self)
        if not self._layers:
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "No survey is open.")
            return
        width, height = self._cell()
        pixels = self._pixels()
        rows, columns = pixels.shape[:2]
        image = QImage(pixels.data, columns, rows, 4 * columns, QImage.Format.Format_RGBA8888)
        painter.drawImage(QRectF(0, NAME_HEIGHT, columns * width, rows * height), image)
        self._paint_names(painter, width)
        self._paint_marks(painter)

    def _pixels(self) -> NDArray[np.uint8]:
        """Return one pixel per cell, (rows, columns, 4)."""
        rows = max(self._rows(name) for name in self._layers)
        pixels = np.zeros((rows, len(self._layers) * (PER_ROW + 1) - 1, 4), np.uint8)
        for block, name in enumerate(self._layers):
            size = np.abs(self.bench.values(name))
            largest = float(np.nanmax(size)) if np.isfinite(size).any() else 1.0
            colours = np.zeros((self._rows(name) * PER_ROW, 4), np.uint8)
            colours[: size.size, :3] = _SCALE.rgb(size / (largest or 1.0))
            colours[: size.size, 3] = 255
            left = block * (PER_ROW + 1)
            pixels[: self._rows(name), left : left + PER_ROW] = colours.reshape(-1, PER_ROW, 4)
        return pixels

    def _paint_names(self, painter: QPainter, width: float) -> None:
        room = int(PER_ROW * width)
        metrics = painter.fontMetrics()
        for block, name in enumerate(self._layers):
            text = metrics.elidedText(name, Qt.TextElideMode.ElideLeft, room)
            font = painter.font()
            font.setBold(name == self.bench.layer)
            painter.setFont(font)
            place = QRect(int(block * (PER_ROW + 1) * width), 0, room, NAME_HEIGHT)
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_marks(self, painter: QPainter) -> None:
        """Outline the groups of the layer, what is selected, and what is under the mouse."""
        groups = self.bench.groups.get(self.bench.layer)
        if groups is not None:
            sizes = np.bincount(groups.labels)
            for channel, label in enumerate(groups.labels):
                if sizes[label] > 1:
                    cell = self.rect_of((self.bench.layer, channel))
                    stripe = QRectF(cell.left(), cell.bottom() - cell.height() / 4, cell.width(), cell.height() / 4)
                    painter.fillRect(stripe, QColor.fromRgbF(*group_colour(int(label))))
        known = set(self._layers)
        for unit in self.bench.selected:
            if unit[0] in known:
                self._outline(painter, unit, QColor("#e4002b"), 2)
        if self.bench.hovered is not None:
            self._outline(painter, self.bench.hovered, self.palette().color(QPalette.ColorRole.WindowText), 1)

    def _outline(self, painter: QPainter, unit: Unit, colour: QColor, width: int) -> None:
        painter.setPen(QPen(colour, width))
        painter.drawRect(self.rect_of(unit))

    # -- the mouse -----------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Say what is under the mouse."""
        self.bench.point_at(self.unit_at(event.pos()))

    def leaveEvent(self, event: object) -> None:  # noqa: N802
        """Nothing is."""
        self.bench.point_at(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Select the channel, and look at the groups of its layer; at the name of a layer, of that layer."""
        unit = self.unit_at(event.pos())
        adding = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if unit is not None:
            self.bench.select(frozenset([unit]), adding=adding)
            self.bench.show_layer(unit[0])
        elif event.pos().y() < NAME_HEIGHT:
            block = int(event.pos().x() // (self._cell()[0] * (PER_ROW + 1)))
            if block < len(self._layers):
                self.bench.show_layer(self._layers[block])
        elif not adding:
            self.bench.select(frozenset())
