"""A number of any magnitude, typed."""

from __future__ import annotations

import math

from qtpy.QtCore import QLocale, Qt, Signal
from qtpy.QtGui import QDoubleValidator
from qtpy.QtWidgets import QLineEdit

DIGITS = 5


class NumberEdit(QLineEdit):
    """A line with a number: spin boxes have steps and decimals, which values of unknown size have not.

    Parameters
    ----------
    name : str
        For screen readers.
    tooltip : str
    low, high : float
        What may be typed.
    """

    typed = Signal(float)

    def __init__(self, name: str, tooltip: str, *, low: float = -math.inf, high: float = math.inf) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setToolTip(tooltip)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setMinimumWidth(54)
        self.setMaximumWidth(110)
        validator = QDoubleValidator(low, high, 12, self)
        validator.setLocale(QLocale.c())  # a point, as in files and legends
        self.setValidator(validator)
        self._shown = math.nan
        self.editingFinished.connect(self._finish)

    @property
    def value(self) -> float:
        """The number that is written."""
        return float(self.text()) if self.hasAcceptableInput() else self._shown

    def show_value(self, value: float) -> None:
        """Show a number without telling of it; not while another one is being typed."""
        self._shown = value
        if not (self.hasFocus() and self.isModified()):
            self.setText(f"{value:.{DIGITS}g}")

    def _finish(self) -> None:
        if self.isModified():
            self.setModified(False)
            self.typed.emit(self.value)
