"""Colour maps, each with a swatch of it."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QSize, Signal
from qtpy.QtGui import QIcon, QImage, QPixmap
from qtpy.QtWidgets import QHBoxLayout, QWidget

from cnnvis.scene import TransferFunction
from cnnvis.scene.transfer import colour_table
from cnnvis.viewer.fields import CheckField, ChoiceField

EVEN = ("viridis", "cividis", "inferno", "magma", "plasma")
"""Of even steps, also for the colour-blind and in grey."""

DIVERGING = ("RdBu", "PuOr", "BrBG", "PRGn", "coolwarm")
"""Pale in the middle, two hues that the colour-blind tell apart."""

OTHERS = ("gray", "bone", "YlGnBu", "YlOrRd", "cubehelix", "twilight", "turbo")

SWATCH = QSize(64, 14)

OWN = "own"


class MapChooser(QWidget):
    """Chooses a named colour map, and which end is first.

    Notes
    -----
    `changed` is emitted with the name, "_r" at its end where it is inverted; `inverted` where points of one's own are
    to be turned round.
    """

    changed = Signal(str)
    inverted = Signal()

    def __init__(self) -> None:
        super().__init__()
        tip = "Colour map: even steps first, then both signs, then others. All but the last two tell values apart also "
        self.maps = ChoiceField(tooltip=f"{tip}for the colour-blind.")
        self.maps.setAccessibleName("Colour map")
        self.maps.setIconSize(SWATCH)
        self.maps.setMinimumContentsLength(8)
        for group in (EVEN, DIVERGING, OTHERS):
            for name in group:
                self._add(name)
            self.maps.insertSeparator(self.maps.count())
        self.invert = CheckField("Invert", tooltip="The colours in the other direction.")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.maps, 1)
        layout.addWidget(self.invert)
        self.setFocusProxy(self.maps)
        self.maps.changed.connect(self._choose)
        self.invert.changed.connect(self._invert)
        self._own = False

    def _add(self, name: str) -> None:
        self.maps.addItem(QIcon(_swatch(colour_table(name, 64))), name, name)

    def show_transfer(self, transfer: TransferFunction) -> None:
        """Show the map of a transfer function, also one that is not in the list."""
        self._own = bool(transfer.colour_points)
        name = transfer.colour_map.removesuffix("_r")
        shown = OWN if self._own else name
        if self.maps.findData(OWN) >= 0:
            self.maps.removeItem(self.maps.findData(OWN))
        if self._own:
            table = transfer.colours(np.linspace(0, 1, 64))
            self.maps.addItem(QIcon(_swatch(table)), "own points", OWN)
        elif self.maps.findData(name) < 0:
            self._add(name)
        self.maps.set_value(shown)
        self.invert.set_value(not self._own and transfer.colour_map.endswith("_r"))

    def _choose(self, name: str) -> None:
        if name != OWN:
            self.changed.emit(name + ("_r" if self.invert.value else ""))

    def _invert(self, _: bool) -> None:
        if self._own:
            self.invert.set_value(False)  # turned round once: nothing that stays on
            self.inverted.emit()
        else:
            self._choose(self.maps.value)


def _swatch(table: np.ndarray) -> QPixmap:
    row = np.ascontiguousarray(np.round(255 * table), np.uint8)
    image = QImage(row.tobytes(), len(row), 1, 3 * len(row), QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image.scaled(SWATCH))
