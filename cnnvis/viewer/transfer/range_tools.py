"""Which values the colours cover, and what that leaves out."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QPushButton, QWidget

from cnnvis.rendering.style import format_values
from cnnvis.scene import Normalisation, TransferFunction
from cnnvis.viewer.fields import CheckField, ChoiceField, add_row
from cnnvis.viewer.transfer.number_edit import NumberEdit
from cnnvis.viewer.transfer.values import ValueCounts

WHOLE = (0.0, 100.0)

TOOLS = (
    ("data", "Data", "From the smallest to the largest value."),
    ("percentiles", "Percentile", "Without the outermost percent of both ends, which saturate."),
    ("visible", "Visible", "From the smallest to the largest value inside clip box and slices."),
    ("custom", "Custom", "Fixed numbers: the range stays when the data change."),
)

NORMALISATIONS = (
    (Normalisation.LINEAR, "as they are"),
    (Normalisation.CBRT, "by cube root"),
    (Normalisation.LOG, "by logarithm"),
)


class RangeTools(QWidget):
    """Range, spread and centre of a transfer function.

    Notes
    -----
    `changed` is emitted with a dict of fields of the transfer function; `visible_asked` where the range of what is
    drawn is wanted.
    """

    changed = Signal(object)
    visible_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._transfer = TransferFunction()
        self._span = (0.0, 1.0)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow(self._buttons())
        add_row(form, "Lo&w, high", self._ends())
        self.told = QLabel()
        self.told.setWordWrap(True)
        self.told.setAccessibleName("What is clipped")
        form.addRow(self.told)
        tip = "How values are spread over the colours: root and logarithm part the small ones."
        self.spread = ChoiceField(NORMALISATIONS, tooltip=tip)
        self.spread.changed.connect(lambda value: self.changed.emit({"normalisation": value}))
        add_row(form, "&Spread", self.spread)
        add_row(form, "&Both sides of", self._centring())

    def _buttons(self) -> QWidget:
        holder = QWidget()
        layout = QHBoxLayout(holder)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        self.buttons: dict[str, QPushButton] = {}
        for name, text, tip in TOOLS:
            button = QPushButton(text)
            button.setToolTip(tip)
            button.setCheckable(name != "visible")
            button.setMinimumWidth(button.fontMetrics().horizontalAdvance(text) + 12)
            layout.addWidget(button)
            self.buttons[name] = button
        self.buttons["data"].clicked.connect(lambda: self.changed.emit({"span": None, "clip": WHOLE}))
        self.buttons["percentiles"].clicked.connect(lambda: self.changed.emit({"span": None, "clip": (1.0, 99.0)}))
        self.buttons["visible"].clicked.connect(self.visible_asked)
        self.buttons["custom"].clicked.connect(lambda: self.changed.emit({"span": self._span}))
        return holder

    def _ends(self) -> QWidget:
        holder = QWidget()
        layout = QHBoxLayout(holder)
        layout.setContentsMargins(0, 0, 0, 0)
        self.low = NumberEdit("Low end of the range", "First end of the range.")
        self.high = NumberEdit("High end of the range", "Second end of the range.")
        self.unit = QLabel()
        for part in (self.low, self.high, self.unit):
            layout.addWidget(part)
        layout.addStretch(1)
        holder.setFocusProxy(self.low)
        holder.setToolTip("Percentiles from 0 to 100, or values of the data.")
        for edit in (self.low, self.high):
            edit.typed.connect(self._type_ends)
        return holder

    def _centring(self) -> QWidget:
        holder = QWidget()
        layout = QHBoxLayout(holder)
        layout.setContentsMargins(0, 0, 0, 0)
        self.signed = CheckField("symmetric", tooltip="The distance from this value, not the value, drives opacity.")
        self.centre = NumberEdit("Centre", "The value in the middle of the colours.")
        layout.addWidget(self.signed)
        layout.addWidget(self.centre)
        layout.addStretch(1)
        holder.setFocusProxy(self.signed)
        holder.setToolTip(self.signed.toolTip())
        self.signed.changed.connect(lambda on: self.changed.emit({"centre": 0.0 if on else None}))
        self.centre.typed.connect(lambda value: self.changed.emit({"centre": value}))
        return holder

    @property
    def way(self) -> str:
        """How the range is found: "custom", "data" or "percentiles"."""
        if self._transfer.span is not None:
            return "custom"
        return "data" if self._transfer.clip == WHOLE else "percentiles"

    def _type_ends(self, _: float) -> None:
        ends = tuple(sorted((self.low.value, self.high.value)))
        if self.way != "percentiles":
            self.changed.emit({"span": ends})
        elif 0 <= ends[0] < ends[1] <= 100:
            self.changed.emit({"clip": ends})
        else:
            self._show_ends()

    # -- what is shown ---------------------------------------------------------------------------

    def show_transfer(self, transfer: TransferFunction) -> None:
        """Show the fields of a transfer function."""
        self._transfer = transfer
        for name, button in self.buttons.items():
            button.setChecked(name == self.way)
            font = button.font()
            font.setBold(name == self.way)  # a pressed button hardly differs in the dark
            button.setFont(font)
        self.spread.set_value(str(transfer.normalisation))
        self.signed.set_value(transfer.centre is not None)
        self.centre.setEnabled(transfer.centre is not None)
        self.centre.show_value(transfer.centre or 0.0)
        self._show_ends()

    def _show_ends(self) -> None:
        percent = self.way == "percentiles"
        ends: tuple[Any, Any] = self._transfer.clip if percent else self._transfer.span or self._span
        self.unit.setText("%" if percent else "")
        for edit, end in zip((self.low, self.high), ends, strict=True):
            edit.show_value(end)

    def show_values(self, counts: ValueCounts, below: int, above: int) -> None:
        """Say which values the colours cover, and how many they do not."""
        self._span = counts.span(self._transfer)
        self._show_ends()
        low, high = format_values(self._span)
        n = max(counts.ordered.size, 1)
        parts = [f"Colours cover {low} to {high}."]
        clipped = [f"{_share(count / n)} {side}" for count, side in ((below, "below"), (above, "above")) if count]
        parts.append(f"Clipped: {', '.join(clipped)}." if clipped else "Nothing is clipped.")
        if counts.n_missing:
            parts.append(f"{counts.n_missing:,} values are missing.")
        self.told.setText(" ".join(parts))


def _share(share: float) -> str:
    """Return a share above 0 as percent that is above 0, too."""
    return "less than 0.1 %" if share < 0.001 else f"{100 * share:.1f} %"
