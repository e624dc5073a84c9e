"""The list of all keys, which can be changed there."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from cnnvis.viewer.commands import Commands
from cnnvis.viewer.settings import Settings

NAME_ROLE = Qt.ItemDataRole.UserRole

MOUSE = (
    "Mouse in the view: drag turns, Shift+drag or the middle button moves, the wheel zooms; click selects, Ctrl+click "
    "adds, Ctrl+drag selects a rectangle, a double click looks there."
)


class KeysDialog(QDialog):
    """Shows every command with its keys; a command that is chosen can be given others."""

    def __init__(self, commands: Commands, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.commands, self.settings = commands, settings
        self.setWindowTitle("Keys")
        self.resize(620, 640)
        self.list = QTreeWidget()
        self.list.setColumnCount(3)
        self.list.setHeaderLabels(["Command", "Keys", "What it does"])
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.list.setAccessibleName("Commands and keys")
        self.list.currentItemChanged.connect(self._choose)
        self.edit = QKeySequenceEdit()
        self.edit.setAccessibleName("New keys")
        self.assign = QPushButton("Assign")
        self.assign.setToolTip("Give the chosen command the keys at the left.")
        self.assign.clicked.connect(self._assign)
        self.reset = QPushButton("As it was")
        self.reset.setToolTip("Give the chosen command back the keys it comes with.")
        self.reset.clicked.connect(self._reset)
        self.said = QLabel()
        self.said.setWordWrap(True)
        row = QHBoxLayout()
        for widget in (QLabel("New keys:"), self.edit, self.assign, self.reset):
            row.addWidget(widget)
        mouse = QLabel(MOUSE)
        mouse.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        for part in (self.list, mouse, self.said, buttons):
            layout.addWidget(part)
        layout.insertLayout(1, row)
        self._fill()

    def _fill(self) -> None:
        self.list.clear()
        for title, menu in self.commands.menus.items():
            group = QTreeWidgetItem(self.list, [title.replace("&", "")])
            group.setExpanded(True)
            for command in menu:
                if command is not None:
                    row = QTreeWidgetItem(group, [command.plain_text, self.commands.keys(command.name), command.tip])
                    row.setData(0, NAME_ROLE, command.name)
        self._choose(None)

    def _chosen(self) -> str | None:
        row = self.list.currentItem()
        return None if row is None else row.data(0, NAME_ROLE)

    def _choose(self, *_: object) -> None:
        name = self._chosen()
        for widget in (self.edit, self.assign, self.reset):
            widget.setEnabled(name is not None)
        if name is not None:
            self.edit.setKeySequence(QKeySequence(self.commands.keys(name).split("; ")[0]))

    def _assign(self) -> None:
        name = self._chosen()
        keys = self.edit.keySequence().toString(QKeySequence.SequenceFormat.PortableText)
        other = self.commands.with_keys(keys)
        if other is not None and other != name:
            self.said.setText(f"{keys} belongs to “{self.commands.commands[other].plain_text}” already.")
            return
        self._give(name, keys)

    def _reset(self) -> None:
        name = self._chosen()
        self._give(name, self.commands.commands[name].keys)

    def _give(self, name: str, keys: str) -> None:
        self.commands.set_keys(name, keys)
        chosen = {name: self.commands.keys(name) for name in self.commands.commands}
        defaults = {name: command.keys for name, command in self.commands.commands.items()}
        self.settings.keys = {name: keys for name, keys in chosen.items() if keys != defaults[name]}
        self.list.currentItem().setText(1, self.commands.keys(name))
        self.said.setText(f"“{self.commands.commands[name].plain_text}”: {self.commands.keys(name) or 'no keys'}.")
