"""A file that somebody edits elsewhere: hears when it is saved."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QFileSystemWatcher, QObject, Signal

from cnnvis.viewer.timers import single_shot

QUIET_MS = 150
"""After the last sign of a change: editors write in several steps, or put another file in the place of the old one."""


class SavedFile(QObject):
    """Follows one file.

    Notes
    -----
    Signals: `saved` once it has other contents than before and nothing has changed for `QUIET_MS`. Its folder is
    watched as well, since an editor that replaces the file ends what is heard of the file itself.
    """

    saved = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.path: Path | None = None
        self._contents = b""
        self._watcher = QFileSystemWatcher(self)
        self._quiet = single_shot(self, QUIET_MS, self._look)
        self._watcher.fileChanged.connect(lambda _: self._quiet.start())
        self._watcher.directoryChanged.connect(lambda _: self._quiet.start())

    def follow(self, path: Path) -> None:
        """Follow this file instead; what it holds now is known."""
        self.leave()
        self.path = path.resolve()
        self._contents = self._read()
        self._watcher.addPaths([str(self.path), str(self.path.parent)])

    def leave(self) -> None:
        """Follow no file."""
        watched = [*self._watcher.files(), *self._watcher.directories()]
        if watched:
            self._watcher.removePaths(watched)
        self.path = None
        self._quiet.stop()

    def _read(self) -> bytes:
        try:
            return b"" if self.path is None else self.path.read_bytes()
        except OSError:
            return b""  # between an editor's removing the old file and naming the new one

    def _look(self) -> None:
        if self.path is None:
            return
        if str(self.path) not in self._watcher.files() and self.path.exists():
            self._watcher.addPath(str(self.path))
        contents = self._read()
        if contents and contents != self._contents:
            self._contents = contents
            self.saved.emit()
