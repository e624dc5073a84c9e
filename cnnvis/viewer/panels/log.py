"""What happened, line by line, with the details of what went wrong."""

from __future__ import annotations

import logging
import traceback
from datetime import datetime

from qtpy.QtCore import QObject, QSize, Signal
from qtpy.QtWidgets import QPlainTextEdit

from cnnvis.core.errors import CnnvisError
from cnnvis.viewer.workspace import Workspace

MAX_LINES = 2000

MIN_HEIGHT = 40


class _Relay(QObject, logging.Handler):
    """Hands what the library logs, in whatever thread, to the GUI thread."""

    logged = Signal(str)

    def __init__(self, parent: QObject) -> None:
        QObject.__init__(self, parent)
        logging.Handler.__init__(self, logging.INFO)

    def emit(self, record: logging.LogRecord) -> None:  # type: ignore[override]
        self.logged.emit(f"{record.levelname.lower()}: {record.getMessage()}")


class LogPanel(QPlainTextEdit):
    """The log of a window: messages, problems, and what the library says."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setMaximumBlockCount(MAX_LINES)
        self.setAccessibleName("Log")
        self.setToolTip("What happened, the newest last; errors with their details. Ctrl+C copies what is marked.")
        self.setPlaceholderText("What happens is written here.")
        self.setMinimumHeight(MIN_HEIGHT)
        workspace.message.connect(self.say)
        workspace.problem.connect(self._tell_problem)
        self._relay = _Relay(self)
        self._relay.logged.connect(self.say)
        logging.getLogger("cnnvis").addHandler(self._relay)

    def sizeHint(self) -> QSize:  # noqa: N802 - overrides Qt's
        """Return a low one: at first the view gets the room."""
        return QSize(super().sizeHint().width(), MIN_HEIGHT)

    def say(self, text: str) -> None:
        """Add a line with the time."""
        self.appendPlainText(f"{datetime.now().astimezone():%H:%M:%S}  {text}")

    def _tell_problem(self, what: str, error: BaseException) -> None:
        self.say(f"{what}: {error}")
        if not isinstance(error, CnnvisError):
            self.appendPlainText("".join(traceback.format_exception(error)).rstrip())

    def close_log(self) -> None:
        """Listen to the library no more."""
        logging.getLogger("cnnvis").removeHandler(self._relay)
