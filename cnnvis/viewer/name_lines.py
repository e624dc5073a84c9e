"""Lines for names and files in dialogs: typed, chosen from what is known, or browsed for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qtpy.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLineEdit, QPushButton, QWidget

from cnnvis.viewer.fields import add_row, leave_wheel


def name_line(choices: Sequence[str], tip: str) -> QComboBox:
    """Return a line to type in, or to choose in from what is known; "" at first where nothing is."""
    line = QComboBox()
    line.setEditable(True)
    line.addItems(list(choices))
    line.setToolTip(tip)
    line.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    leave_wheel(line)
    return line


def add_browsed(
    form: QFormLayout, text: str, line: QComboBox | QLineEdit, *, tip: str, browse: Callable[[], None]
) -> None:
    """Add a line with a button behind it that chooses a file or folder for it; `tip` is that of the button."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    button = QPushButton("…")
    button.setFixedWidth(32)
    button.setToolTip(tip)
    button.setAccessibleName(f"Choose a file: {text.replace('&', '')}")
    button.setAutoDefault(False)
    button.clicked.connect(lambda _: browse())
    layout.addWidget(line, 1)
    layout.addWidget(button)
    row.setFocusProxy(line)
    row.setToolTip(line.toolTip())
    add_row(form, text, row)
    line.setAccessibleName(text.replace("&", ""))
