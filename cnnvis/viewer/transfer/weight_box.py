"""The second axis of a transfer function: how much of a channel is seen, by its importance."""

from __future__ import annotations

import numpy as np
from qtpy.QtWidgets import QGroupBox, QLabel, QVBoxLayout

from cnnvis.scene import Drive, TransferFunction, VolumeItem
from cnnvis.viewer.fields import listen
from cnnvis.viewer.transfer.curve_plot import CurvePlot
from cnnvis.viewer.transfer.point_row import HeightRow

BINS = 40


class WeightBox(QGroupBox):
    """The curve from importance to opacity factor, over the importance of the channels.

    Ticked where importance drives the opacity of the item.

    Parameters
    ----------
    item : VolumeItem

    Attributes
    ----------
    plot : CurvePlot
        Its grip tells of changes; importance is relative to the largest.
    """

    def __init__(self, item: VolumeItem) -> None:
        super().__init__("Importance drives the opacity")
        self.item = item
        self.setCheckable(True)
        self.plot = CurvePlot("Opacity factor by importance, over the channels", "factor", height=120)
        self.row = HeightRow(self.plot.grip, "Importance", "Factor")
        self.told = QLabel()
        self.told.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        for part in (self.plot, self.row, self.told):
            layout.addWidget(part)
        self.clicked.connect(self._switch)
        listen(self, item.events.drive, type(self)._show_drive)
        listen(self, item.data_changed, type(self)._show_weights)
        self.plot.show_ticks(["0", "", "half", "", "max"])
        self._show_weights()
        self._show_drive()

    def _switch(self, on: bool) -> None:
        self.item.drive = Drive.IMPORTANCE if on else Drive.NONE

    def show_transfer(self, transfer: TransferFunction) -> None:
        """Show the curve of a transfer function, and what it does to the channels."""
        self.plot.show_curve(transfer.weight)
        self.row.show_point()
        self._tell(transfer)

    def _show_drive(self, *_: object) -> None:
        self.setChecked(self.item.drive is Drive.IMPORTANCE)

    def _show_weights(self, *_: object) -> None:
        weights = self.item.data.weights
        self.setEnabled(weights is not None)
        if weights is None:
            self.setToolTip("This item has no importance of its channels.")
        else:
            self.setToolTip("The opacity of each channel is multiplied by the curve at its importance.")
            places = weights / (weights.max() or 1.0)
            self.plot.show_bars(np.histogram(places, BINS, (0.0, 1.0))[0])
            self.plot.show_rug(places)
        self._tell(self.item.transfer)

    def _tell(self, transfer: TransferFunction) -> None:
        weights = self.item.data.weights
        if weights is None:
            self.told.setText("This item has no importance of its channels.")
            return
        factors = transfer.weight_at(weights)
        self.told.setText(f"{np.count_nonzero(factors):,} of {len(factors):,} channels are seen.")
