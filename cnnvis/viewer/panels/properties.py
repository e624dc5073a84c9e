"""The properties of the chosen item: what every item has, then the panel of its kind."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from cnnvis.scene import SceneItem
from cnnvis.viewer.fields import CheckField, NumberField, add_row, bind
from cnnvis.viewer.panels import panel_of
from cnnvis.viewer.panels.column_area import ColumnArea
from cnnvis.viewer.workspace import Workspace


class PropertiesPanel(ColumnArea):
    """Shows and changes the chosen item of the workspace."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self._item: SceneItem | None = None
        workspace.item_changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        item = self.workspace.item
        if item is not None and item is self._item:
            return
        self._item = item
        old = self.takeWidget()
        if old is not None:
            old.deleteLater()
        self.setWidget(self._nothing() if item is None else self._properties(item))

    def _nothing(self) -> QWidget:
        label = QLabel("Nothing is chosen.\nOpen something, and choose it in the tree.")
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        return label

    def _properties(self, item: SceneItem) -> QWidget:
        widget = QWidget()
        layout = QVBoxLayout(widget)
        title = QLabel(f"<b>{item.name}</b> ({item.kind})")
        title.setTextFormat(Qt.TextFormat.RichText)
        title.setWordWrap(True)
        layout.addWidget(title)
        form = QFormLayout()
        layout.addLayout(form)
        visible = CheckField("shown", tooltip="Whether the item is drawn.")
        add_row(form, "V&isible", bind(visible, item, "visible"))
        opacity = NumberField(0, 1, 1, tooltip="Multiplies the opacity of all of the item.")
        add_row(form, "O&pacity", bind(opacity, item, "opacity"))
        layout.addWidget(panel_of(self.workspace, item))
        layout.addStretch(1)
        return widget
