"""Widgets that Qt has made for itself: the viewport of a list, the scroll bar of an area."""

from __future__ import annotations

from qtpy import PYQT5, PYQT6
from qtpy.QtCore import QObject


def let_go(part: QObject) -> None:
    """Let Python keep nothing of a part that was asked for, once the caller has let go of it, too.

    PyQt makes the object of some parts (`viewport()`, `verticalScrollBar()`, `menuBar()`, `statusBar()`,
    `toggleViewAction()`) a child of that of the widget they are part of, for as long as this exists. It does not hear
    of the part's end, and takes the object for whatever comes to lie in its place in memory: a method that is called
    then ends the program. Better still is not to ask, or to make the part oneself.
    """
    if PYQT5 or PYQT6:
        from qtpy import sip

        sip.transferto(part, QObject())  # which ends here
