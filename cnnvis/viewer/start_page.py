"""What an empty window shows: open, recent files, examples."""

from __future__ import annotations

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
    Signals: `back` to what is open; `random` a network of random weights is wanted.
    """

    back = Signal()
    random = Signal()

    def __init__(self, files: Files, settings: Settings) -> None:
        super().__init__()
        self.files, self.settings = files, settings
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        column = QWidget()
        column.setMaximumWidth(WIDTH)
        layout = QVBoxLayout(column)
        layout.addWidget(QLabel("<h2>cnnvis</h2>See a trained network, and check what you saw."))
        self.go_back = QPushButton("Back to what is open")
        self.go_back.setToolTip("It is as you left it.")
        self.go_back.clicked.connect(lambda _: self.back.emit())
        layout.addWidget(self.go_back)
        button = QPushButton("Open a file…")
        button.setToolTip("A scene, a processed network, volumes. Files can be dropped on the window as well.")
        button.clicked.connect(files.ask_open)
        layout.addWidget(button)
        self.open_model = QPushButton("Open a model…")
        self.open_model.setToolTip("One of your own, or one that comes along: all of it, or what it makes of an image.")
        self.open_model.clicked.connect(lambda _: files.ask_model())
        layout.addWidget(self.open_model)
        self.restore = QPushButton("Restore what was open")
        self.restore.setToolTip("The last session ended without being closed; this is what it had open.")
        self.restore.clicked.connect(files.restore)
        layout.addWidget(self.restore)
        layout.addWidget(QLabel("<b>Examples</b>"))
        self.examples: dict[str, QPushButton] = {}
        for name, example in EXAMPLES.items():
            button = QPushButton(example.text)
            button.setToolTip(example.tip)
            button.clicked.connect(partial(self._open_example, name))
            layout.addWidget(button)
            self.examples[name] = button
        self.make_random = QPushButton("A random network…")
        self.make_random.setToolTip("Of layers as you like: shows what bundling does, without a model.")
        self.make_random.clicked.connect(lambda _: self.random.emit())
        layout.addWidget(self.make_random)
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

    def _open_example(self, name: str, *_: object) -> None:
        self.files.open_example(name)
