"""What an empty window shows: open, recent files, examples."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFrame, QLabel, QListWidget, QListWidgetItem, QPushButton, QScrollArea, QVBoxLayout, QWidget

from cnnvis.viewer.autosave import lost_sessions
from cnnvis.viewer.examples import EXAMPLES
from cnnvis.viewer.files import Files
from cnnvis.viewer.settings import Settings

WIDTH = 520
PATH_ROLE = Qt.ItemDataRole.UserRole


class StartPage(QScrollArea):
    """Ways to begin; scrolls where there is no room, so that the window can be small.

    Notes
    -----
    Signals: `back` to what is open; `random` a network of random weights is wanted; `build` one built by hand.
    """

    back = Signal()
    random = Signal()
    build = Signal()

    def __init__(self, files: Files, settings: Settings) -> None:
        super().__init__()
        self.files, self.settings = files, settings
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        column = QWidget()
        column.setMaximumWidth(WIDTH)
        layout = QVBoxLayout(column)
        layout.addWidget(QLabel("<h2>cnnvis</h2>See a trained network, and check what you saw."))
        self.go_back = _button(layout, "Back to what is open", "It is as you left it.", self.back.emit)
        tip = "A scene, a processed network, volumes. Files can be dropped on the window as well."
        _button(layout, "Open a file…", tip, files.ask_open)
        tip = "One of your own, or one that comes along: all of it, or what it makes of an image."
        self.open_model = _button(layout, "Open a model…", tip, files.ask_model)
        tip = "The last session ended without being closed; this is what it had open."
        self.restore = _button(layout, "Restore what was open", tip, files.restore)
        layout.addWidget(QLabel("<b>Examples</b>"))
        self.examples: dict[str, QPushButton] = {}
        for name, example in EXAMPLES.items():
            self.examples[name] = _button(layout, example.text, example.tip, partial(self._open_example, name))
        tip = "Of layers as you like: shows what bundling does, without a model."
        self.make_random = _button(layout, "A random network…", tip, self.random.emit)
        tip = "Convolutions, poolings and dense layers, as you add and move them."
        self.make_own = _button(layout, "Build a network…", tip, self.build.emit)
        layout.addWidget(QLabel("<b>Recent</b>"))
        self.recent = QListWidget()
        self.recent.setAccessibleName("Recent files")
        self.recent.setMaximumHeight(160)
        self.recent.itemActivated.connect(self._open_recent)
        layout.addWidget(self.recent)
        page = QWidget()
        outer = QVBoxLayout(page)
        outer.addStretch(1)
        outer.addWidget(column, 0, Qt.AlignmentFlag.AlignHCenter)
        outer.addStretch(2)
        self.setWidget(page)
        self.update_recent()

    def update_recent(self) -> None:
        """List the files that were opened lately, and offer what was lost."""
        self.go_back.setVisible(any(len(scene) for scene in self.files.workspace.scenes))
        self.restore.setVisible(bool(lost_sessions(self.settings.autosave_folder)))
        self.recent.clear()
        for path in self.settings.recent:
            row = QListWidgetItem(path.name)
            row.setToolTip(str(path))
            row.setData(PATH_ROLE, str(path))
            self.recent.addItem(row)

    def _open_recent(self, row: QListWidgetItem) -> None:
        self.files.open([Path(row.data(PATH_ROLE))])

    def _open_example(self, name: str) -> None:
        self.files.open_example(name)


def _button(layout: QVBoxLayout, text: str, tip: str, call: Callable[[], object]) -> QPushButton:
    """Add a button that calls without arguments, whatever Qt says of the button."""
    button = QPushButton(text)
    button.setToolTip(tip)
    button.clicked.connect(lambda _: call())
    layout.addWidget(button)
    return button
