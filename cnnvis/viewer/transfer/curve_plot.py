"""A curve over a histogram, its points moved by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import ArrayLike, NDArray
from qtpy.QtCore import QPointF, QSize
from qtpy.QtGui import QColor, QPalette
from qtpy.QtWidgets import QWidget

from cnnvis.scene.transfer import Curve
from cnnvis.viewer.plots import WindowPlot
from cnnvis.viewer.transfer.grip import HELP, Grip, Spot
from cnnvis.viewer.transfer.points import Point

AXIS_WIDTH = 44
"""Pixels left of the plot; what is drawn under it starts at the same place."""

EDGE = 0.06
"""Room on both sides of the curve, as a share of it: for points at its ends, and for what is clipped."""

HEADROOM = 0.08

CURVE, CLIPPED = QColor("#e8710a"), QColor("#c2185b")
"""Orange and crimson: legible on white and on black, and apart from grey bars also for the colour-blind."""

POINT_SIZE = 11


class CurvePlot(WindowPlot):
    """A piecewise-linear curve from [0, 1] to [0, 1], with bars behind it.

    Parameters
    ----------
    name : str
        What the curve is, for screen readers and tooltips.
    ordinate : str
        What its height is.
    height : int, pixels

    Attributes
    ----------
    grip : Grip
        Tells of changes by hand.
    folded : bool
        The curve runs over the distance from the middle, to both sides: it is drawn twice, and its points are held on
        either side.
    """

    def __init__(self, name: str, ordinate: str, *, height: int = 160) -> None:
        super().__init__(name, f"{name}.\n{HELP}")
        self.setMinimumWidth(200)
        self.setFixedHeight(height)
        self.folded = False
        self._setup_axes(ordinate)
        self._bars = pg.BarGraphItem(x=[], height=[], width=0)
        self._clipped = pg.BarGraphItem(x=[], height=[], width=0)
        self._rug = pg.PlotDataItem(connect="pairs")
        self._line = pg.PlotDataItem()
        self._marks = pg.ScatterPlotItem(size=POINT_SIZE)
        for item in (self._bars, self._clipped, self._rug, self._line, self._marks):
            self.plotItem.addItem(item)
        self.grip = Grip(self, self.viewport(), self.spots, self._point_at, upright=True)
        self.grip.edited.connect(lambda _: self._draw())
        self.grip.chosen.connect(lambda _: self._draw())
        self.made()

    def _setup_axes(self, ordinate: str) -> None:
        plot = self.plotItem
        plot.hideButtons()
        plot.vb.setMouseEnabled(False, False)
        plot.vb.setDefaultPadding(0)
        plot.setRange(xRange=(-EDGE, 1 + EDGE), yRange=(-HEADROOM, 1 + HEADROOM), padding=0)
        plot.disableAutoRange()
        left = plot.getAxis("left")
        left.setWidth(AXIS_WIDTH)
        left.setLabel(ordinate)
        left.setTicks([[(0, "0"), (0.5, "0.5"), (1, "1")]])
        plot.getAxis("bottom").setHeight(22)
        plot.getAxis("bottom").setStyle(hideOverlappingLabels=False)  # else the first and the last are left out

    def sizeHint(self) -> QSize:  # noqa: N802 - overrides Qt's
        """As wide as there is room."""
        return self.minimumSize()

    # -- what is shown ---------------------------------------------------------------------------

    def show_curve(self, curve: Curve, *, folded: bool = False) -> None:
        """Show a curve that was changed elsewhere."""
        self.folded = folded
        self.grip.show(curve)
        self._draw()

    def show_ticks(self, texts: Sequence[str]) -> None:
        """Write texts under the plot, spread evenly from 0 to 1."""
        places = np.linspace(0, 1, len(texts))
        self.plotItem.getAxis("bottom").setTicks([list(zip(places, texts, strict=True))])

    def show_bars(self, counts: ArrayLike, outside: tuple[float, float] = (0, 0), *, log: bool = False) -> None:
        """Show counts over bins of equal width from 0 to 1, relative to the largest of them.

        Parameters
        ----------
        counts : (N,) array_like
        outside : (below, above)
            Counts beyond both ends, as bars of another colour.
        log : bool
            Heights rise with the logarithm of the counts.
        """
        inside = np.asarray(counts, float)
        heights = np.concatenate([inside, outside])
        heights = np.log1p(heights) if log else heights
        # What is clipped may be most of all; it is cut off rather than making the others flat.
        top = heights[: len(inside)].max(initial=0.0) or heights.max(initial=0.0) or 1.0
        heights = np.minimum(heights / top, 1.0)
        middles = (np.arange(len(inside)) + 0.5) / max(len(inside), 1)
        self._bars.setOpts(x=middles, height=heights[: len(inside)], width=1 / max(len(inside), 1))
        ends = np.array([-EDGE / 2, 1 + EDGE / 2])
        self._clipped.setOpts(x=ends, height=heights[len(inside) :], width=0.6 * EDGE)

    def show_rug(self, places: NDArray[np.floating]) -> None:
        """Show a short line at each of some places in [0, 1]."""
        x = np.repeat(places, 2)
        self._rug.setData(x, np.tile([-HEADROOM, -0.01], len(places)))

    def _draw(self) -> None:
        points = self.grip.points
        if not points:
            return
        along, heights = np.array(points, float).T
        if self.folded:
            self._line.setData(
                np.concatenate([0.5 - along[::-1] / 2, 0.5 + along / 2]), np.concatenate([heights[::-1], heights])
            )
        else:
            self._line.setData(np.concatenate([[-EDGE], along, [1 + EDGE]]), heights[[0, *range(len(heights)), -1]])
        spots = [(index, x, y) for index, point in enumerate(points) for x, y in self._places(point)]
        chosen = [index == self.grip.index for index, _, _ in spots]
        text = self.palette().color(QPalette.ColorRole.Text)
        base = self.palette().color(QPalette.ColorRole.Base)
        self._marks.setData(
            x=[x for _, x, _ in spots],
            y=[y for _, _, y in spots],
            brush=[pg.mkBrush(CURVE if is_chosen else base) for is_chosen in chosen],
            pen=[pg.mkPen(text if is_chosen else CURVE, width=2) for is_chosen in chosen],
        )

    # -- places ----------------------------------------------------------------------------------

    def _places(self, point: Point) -> list[tuple[float, float]]:
        """Return where a point is drawn, in the plot's coordinates."""
        position, height = point
        if not self.folded:
            return [(position, height)]
        return [(0.5 - position / 2, height), (0.5 + position / 2, height)]

    def spots(self) -> list[Spot]:
        """Return where the points are, in pixels of the viewport."""
        return [
            Spot(index, QPointF(self.mapFromScene(self.plotItem.vb.mapViewToScene(QPointF(x, y)))))
            for index, point in enumerate(self.grip.points)
            for x, y in self._places(point)
        ]

    def _point_at(self, at: QPointF) -> Point:
        view = self.plotItem.vb.mapSceneToView(self.mapToScene(at.toPoint()))
        x = abs(2 * view.x() - 1) if self.folded else view.x()
        return min(max(x, 0.0), 1.0), min(max(view.y(), 0.0), 1.0)

    def paint(self, text: QColor, quiet: QColor) -> None:
        """Paint bars quietly, the curve and its points in colours."""
        self._bars.setOpts(brush=quiet, pen=pg.mkPen(None))
        self._clipped.setOpts(brush=CLIPPED, pen=pg.mkPen(None))
        self._rug.setPen(pg.mkPen(text, width=1))
        self._line.setPen(pg.mkPen(CURVE, width=2.5))
        self._draw()


def plot_left(widget: QWidget, place: float) -> float:
    """Return the pixel of a place in [0, 1] in a widget under a plot of the same width."""
    width = widget.width() - AXIS_WIDTH - 1
    return AXIS_WIDTH + (place + EDGE) / (1 + 2 * EDGE) * width


def plot_place(widget: QWidget, pixel: float) -> float:
    """Return the place of a pixel: the inverse of `plot_left`."""
    width = widget.width() - AXIS_WIDTH - 1
    return (pixel - AXIS_WIDTH) / width * (1 + 2 * EDGE) - EDGE
