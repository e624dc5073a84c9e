"""Which channels of a layer are alike: the matrix in the order of the groups, and the graph."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QLineF, QPoint, QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen
from qtpy.QtWidgets import QWidget

from cnnvis.core.palette import group_colour
from cnnvis.report.scale import ColourScale
from cnnvis.viewer.surveys.bench import Groups, SurveyBench

MARGIN = 12
RADIUS, SELECTED_RADIUS = 4.0, 6.5
"""Pixels of a node."""

_SIGNED = ColourScale.of([np.zeros(1)], limits=(-1.0, 1.0))
_MARK = QColor("#e4002b")


class _OfLayer(QWidget):
    """A square view of the groups of the bench's layer."""

    def __init__(self, bench: SurveyBench) -> None:
        super().__init__()
        self.bench = bench
        self.setMouseTracking(True)
        self.setMinimumSize(QSize(140, 140))
        for signal in (bench.changed, bench.grouped, bench.pointed, bench.answered):
            signal.connect(self.update)
        bench.workspace.edited.connect(self.update)

    @property
    def groups(self) -> Groups | None:
        """Groups of the layer that is looked at; None while they are looked for."""
        return self.bench.groups.get(self.bench.layer)

    def square(self) -> QRectF:
        """Return the largest square in the widget."""
        side = max(1, min(self.width(), self.height()) - 2 * MARGIN)
        return QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)

    def selected(self) -> set[int]:
        """Return the channels of the layer that are selected."""
        return {channel for layer, channel in self.bench.selected if layer == self.bench.layer}

    def channels_at(self, place: QPoint) -> tuple[int, ...]:
        """Return the channels at a place."""
        raise NotImplementedError

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - overrides Qt's
        """Say what is under the mouse."""
        found = self.channels_at(event.pos()) if self.groups is not None else ()
        self.bench.point_at((self.bench.layer, found[0]) if found else None)

    def leaveEvent(self, event: object) -> None:  # noqa: N802
        """Nothing is."""
        self.bench.point_at(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Select what is there, with Ctrl also; nothing where nothing is."""
        found = self.channels_at(event.pos()) if self.groups is not None else ()
        adding = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if found or not adding:
            self.bench.select(frozenset((self.bench.layer, channel) for channel in found), adding=adding)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Select the whole group."""
        found = self.channels_at(event.pos()) if self.groups is not None else ()
        if found and self.groups is not None:
            members = np.flatnonzero(self.groups.labels == self.groups.labels[found[0]])
            self.bench.select(frozenset((self.bench.layer, int(channel)) for channel in members))

    def _say(self, painter: QPainter) -> None:
        text = "No survey is open." if self.bench.survey is None else f"No groups of {self.bench.layer} yet."
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, text)


class SimilarityMatrix(_OfLayer):
    """Correlation of every two channels, in the order of the groups."""

    def __init__(self, bench: SurveyBench) -> None:
        super().__init__(bench)
        self.setAccessibleName("Correlation of channels")
        self.setToolTip(
            "Correlation of averages, groups in order. Click selects both channels, a double click the group."
        )

    def order(self) -> NDArray[np.int64]:
        """Return the channels in the order of rows and columns."""
        return np.argsort(self.groups.labels, kind="stable") if self.groups is not None else np.empty(0, np.int64)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint the matrix as one picture, and what is selected as lines."""
        painter = QPainter(self)
        if self.groups is None:
            self._say(painter)
            return
        order, square = self.order(), self.square()
        n = order.size
        pixels = np.full((n, n, 4), 255, np.uint8)
        pixels[..., :3] = _SIGNED.rgb(self.groups.similarity[np.ix_(order, order)])
        painter.drawImage(square, QImage(pixels.data, n, n, 4 * n, QImage.Format.Format_RGBA8888))
        cell = square.width() / n
        painter.setPen(QPen(_MARK, 1))
        for channel in self.selected():
            place = (int(np.flatnonzero(order == channel)[0]) + 0.5) * cell
            painter.drawLine(
                QPointF(square.left(), square.top() + place), QPointF(square.right(), square.top() + place)
            )
            painter.drawLine(
                QPointF(square.left() + place, square.top()), QPointF(square.left() + place, square.bottom())
            )

    def channels_at(self, place: QPoint) -> tuple[int, ...]:
        """Return the channels of row and column at a place."""
        square, order = self.square(), self.order()
        if not square.contains(QPointF(place)):
            return ()
        row, column = (
            min(int(offset / square.width() * order.size), order.size - 1)
            for offset in (place.y() - square.top(), place.x() - square.left())
        )
        return tuple(dict.fromkeys((int(order[row]), int(order[column]))))


class CommunityGraph(_OfLayer):
    """Channels as nodes, like ones near each other, in the colours of their groups."""

    def __init__(self, bench: SurveyBench) -> None:
        super().__init__(bench)
        self.setAccessibleName("Graph of like channels")
        self.setToolTip("Like channels stand together. Click selects a channel, a double click its group.")

    def places(self) -> NDArray[np.float64]:
        """Return where the nodes are in the widget, (C, 2)."""
        if self.groups is None:
            return np.empty((0, 2))
        square, places = self.square(), self.groups.places
        low, high = places.min(axis=0), places.max(axis=0)
        scale = square.width() / max(float((high - low).max()), 1e-9)
        centre = np.array([square.center().x(), square.center().y()])
        return centre + (places - (low + high) / 2) * scale

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint the nodes; the more strongly a channel answers to the image, the fuller its colour."""
        painter = QPainter(self)
        if self.groups is None:
            self._say(painter)
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ink = self.palette().color(QPalette.ColorRole.WindowText)
        places, sizes, selected = self.places(), np.bincount(self.groups.labels), self.selected()
        self._paint_links(painter, places, ink)
        strength = np.abs(self.bench.values(self.bench.layer))
        strength = strength / max(float(np.nanmax(strength)), 1e-12) if np.isfinite(strength).any() else strength
        for channel, (x, y) in enumerate(places):
            label = int(self.groups.labels[channel])
            colour = QColor.fromRgbF(*group_colour(label if sizes[label] > 1 else -1))
            colour.setAlphaF(0.35 + 0.65 * float(np.nan_to_num(strength[channel])))
            radius = SELECTED_RADIUS if channel in selected else RADIUS
            painter.setPen(QPen(_MARK if channel in selected else ink, 2 if channel in selected else 0.5))
            painter.setBrush(colour)
            painter.drawEllipse(QPointF(x, y), radius, radius)

    def _paint_links(self, painter: QPainter, places: NDArray[np.float64], ink: QColor) -> None:
        """Paint the strongest links, the heavier the fuller; those of what is selected stand out."""
        links, selected = self.groups.links, self.selected()
        largest = float(links.weight.max(initial=0.0))
        for source, target, weight in zip(links.source, links.target, links.weight, strict=True):
            colour = QColor(_MARK if source in selected or target in selected else ink)
            colour.setAlphaF(0.1 + 0.5 * float(weight) / largest)
            painter.setPen(QPen(colour, 1))
            painter.drawLine(QLineF(*places[source], *places[target]))

    def channels_at(self, place: QPoint) -> tuple[int, ...]:
        """Return the node at a place, none where none is near."""
        distance = np.linalg.norm(self.places() - (place.x(), place.y()), axis=1)
        nearest = int(distance.argmin())
        return (nearest,) if distance[nearest] <= SELECTED_RADIUS + 3 else ()
