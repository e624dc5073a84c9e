"""Hands for the transfer-function editor: real events of the mouse and the keyboard."""

from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QKeyEvent, QMouseEvent
from qtpy.QtWidgets import QApplication

from cnnvis.viewer.transfer.curve_plot import plot_left

LEFT, RIGHT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.NoButton


class Hand:
    """Real events to the points of an editor."""

    def __init__(self, editor):
        self.editor, self.workspace, self.item = editor, editor.workspace, editor.item
        self.plot, self.strip = editor.plot, editor.strip

    def at(self, position, height):
        """Pixel of a place in the plot."""
        scene = self.plot.plotItem.vb.mapViewToScene(QPointF(position, height))
        return self.plot.mapFromScene(scene)

    def along(self, position):
        """Pixel of a colour point."""
        return QPoint(round(plot_left(self.strip, position)), 26)

    @staticmethod
    def send(widget, kind, at, button, buttons):
        there = widget.mapToGlobal(at)
        none = Qt.KeyboardModifier.NoModifier
        event = QMouseEvent(kind, QPointF(at), QPointF(there), button, buttons, none)
        QApplication.sendEvent(widget, event)

    def press(self, widget, at, button=LEFT):
        self.send(widget, QEvent.Type.MouseButtonPress, at, button, button)

    def move(self, widget, at):
        self.send(widget, QEvent.Type.MouseMove, at, NONE, LEFT)

    def release(self, widget, at, button=LEFT):
        self.send(widget, QEvent.Type.MouseButtonRelease, at, button, NONE)

    def click(self, widget, at, button=LEFT):
        self.press(widget, at, button)
        self.release(widget, at, button)

    def double_click(self, widget, at):
        self.click(widget, at)
        self.send(widget, QEvent.Type.MouseButtonDblClick, at, LEFT, LEFT)
        self.release(widget, at)

    def drag(self, widget, start, end, steps=5):
        self.press(widget, start)
        for step in range(1, steps + 1):
            share = step / steps
            self.move(widget, QPoint(*(round(a + (b - a) * share) for a, b in zip(_xy(start), _xy(end), strict=True))))
        self.release(widget, end)

    @staticmethod
    def key(widget, key, modifiers=Qt.KeyboardModifier.NoModifier):
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            QApplication.sendEvent(widget, QKeyEvent(kind, key, modifiers))


def _xy(point):
    return point.x(), point.y()
