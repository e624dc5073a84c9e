"""A curve of a training: of each step and of each epoch, with a line at the epoch that is shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor, QMouseEvent

from cnnvis.core import RunCheckpoint
from cnnvis.viewer.plots import WindowPlot

HEIGHT = 120
MOST_TICKS = 8
EPOCHS, NOW = QColor("#1a73c8"), QColor("#e8710a")
"""Blue and orange: legible on white and on black, and apart also for the colour-blind."""


class RunCurve(WindowPlot):
    """Loss or accuracy over a training. A click, or a drag, tells of the place: `pointed`, with the step.

    Parameters
    ----------
    name : str
        What is drawn, for people.
    """

    pointed = Signal(float)

    def __init__(self, name: str) -> None:
        super().__init__(name, f"{name}: thin of each step, with dots of each epoch. Click or drag to go to an epoch.")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the slider goes through the epochs by keys
        self.setMinimumHeight(HEIGHT)
        plot = self.plotItem
        plot.hideButtons()
        plot.layout.setContentsMargins(0, 8, 8, 0)  # or the uppermost number is cut
        plot.vb.setMouseEnabled(False, False)
        plot.getAxis("left").setLabel(name)
        plot.getAxis("bottom").setStyle(hideOverlappingLabels=False)  # else the last number is left out
        plot.getAxis("left").enableAutoSIPrefix(False)  # an accuracy of 850 (x0.001) is none
        self._steps = pg.PlotDataItem()
        self._steps.setDownsampling(auto=True, method="mean")
        self._epochs = pg.PlotDataItem(symbol="o", symbolSize=5)
        self._now = pg.InfiniteLine(angle=90)
        for item in (self._steps, self._epochs, self._now):
            plot.addItem(item, **({"ignoreBounds": True} if item is self._now else {}))
        self.made()

    def sizeHint(self) -> QSize:  # noqa: N802 - overrides Qt's
        """As wide as there is room."""
        return QSize(220, HEIGHT)

    def show_values(self, steps: Sequence[NDArray[np.number]], epochs: Sequence[NDArray[np.number]]) -> None:
        """Draw values of steps and of epochs, each as (steps, values), which are left out where they are none."""
        measured = [np.isfinite(values) for _, values in (steps, epochs)]
        for line, (places, values), known in zip((self._steps, self._epochs), (steps, epochs), measured, strict=True):
            line.setData(places[known], values[known])
        self.setVisible(any(known.any() for known in measured))

    def show_axis(self, unit: str, checkpoints: Sequence[RunCheckpoint], last: int) -> None:
        """Write the numbers of some checkpoints under the plot, where they were kept, up to the last step."""
        self.plotItem.setXRange(0, max(last, 1), padding=0.03)
        axis = self.plotItem.getAxis("bottom")
        axis.setLabel(unit)
        chosen = checkpoints[:: max(1, -(-len(checkpoints) // MOST_TICKS))]
        axis.setTicks([[(found.step, str(found.number)) for found in chosen]])

    def mark(self, step: float | None) -> None:
        """Draw the line at a step."""
        self._now.setVisible(step is not None)
        if step is not None:
            self._now.setValue(step)

    # -- the mouse -------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - overrides Qt's
        """Go there."""
        self._point(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Go there, while the button is held."""
        self._point(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Nothing more: pyqtgraph would look for what was clicked."""
        event.accept()

    def _point(self, event: QMouseEvent) -> None:
        event.accept()
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.pointed.emit(self.plotItem.vb.mapSceneToView(self.mapToScene(event.pos())).x())

    def paint(self, text: QColor, quiet: QColor) -> None:
        """Paint steps quietly, epochs and the line in colours."""
        self._steps.setPen(pg.mkPen(quiet, width=1))
        self._epochs.setPen(pg.mkPen(EPOCHS, width=2))
        self._epochs.setSymbolBrush(EPOCHS)
        self._epochs.setSymbolPen(None)
        self._now.setPen(pg.mkPen(NOW, width=2))
