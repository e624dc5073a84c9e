"""The transfer function of the chosen item; the editor is made when it is first seen."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from cnnvis.scene import ValueItem
from cnnvis.viewer.panels.column_area import ColumnArea
from cnnvis.viewer.workspace import Workspace


class TransferDock(ColumnArea):
    """Shows the editor of the chosen item, or of the first whose colours stand for values.

    Nothing is made before `set_seen`: to import what the editor plots with takes 0.2 s, to count the values of a large
    volume 0.1 s. Qt calls a dock behind others visible; who has the dock knows better.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self._item: ValueItem | None = None
        self._seen = False
        workspace.item_changed.connect(self._show)
        workspace.target_changed.connect(self._show)

    def set_seen(self, seen: bool) -> None:
        """Say whether anybody looks; the editor follows the chosen item only then."""
        self._seen = seen
        self._show()

    @property
    def wanted(self) -> ValueItem | None:
        """The item whose editor is shown."""
        if isinstance(self.workspace.item, ValueItem):
            return self.workspace.item
        return next((item for item in self.workspace.scene if isinstance(item, ValueItem)), None)

    def _show(self) -> None:
        item = self.wanted
        if item is not self._item:
            self._drop()  # also where nobody looks: it would keep the data of what was closed
        self._item = item
        if not self._seen or self.widget() is not None:
            return
        if item is None:
            nothing = QLabel("Volumes and matrices have a transfer function;\nthere is none here.")
            nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self.setWidget(nothing)
            return
        from cnnvis.viewer.transfer_editor import TransferEditor

        self.setWidget(TransferEditor(self.workspace, item))

    def _drop(self) -> None:
        old = self.takeWidget()
        if old is not None:
            old.deleteLater()
