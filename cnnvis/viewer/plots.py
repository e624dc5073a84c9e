"""What plots of the window share: nothing kept of what pyqtgraph asks Qt for, and the colours of the window."""

from __future__ import annotations

import pyqtgraph as pg
from qtpy.QtCore import QEvent
from qtpy.QtGui import QColor, QPalette
from qtpy.QtWidgets import QFrame, QWidget

from cnnvis.viewer.qt_parts import let_go


class WindowPlot(pg.PlotWidget):
    """A plot without menus, in the window's colours.

    Parameters
    ----------
    name, tip : str
        For people.
    """

    def __init__(self, name: str, tip: str) -> None:
        super().__init__(enableMenu=False)
        let_go(self.viewport())  # pyqtgraph has asked for it, and for menus
        self.setViewport(QWidget())
        for action in self.plotItem.ctrlMenu.actions():
            let_go(action.menu())
        self.setAccessibleName(name)
        self.setToolTip(tip)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self._is_made = False

    def made(self) -> None:
        """Paint for the first time, once all parts are there."""
        self._is_made = True
        self._paint_palette()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - overrides Qt's
        """Follow the palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and getattr(self, "_is_made", False):
            self._paint_palette()

    def _paint_palette(self) -> None:
        palette = self.palette()
        text = palette.color(QPalette.ColorRole.Text)
        self.setBackground(palette.color(QPalette.ColorRole.Base))
        for name in ("left", "bottom"):
            axis = self.plotItem.getAxis(name)
            axis.setPen(text)
            axis.setTextPen(text)
            axis.setTickFont(self.font())
        quiet = QColor(text)
        quiet.setAlpha(90)
        self.paint(text, quiet)

    def paint(self, text: QColor, quiet: QColor) -> None:
        """Paint what is drawn: in the colour of letters, or in one that steps back."""
        raise NotImplementedError
