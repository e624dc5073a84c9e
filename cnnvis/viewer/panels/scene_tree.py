"""The tree of what is open: scenes, their items, and what an item holds."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtGui import QAction
from qtpy.QtWidgets import (
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
from cnnvis.viewer.panels.item_tree import ITEM, LAYER, NAME, OPACITY, ROLE, SCENE, ItemTree
from cnnvis.viewer.qt_parts import let_go
from cnnvis.viewer.workspace import Workspace


class SceneTree(QWidget):
    """Chooses items, shows and hides them, makes them fainter, puts them in order, and takes them out."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.tree = ItemTree()
        header = self.tree.header()
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(OPACITY, QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(False)
        self.tree.setAccessibleName("Scene")
        self.tree.setToolTip("Boxes show and hide, bars make fainter; drag an item to put it elsewhere in the order.")
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
        self.tree.itemChanged.connect(self._changed)
        self.tree.slid.connect(self._slide)
        self.tree.let_go.connect(workspace.history.commit)
        self.tree.arranged.connect(self._place)
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
                row = self.tree.row(self.tree, scene.title or f"scene {index + 1}", "scene", (SCENE, index, "", ""))
                row.setExpanded(True)
                parent = row
            for item in scene:
                row = self.tree.row(parent, item.name, item.kind, (ITEM, index, item.name, ""))
                for layer in layers_of(item):
                    self.tree.row(row, layer, "layer", (LAYER, index, item.name, layer))
                row.setExpanded(len(layers_of(item)) <= 12)

    def _rows(self, parent: QTreeWidgetItem | None = None) -> list[QTreeWidgetItem]:
        parent = self.tree.invisibleRootItem() if parent is None else parent
        children = [parent.child(index) for index in range(parent.childCount())]
        return [row for child in children for row in (child, *self._rows(child))]

    def _show_state(self, row: QTreeWidgetItem) -> None:
        kind, _, _, layer = row.data(NAME, ROLE)
        if kind == SCENE:
            return
        item = self._item_of(row)
        shown = layer not in item.hidden_layers if isinstance(item, NetworkItem) and kind == LAYER else item.visible
        row.setCheckState(NAME, Qt.CheckState.Checked if shown else Qt.CheckState.Unchecked)
        if kind == ITEM:
            row.setData(OPACITY, Qt.ItemDataRole.DisplayRole, item.opacity)

    def _scene_of(self, row: QTreeWidgetItem) -> Scene:
        return self.workspace.scenes[row.data(NAME, ROLE)[1]]

    def _item_of(self, row: QTreeWidgetItem) -> SceneItem:
        return self._scene_of(row)[row.data(NAME, ROLE)[2]]

    # -- what is chosen --------------------------------------------------------------------------

    def _mark(self) -> None:
        """Show which item is chosen."""
        item, scene = self.workspace.item, self.workspace.scene
        if item is None:
            return
        index = next(number for number, each in enumerate(self.workspace.scenes) if each is scene)
        current = self.tree.currentItem()
        if current is not None and current.data(NAME, ROLE)[1:3] == (index, item.name):
            return
        with QSignalBlocker(self.tree):
            for row in self._rows():
                if row.data(NAME, ROLE) == (ITEM, index, item.name, ""):
                    self.tree.setCurrentItem(row)

    def _chosen(self, row: QTreeWidgetItem | None, _: object) -> None:
        if row is None:
            return
        self.workspace.activate(self._scene_of(row))
        if row.data(NAME, ROLE)[0] != SCENE:
            self.workspace.item = self._item_of(row)

    def _changed(self, row: QTreeWidgetItem, column: int) -> None:
        """Take what a box or a typed number says."""
        kind, _, _, layer = row.data(NAME, ROLE)
        shown = row.checkState(NAME) == Qt.CheckState.Checked
        item = self._item_of(row)
        if column == OPACITY:
            item.opacity = row.data(OPACITY, Qt.ItemDataRole.DisplayRole)
        elif kind == ITEM:
            item.visible = shown
        elif isinstance(item, NetworkItem):
            hidden = [name for name in item.hidden_layers if name != layer]
            item.hidden_layers = tuple(hidden if shown else [*hidden, layer])

    def _slide(self, row: QTreeWidgetItem, opacity: float) -> None:
        """Follow a bar; until it is let go, all of it is one step of undo."""
        self._item_of(row).opacity = opacity
        self.workspace.history.wait()

    # -- order -----------------------------------------------------------------------------------

    def _move(self, step: int) -> None:
        item, scene = self.workspace.item, self.workspace.scene
        if item is not None:
            names = [each.name for each in scene]
            self._arrange(scene, item.name, min(max(names.index(item.name) + step, 0), len(names) - 1))

    def _place(self, row: QTreeWidgetItem, place: int) -> None:
        self._arrange(self._scene_of(row), self._item_of(row).name, place)

    def _arrange(self, scene: Scene, name: str, place: int) -> None:
        """Let an item be the one of a number; one step of undo."""
        names = [each.name for each in scene if each.name != name]
        names.insert(place, name)
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
        if row is None or row.data(NAME, ROLE)[0] == SCENE:
            return
        self.tree.setCurrentItem(row)
        menu = QMenu(self)
        for text, call in (
            ("Show only this", partial(self._show_only, row)),
            ("Show all", self._show_all),
            ("Remove", self._remove),
        ):
            action = QAction(text, menu)  # made here: see `let_go`
            action.triggered.connect(lambda _, call=call: call())
            menu.addAction(action)
        viewport = self.tree.viewport()
        place = viewport.mapToGlobal(at)
        let_go(viewport)
        menu.exec_(place)

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
