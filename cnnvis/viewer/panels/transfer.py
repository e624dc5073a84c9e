"""The transfer function of the chosen item; the editor is made when it is first seen."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QFrame, QLabel, QScrollArea

from cnnvis.scene import ValueItem
from cnnvis.viewer.workspace import Workspace


class TransferDock(QScrollArea):
    """Shows the editor of the chosen item, or of the first whose colours stand for values."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self._item: ValueItem | None = None
        workspace.item_changed.connect(self._show)
        workspace.target_changed.connect(self._show)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - overrides Qt's
        """Make the editor now: to import what it plots with takes a moment."""
        super().showEvent(event)
        self._show()

    @property
    def wanted(self) -> ValueItem | None:
        """The item whose editor is shown."""
        if isinstance(self.workspace.item, ValueItem):
            return self.workspace.item
        return next((item for item in self.workspace.scene if isinstance(item, ValueItem)), None)

    def _show(self) -> None:
        item = self.wanted
        if not self.isVisible() or (item is self._item and self.widget() is not None):
            return
        self._item = item
        old = self.takeWidget()
        if old is not None:
            old.deleteLater()
        if item is None:
            nothing = QLabel("Volumes and matrices have a transfer function;\nthere is none here.")
            nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self.setWidget(nothing)
            return
        from cnnvis.viewer.transfer_editor import TransferEditor

        self.setWidget(TransferEditor(self.workspace, item))
