"""The tree of what is open: scenes, their items, and what an item holds."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from cnnvis.scene import NetworkItem, Scene, SceneItem
from cnnvis.viewer.workspace import Workspace

SCENE, ITEM, LAYER = range(3)
ROLE = Qt.ItemDataRole.UserRole


class SceneTree(QWidget):
    """Chooses items; its boxes show and hide them, its buttons and menu put them in order and take them out."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.tree = QTreeWidget()
        self.tree.setColumnCount(2)
        self.tree.setHeaderLabels(["Shown", "Kind"])
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.tree.header().setStretchLastSection(False)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.tree.setAccessibleName("Scene")
        self.tree.setToolTip("What is in the scene. Boxes show and hide; Properties has more of the chosen item.")
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.tree.customContextMenuRequested.connect(self._show_menu)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.addWidget(self.tree)
        buttons = QHBoxLayout()
        for text, tip, call in (
            ("Up", "Move the item up: the first is named first in titles and keys.", partial(self._move, -1)),
            ("Down", "Move the item down.", partial(self._move, 1)),
            ("Remove", "Take the item out of the scene; undo brings it back.", self._remove),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.clicked.connect(call)
            buttons.addWidget(button)
        layout.addLayout(buttons)
        self._shown: object = None
        workspace.edited.connect(self._update)
        workspace.target_changed.connect(self._update)
        workspace.item_changed.connect(self._mark)
        workspace.scene_changed.connect(self._mark)
        self.tree.itemChanged.connect(self._checked)
        self.tree.currentItemChanged.connect(self._chosen)
        self._update()

    # -- what is in it ---------------------------------------------------------------------------

    def _update(self) -> None:
        """Build the rows anew where there are others, and bring their boxes up to date."""
        rows = tuple(
            (id(scene), tuple((item.name, item.kind, layers_of(item)) for item in scene))
            for scene in self.workspace.scenes
        )
        with QSignalBlocker(self.tree):
            if rows != self._shown:
                self._shown = rows
                self._build()
            for row in self._rows():
                self._show_state(row)
        self._mark()

    def _build(self) -> None:
        self.tree.clear()
        several = len(self.workspace.scenes) > 1
        for index, scene in enumerate(self.workspace.scenes):
            parent: QTreeWidget | QTreeWidgetItem = self.tree
            if several:
                row = self._row(self.tree, scene.title or f"scene {index + 1}", "scene", (SCENE, index, "", ""))
                row.setExpanded(True)
                parent = row
            for item in scene:
                row = self._row(parent, item.name, item.kind, (ITEM, index, item.name, ""))
                for layer in layers_of(item):
                    self._row(row, layer, "layer", (LAYER, index, item.name, layer))
                row.setExpanded(len(layers_of(item)) <= 12)

    @staticmethod
    def _row(
        parent: QTreeWidget | QTreeWidgetItem, text: str, kind: str, what: tuple[int, int, str, str]
    ) -> QTreeWidgetItem:
        row = QTreeWidgetItem(parent, [text, kind])
        row.setData(0, ROLE, what)
        row.setToolTip(0, text)
        if what[0] != SCENE:
            row.setFlags(row.flags() | Qt.ItemFlag.ItemIsUserCheckable)
        return row

    def _rows(self, parent: QTreeWidgetItem | None = None) -> list[QTreeWidgetItem]:
        parent = self.tree.invisibleRootItem() if parent is None else parent
        children = [parent.child(index) for index in range(parent.childCount())]
        return [row for child in children for row in (child, *self._rows(child))]

    def _show_state(self, row: QTreeWidgetItem) -> None:
        kind, _, _, layer = row.data(0, ROLE)
        if kind == SCENE:
            return
        item = self._item_of(row)
        shown = layer not in item.hidden_layers if isinstance(item, NetworkItem) and kind == LAYER else item.visible
        row.setCheckState(0, Qt.CheckState.Checked if shown else Qt.CheckState.Unchecked)

    def _scene_of(self, row: QTreeWidgetItem) -> Scene:
        return self.workspace.scenes[row.data(0, ROLE)[1]]

    def _item_of(self, row: QTreeWidgetItem) -> SceneItem:
        return self._scene_of(row)[row.data(0, ROLE)[2]]

    # -- what is chosen --------------------------------------------------------------------------

    def _mark(self) -> None:
        """Show which item is chosen."""
        item, scene = self.workspace.item, self.workspace.scene
        if item is None:
            return
        index = next(number for number, each in enumerate(self.workspace.scenes) if each is scene)
        current = self.tree.currentItem()
        if current is not None and current.data(0, ROLE)[1:3] == (index, item.name):
            return
        with QSignalBlocker(self.tree):
            for row in self._rows():
                if row.data(0, ROLE) == (ITEM, index, item.name, ""):
                    self.tree.setCurrentItem(row)

    def _chosen(self, row: QTreeWidgetItem | None, _: object) -> None:
        if row is None:
            return
        self.workspace.activate(self._scene_of(row))
        if row.data(0, ROLE)[0] != SCENE:
            self.workspace.item = self._item_of(row)

    def _checked(self, row: QTreeWidgetItem, _: int) -> None:
        kind, _, _, layer = row.data(0, ROLE)
        shown = row.checkState(0) == Qt.CheckState.Checked
        item = self._item_of(row)
        if kind == ITEM:
            item.visible = shown
        elif isinstance(item, NetworkItem):
            hidden = [name for name in item.hidden_layers if name != layer]
            item.hidden_layers = tuple(hidden if shown else [*hidden, layer])

    # -- order -----------------------------------------------------------------------------------

    def _move(self, step: int) -> None:
        item, scene = self.workspace.item, self.workspace.scene
        if item is None:
            return
        names = [each.name for each in scene]
        old = names.index(item.name)
        names.insert(min(max(old + step, 0), len(names) - 1), names.pop(old))
        self.workspace.history.commit()
        scene.arrange(names)
        self.workspace.history.commit()

    def _remove(self) -> None:
        if self.workspace.item is not None:
            self.workspace.history.commit()
            self.workspace.scene.remove(self.workspace.item.name)
            self.workspace.history.commit()

    def _show_menu(self, at: object) -> None:
        row = self.tree.itemAt(at)
        if row is None or row.data(0, ROLE)[0] == SCENE:
            return
        self.tree.setCurrentItem(row)
        menu = QMenu(self)
        menu.addAction("Show only this", partial(self._show_only, row))
        menu.addAction("Show all", self._show_all)
        menu.addSeparator()
        menu.addAction("Remove", self._remove)
        menu.exec_(self.tree.viewport().mapToGlobal(at))

    def _show_only(self, row: QTreeWidgetItem) -> None:
        chosen = self._item_of(row)
        for item in self._scene_of(row):
            item.visible = item is chosen

    def _show_all(self) -> None:
        for item in self.workspace.scene:
            item.visible = True
            if isinstance(item, NetworkItem):
                item.hidden_layers = ()


def layers_of(item: SceneItem) -> tuple[str, ...]:
    """Return the layers of a drawn network that can be shown and hidden one by one."""
    return item.layers if isinstance(item, NetworkItem) else ()
