"""The marker in the view that says which way the axes run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPaintEvent, QPen
from qtpy.QtWidgets import QWidget

from cnnvis.viewer.theme import Theme

WIDTH, HEIGHT = 152, 92
LENGTH = 26.0
POINTS = 9
GAP, FARTHEST = 2.0, 12.0
"""Pixels between an arrow and its name, and how much farther off it may be where others are in the way."""

END_ON = 0.3
"""Share of its length as which an arrow is seen, below which it has no name: those of the others are near it."""

HALO = 3.0
"""Width of the ground around letters, which keeps them apart from what is below."""

AXES = ("column", "row", "depth")
"""Names of x, y and z: depth runs over channels or layers."""

COLOURS: dict[Theme, tuple[str, ...]] = {
    "light": ("#b34700", "#007a59", "#0060a8"),
    "dark": ("#f0a050", "#35c49a", "#6cc0f2"),
}
"""Vermilion, green and blue of Okabe and Ito, as dark or light as letters have to be."""

GROUNDS: dict[Theme, str] = {"light": "#ffffff", "dark": "#17171c"}

STEP, FLAT = 2, 12
"""Pixels of a picture that are looked at, every second; and by how much neighbours differ at least where there is
something, of 255."""

Box = tuple[float, float, float, float]


class OrientationMarker(QWidget):
    """Three arrows where the view is empty, in the upper right corner if that is; the mouse goes through them."""

    def __init__(self, view: QWidget) -> None:
        super().__init__(view)
        self._view = view
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.resize(WIDTH, HEIGHT)
        self._ways: NDArray[np.float64] | None = None
        self._theme: Theme = "light"
        self.hide()

    def look_from(self, camera: Any, theme: Theme) -> None:
        """Show the axes as a VTK camera sees them, on a light or dark ground."""
        matrix = camera.GetViewTransformMatrix()
        ways = np.array([[matrix.GetElement(row, axis) for row in range(3)] for axis in range(3)])
        if self._ways is None or theme != self._theme or not np.allclose(ways, self._ways, atol=1e-3):
            self._ways, self._theme = ways, theme
            self.update()

    def find_place(self, picture: NDArray[np.uint8], box: Box) -> None:
        """Move to where a picture of the view is empty, and stay where it is if that is empty.

        Parameters
        ----------
        picture : (H, W, 3) ndarray of uint8
        box : (left, bottom, right, top)
            The part of it that may be used, as shares.
        """
        scale = self._view.width() / picture.shape[1]
        here = None if self.isHidden() else (self.x() / scale, self.y() / scale)
        left, top = empty_place(picture, (round(WIDTH / scale), round(HEIGHT / scale)), box, here)
        self.move(round(left * scale), round(top * scale))
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - overrides Qt's
        """Draw the arrows, the farthest first, and their names beside them."""
        if self._ways is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = QPointF(WIDTH / 2, HEIGHT / 2)
        for axis in np.argsort(self._ways[:, 2]):
            painter.setPen(QPen(QColor(COLOURS[self._theme][axis]), 2))
            painter.drawLine(middle, middle + _tip(self._ways[axis]))
        font = QFont(self.font())
        font.setPointSize(POINTS)
        for axis, place in label_places(self._ways, QFontMetricsF(font)).items():
            letters = QPainterPath()
            letters.addText(place.left(), place.bottom() - QFontMetricsF(font).descent(), font, AXES[axis])
            painter.strokePath(letters, QPen(QColor(GROUNDS[self._theme]), HALO))
            painter.fillPath(letters, QColor(COLOURS[self._theme][axis]))
        painter.end()


def _tip(way: NDArray[np.float64]) -> QPointF:
    """Return where the arrow of an axis ends, from the middle of the marker."""
    return QPointF(LENGTH * float(way[0]), -LENGTH * float(way[1]))


def label_places(ways: NDArray[np.float64], metrics: QFontMetricsF) -> dict[int, QRectF]:
    """Return where the names of the axes stand in the marker: behind the tips, none over another or over an arrow.

    Parameters
    ----------
    ways : (3, 3) ndarray of float
        Of each axis: right, up, towards the viewer. One that runs nearly along the line of sight gets no name, nor one
        that has no room near its tip.
    metrics : QFontMetricsF
    """
    room = QRectF(0, 0, WIDTH, HEIGHT)
    arrows = [room.center() + share * _tip(way) for way in ways for share in np.linspace(0, 1, 14)]
    found: dict[int, QRectF] = {}
    for axis in np.argsort(-np.hypot(ways[:, 0], ways[:, 1])):  # what is seen from the side keeps its place
        if np.hypot(*ways[axis, :2]) < END_ON:
            continue
        for place in _places_near(ways[axis], metrics.horizontalAdvance(AXES[axis]), metrics.height()):
            ground = place.adjusted(-GAP / 2, 0, GAP / 2, 0)
            covers = any(map(ground.contains, arrows)) or any(map(place.intersects, found.values()))
            if room.contains(place) and not covers:
                found[int(axis)] = place
                break
    return found


def _places_near(way: NDArray[np.float64], width: float, height: float) -> Iterator[QRectF]:
    """Yield where a name may stand: behind the tip of its arrow, then ever farther from there."""
    tip = _tip(way)
    unit = tip / float(np.hypot(tip.x(), tip.y()))
    # from the middle of a rectangle to its rim in the direction of the arrow
    inside = min(width / 2 / max(abs(unit.x()), 1e-9), height / 2 / max(abs(unit.y()), 1e-9))
    centre = QPointF(WIDTH / 2, HEIGHT / 2) + tip + (inside + GAP) * unit
    for distance in np.arange(0.0, FARTHEST + 1.0, 2.0):
        for angle in np.arange(0.0, 2 * np.pi if distance else 0.1, np.pi / 6):
            place = QRectF(0, 0, width, height)
            place.moveCenter(centre + distance * QPointF(float(np.cos(angle)), float(np.sin(angle))))
            yield place


def empty_place(
    picture: NDArray[np.uint8], size: tuple[int, int], box: Box, here: tuple[float, float] | None = None
) -> tuple[int, int]:
    """Return the left and top pixel of a rectangle where a picture has one colour.

    Of all such rectangles in the box the one that is nearest to a corner of it, the upper right one for choice; `here`
    if that is one. Without any, the one with the least in it.

    Parameters
    ----------
    picture : (H, W, 3) ndarray of uint8
    size : (width, height)
        Pixels.
    box : (left, bottom, right, top)
        Shares of the picture.
    here : (left, top), optional
        Where it is now.

    Notes
    -----
    5 ms for 1280 x 800.
    """
    height, width, _ = picture.shape
    left, right = round(box[0] * width), round(box[2] * width)
    top, bottom = round((1 - box[3]) * height), round((1 - box[1]) * height)
    drawn = _drawn(picture[top:bottom:STEP, left:right:STEP])
    columns, rows = (max(1, min(side // STEP, most)) for side, most in zip(size, drawn.shape[::-1], strict=True))
    total = np.pad(drawn.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    inside = total[rows:, columns:] - total[:-rows, columns:] - total[rows:, :-columns] + total[:-rows, :-columns]
    if here is not None:
        row, column = round((here[1] - top) / STEP), round((here[0] - left) / STEP)
        if 0 <= row < inside.shape[0] and 0 <= column < inside.shape[1] and inside[row, column] == 0:
            return round(here[0]), round(here[1])
    row, column = np.unravel_index(np.argmin(_cost(inside)), inside.shape)
    # with an odd number of pixels the last step ends one of them behind the box
    return (
        max(left, min(left + STEP * int(column), right - size[0])),
        max(top, min(top + STEP * int(row), bottom - size[1])),
    )


def _drawn(picture: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return 1 where a pixel differs from the next one in its row or column, else 0, (H, W)."""
    brightness = picture.astype(np.int16)
    found = np.zeros(picture.shape[:2], np.int64)
    found[:, 1:] |= np.abs(np.diff(brightness, axis=1)).max(axis=2) >= FLAT
    found[1:] |= np.abs(np.diff(brightness, axis=0)).max(axis=2) >= FLAT
    return found


def _cost(inside: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how unfit each place is: what is drawn there counts first, then the way to a corner."""
    rows, columns = (np.arange(n)[:, None] if axis == 0 else np.arange(n) for axis, n in enumerate(inside.shape))
    last_row, last_column = inside.shape[0] - 1, inside.shape[1] - 1
    ways = [
        np.hypot(rows - row, columns - column) + 4 * choice
        for choice, (row, column) in enumerate([(0, last_column), (last_row, last_column), (last_row, 0), (0, 0)])
    ]
    return inside * float(sum(inside.shape)) + np.min(ways, axis=0)
