"""What an empty window shows: open, recent files, examples."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from cnnvis.viewer.autosave import lost_sessions
from cnnvis.viewer.examples import EXAMPLES
from cnnvis.viewer.files import Files
from cnnvis.viewer.settings import Settings

WIDTH = 520
PATH_ROLE = Qt.ItemDataRole.UserRole


class StartPage(QWidget):
    """Ways to begin."""

    def __init__(self, files: Files, settings: Settings) -> None:
        super().__init__()
        self.files, self.settings = files, settings
        column = QWidget()
        column.setMaximumWidth(WIDTH)
        layout = QVBoxLayout(column)
        layout.addWidget(QLabel("<h2>cnnvis</h2>See a trained network, and check what you saw."))
        button = QPushButton("Open a file…")
        button.setToolTip("A scene, a processed network, volumes. Files can be dropped on the window as well.")
        button.clicked.connect(files.ask_open)
        layout.addWidget(button)
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
        layout.addWidget(QLabel("<b>Recent</b>"))
        self.recent = QListWidget()
        self.recent.setAccessibleName("Recent files")
        self.recent.setMaximumHeight(160)
        self.recent.itemActivated.connect(self._open_recent)
        layout.addWidget(self.recent)
        outer = QVBoxLayout(self)
        outer.addStretch(1)
        outer.addWidget(column, 0, Qt.AlignmentFlag.AlignHCenter)
        outer.addStretch(2)
        self.update_recent()

    def update_recent(self) -> None:
        """List the files that were opened lately, and offer what was lost."""
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
