"""The marker in the view that says which way the axes run."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPaintEvent, QPen
from qtpy.QtWidgets import QWidget

from cnnvis.viewer.theme import Theme

SIDE = 92
LENGTH = 26.0
POINTS = 9
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
        self.resize(SIDE, SIDE)
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
        left, top = empty_square(picture, round(SIDE / scale), box, here)
        self.move(round(left * scale), round(top * scale))
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - overrides Qt's
        """Draw the arrows, the farthest first, and their names beside them."""
        if self._ways is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = QPointF(SIDE / 2, SIDE / 2)
        order = np.argsort(self._ways[:, 2])
        for axis in order:
            across, upwards, _ = self._ways[axis]
            painter.setPen(QPen(QColor(COLOURS[self._theme][axis]), 2))
            painter.drawLine(middle, middle + QPointF(LENGTH * float(across), -LENGTH * float(upwards)))
        font = QFont(self.font())
        font.setPointSize(POINTS)
        for axis, place in label_places(self._ways, QFontMetricsF(font)).items():
            letters = QPainterPath()
            letters.addText(place.left(), place.bottom() - QFontMetricsF(font).descent(), font, AXES[axis])
            painter.strokePath(letters, QPen(QColor(GROUNDS[self._theme]), HALO))
            painter.fillPath(letters, QColor(COLOURS[self._theme][axis]))
        painter.end()


def label_places(ways: NDArray[np.float64], metrics: QFontMetricsF) -> dict[int, QRectF]:
    """Return where the names of the axes stand in the marker: at the tips, and none over another.

    Parameters
    ----------
    ways : (3, 3) ndarray of float
        Of each axis: right, up, towards the viewer. One that runs along the line of sight gets no name.
    metrics : QFontMetricsF
    """
    room = QRectF(0, 0, SIDE, SIDE)
    found: dict[int, QRectF] = {}
    for axis in np.argsort(-np.hypot(ways[:, 0], ways[:, 1])):  # what is seen from the side keeps its place
        across, upwards, _ = ways[axis]
        if np.hypot(across, upwards) < 0.15:
            continue
        place = QRectF(0, 0, metrics.horizontalAdvance(AXES[axis]), metrics.height())
        place.moveCenter(room.center() + 1.3 * LENGTH * QPointF(float(across), -float(upwards)))
        place.moveLeft(min(max(place.left(), 0.0), SIDE - place.width()))
        tries = (place.translated(0, side * step) for step in np.arange(0, SIDE, 2.0) for side in (1, -1))
        free = (each for each in tries if room.contains(each) and not any(each.intersects(o) for o in found.values()))
        found[int(axis)] = next(free, place)
    return found


def empty_square(
    picture: NDArray[np.uint8], side: int, box: Box, here: tuple[float, float] | None = None
) -> tuple[int, int]:
    """Return the left and top pixel of a square where a picture has one colour.

    Of all such squares in the box the one that is nearest to a corner of it, the upper right one for choice; `here`
    if that is one. Without any, the one with the least in it.

    Parameters
    ----------
    picture : (H, W, 3) ndarray of uint8
    side : int
        Of the square, pixels.
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
    size = max(1, min(side // STEP, *drawn.shape))
    total = np.pad(drawn.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    inside = total[size:, size:] - total[:-size, size:] - total[size:, :-size] + total[:-size, :-size]
    if here is not None:
        row, column = round((here[1] - top) / STEP), round((here[0] - left) / STEP)
        if 0 <= row < inside.shape[0] and 0 <= column < inside.shape[1] and inside[row, column] == 0:
            return round(here[0]), round(here[1])
    row, column = np.unravel_index(np.argmin(_cost(inside)), inside.shape)
    return left + STEP * int(column), top + STEP * int(row)


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
