"""A tree of items that are dragged into another order, with a bar for the opacity of each."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QAbstractItemModel, QModelIndex, QPoint, QRect, QSize, Qt, QTimer, Signal
from qtpy.QtGui import QColor, QDropEvent, QKeyEvent, QMouseEvent, QPainter, QPalette
from qtpy.QtWidgets import (
    QAbstractItemView,
    QSpinBox,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

SCENE, ITEM, LAYER = range(3)
ROLE = Qt.ItemDataRole.UserRole
"""Of what a row is: (SCENE, ITEM or LAYER; number of the scene; name of the item; name of the layer)."""

What = tuple[int, int, str, str]

NAME, OPACITY = range(2)
"""Columns."""

BAR = QSize(64, 20)
MARGIN = 3


class OpacityDelegate(QStyledItemDelegate):
    """Draws an opacity, 0 to 1, as a bar with its number, and edits it as a number of hundredths."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw the ground of the row, and the bar where there is an opacity."""
        value = index.data()
        style = option.widget.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        if not isinstance(value, float):
            return
        bar, selected = _bar(option.rect), bool(option.state & QStyle.StateFlag.State_Selected)
        text = option.palette.color(QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text)
        full = QColor(text)
        full.setAlpha(70)
        painter.save()
        painter.fillRect(bar.adjusted(0, 0, round(bar.width() * (value - 1)), 0), full)
        painter.setPen(full)
        painter.drawRect(bar.adjusted(0, 0, -1, -1))
        painter.setPen(text)
        painter.drawText(bar, Qt.AlignmentFlag.AlignCenter, f"{value:.0%}")
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:  # noqa: N802 - overrides Qt's
        """Ask for room for the bar."""
        return BAR

    def createEditor(  # noqa: N802
        self, parent: QWidget, option: QStyleOptionViewItem, index: QModelIndex
    ) -> QWidget | None:
        """Return a box for the number, where there is one; the picture follows each of its steps."""
        if not isinstance(index.data(), float):
            return None
        box = QSpinBox(parent)
        box.setRange(0, 100)
        box.setSuffix(" %")
        box.setSingleStep(5)
        box.setAccessibleName("Opacity")
        box.valueChanged.connect(lambda _: self.commitData.emit(box))
        return box

    def setEditorData(self, editor: QWidget, index: QModelIndex) -> None:  # noqa: N802
        """Show the number; not while it is being typed."""
        if round(100 * index.data()) != editor.value():
            editor.blockSignals(True)
            editor.setValue(round(100 * index.data()))
            editor.blockSignals(False)

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: QModelIndex) -> None:  # noqa: N802
        """Take the number."""
        model.setData(index, editor.value() / 100)


class ItemTree(QTreeWidget):
    """The tree itself: what the mouse and F2 do in it.

    Notes
    -----
    Signals: `arranged` (row, place): the row of an item was dropped, to be the one of that number among those of its
    scene; `slid` (row, opacity) while a bar is dragged, `let_go` when it ends. Numbers that are typed are
    `itemChanged`.
    """

    arranged = Signal(object, int)
    slid = Signal(object, float)
    let_go = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setColumnCount(2)
        self.setHeaderLabels(["Shown", "Opacity"])
        self.setItemDelegateForColumn(OPACITY, OpacityDelegate(self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self._sliding: QTreeWidgetItem | None = None

    def row(self, parent: QTreeWidget | QTreeWidgetItem, text: str, kind: str, what: What) -> QTreeWidgetItem:
        """Add a row; what it is the kind of stands in its tooltip."""
        row = QTreeWidgetItem(parent, [text])
        row.setData(NAME, ROLE, what)
        row.setToolTip(NAME, f"{text} ({kind})")
        flags = row.flags() & ~Qt.ItemFlag.ItemIsDragEnabled
        if what[0] != SCENE:  # items are dropped between items, not on them
            flags = (flags | Qt.ItemFlag.ItemIsUserCheckable) & ~Qt.ItemFlag.ItemIsDropEnabled
        if what[0] == ITEM:
            flags |= Qt.ItemFlag.ItemIsDragEnabled | Qt.ItemFlag.ItemIsEditable
            row.setToolTip(OPACITY, "Drag, double-click or F2: multiplies the opacity of all of the item, 0 to 100 %.")
        row.setFlags(flags)
        return row

    # -- opacity ---------------------------------------------------------------------------------

    def _bar_at(self, at: QPoint) -> QTreeWidgetItem | None:
        row = self.itemAt(at)
        return row if row is not None and self.columnAt(at.x()) == OPACITY and is_item(row) else None

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Take hold of a bar, or do what trees do."""
        row = self._bar_at(event.pos()) if event.button() == Qt.MouseButton.LeftButton else None
        if row is None:
            super().mousePressEvent(event)
            return
        self._sliding = row
        self.setCurrentItem(row)
        self._slide(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Drag the bar, wherever the mouse is by now."""
        if self._sliding is None:
            super().mouseMoveEvent(event)
        else:
            self._slide(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Let go of the bar."""
        if self._sliding is None:
            super().mouseReleaseEvent(event)
            return
        self._sliding = None
        self.let_go.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Type the number of a bar."""
        row = self._bar_at(event.pos())
        if row is None:
            super().mouseDoubleClickEvent(event)
        else:
            self.editItem(row, OPACITY)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Type the opacity of the current row after F2."""
        row = self.currentItem()
        if event.key() == Qt.Key.Key_F2 and row is not None and is_item(row):
            self.editItem(row, OPACITY)
        else:
            super().keyPressEvent(event)

    def _slide(self, event: QMouseEvent) -> None:
        index = self.indexFromItem(self._sliding, OPACITY)
        bar = _bar(self.visualRect(index))
        share = (event.pos().x() - bar.left()) / max(bar.width() - 1, 1)
        self.slid.emit(self._sliding, round(min(max(share, 0.0), 1.0), 2))

    # -- order -----------------------------------------------------------------------------------

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        """Tell where an item was dropped; the rows follow once the scene has changed."""
        dragged = self.currentItem()
        above = self.dropIndicatorPosition() == QAbstractItemView.DropIndicatorPosition.AboveItem
        place = None if dragged is None else self._place_of(dragged, self.itemAt(event.pos()), above)
        event.setDropAction(Qt.DropAction.IgnoreAction)  # or Qt would take the row out by itself
        event.accept()
        if place is not None:
            QTimer.singleShot(0, partial(self.arranged.emit, dragged, place))  # not amid Qt's own drag

    def _place_of(self, dragged: QTreeWidgetItem, target: QTreeWidgetItem | None, above: bool) -> int | None:
        """Return which of the items of its scene one will be that is dropped there; None in another scene."""
        home = dragged.parent() or self.invisibleRootItem()
        if target is None:
            return home.childCount() - 1
        kind, scene, _, _ = target.data(NAME, ROLE)
        if scene != dragged.data(NAME, ROLE)[1]:
            return None
        if kind == SCENE:
            return 0
        place = home.indexOfChild(target) + (not above)
        return place - (place > home.indexOfChild(dragged))


def is_item(row: QTreeWidgetItem) -> bool:
    """Whether a row is that of an item."""
    return row.data(NAME, ROLE)[0] == ITEM


def _bar(cell: QRect) -> QRect:
    return cell.adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
