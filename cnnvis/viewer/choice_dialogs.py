"""Dialogs in which something is chosen from a list: panes to compare, links between them, a layer to go to."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)


def is_accepted(dialog: QDialog) -> bool:
    """Show a dialog until it is answered, and let it go: what it holds can be read until the next event."""
    try:
        return bool(dialog.exec_())
    finally:
        dialog.deleteLater()


class ChooseSeveral(QDialog):
    """Asks for some of several things.

    Parameters
    ----------
    title, text : str
    choices : sequence of str
    chosen : collection of str
        On from the start.
    at_least, at_most : int
        How many may be chosen.
    """

    def __init__(
        self,
        title: str,
        text: str,
        choices: Sequence[str],
        chosen: Sequence[str] = (),
        *,
        at_least: int = 0,
        at_most: int = 99,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self._bounds = (at_least, at_most)
        self.list = QListWidget()
        self.list.setAccessibleName(text)
        for choice in choices:
            row = QListWidgetItem(choice, self.list)
            row.setFlags(row.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            row.setCheckState(Qt.CheckState.Checked if choice in chosen else Qt.CheckState.Unchecked)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for part in (QLabel(text), self.list, self.buttons):
            layout.addWidget(part)
        self.list.itemChanged.connect(self._check)
        self._check()

    @property
    def chosen(self) -> list[int]:
        """Numbers of what is chosen."""
        rows = range(self.list.count())
        return [index for index in rows if self.list.item(index).checkState() == Qt.CheckState.Checked]

    def _check(self, *_: object) -> None:
        low, high = self._bounds
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(low <= len(self.chosen) <= high)


class FindOne(QDialog):
    """Asks for one of many by a part of its name.

    Parameters
    ----------
    title : str
    choices : sequence of str
    """

    def __init__(self, title: str, choices: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.resize(360, 420)
        self.text = QLineEdit()
        self.text.setPlaceholderText("A part of the name")
        self.text.setClearButtonEnabled(True)
        self.text.textChanged.connect(self._filter)
        self.list = QListWidget()
        self.list.setAccessibleName(title)
        self.list.addItems(list(choices))
        self.list.itemActivated.connect(lambda _: self.accept())
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for part in (self.text, self.list, self.buttons):
            layout.addWidget(part)
        self._filter("")

    @property
    def chosen(self) -> int | None:
        """Number of what is chosen; None where nothing fits."""
        row = self.list.currentRow()
        return None if row < 0 or self.list.item(row).isHidden() else row

    def _filter(self, text: str) -> None:
        rows = [self.list.item(index) for index in range(self.list.count())]
        for row in rows:
            row.setHidden(text.lower() not in row.text().lower())
        self.list.setCurrentItem(next((row for row in rows if not row.isHidden()), None))
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(self.chosen is not None)
