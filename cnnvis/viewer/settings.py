"""What the viewer remembers from one session to the next."""

from __future__ import annotations

import json
import os
from pathlib import Path

from qtpy.QtCore import QByteArray, QSettings

MAX_RECENT = 10

FOLDER_VARIABLE = "CNNVIS_SETTINGS"
"""Environment variable with a folder for the settings, in place of the user's own: for tests and kiosks."""


class Settings:
    """Window layout, theme, recent files and keys, in the user's settings.

    Parameters
    ----------
    folder : Path, optional
        Default: that of `CNNVIS_SETTINGS`, else where the system keeps settings.
    """

    def __init__(self, folder: Path | None = None) -> None:
        if folder is None and os.environ.get(FOLDER_VARIABLE):
            folder = Path(os.environ[FOLDER_VARIABLE])
        if folder is None:
            self._store = QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "cnnvis", "viewer")
        else:
            self._store = QSettings(str(folder / "viewer.ini"), QSettings.Format.IniFormat)

    @property
    def folder(self) -> Path:
        """The folder of the settings, for what is kept beside them."""
        return Path(self._store.fileName()).parent

    @property
    def autosave_folder(self) -> Path:
        """Where sessions keep what they have open."""
        return self.folder / "autosave"

    @property
    def theme(self) -> str:
        """Either "light" or "dark"."""
        return "dark" if self._store.value("theme") == "dark" else "light"

    @theme.setter
    def theme(self, theme: str) -> None:
        self._store.setValue("theme", theme)

    @property
    def recent(self) -> list[Path]:
        """Files opened lately, the last first, those that are gone left out."""
        paths = map(Path, self._texts("recent"))
        return [path for path in paths if path.exists()]

    def add_recent(self, path: Path) -> None:
        """Put a file at the head of the recent ones."""
        paths = [path.resolve(), *(each for each in self.recent if each != path.resolve())]
        self._store.setValue("recent", json.dumps([str(each) for each in paths[:MAX_RECENT]]))

    @property
    def keys(self) -> dict[str, str]:
        """Keys that the user chose, by name of the command."""
        keys = self._json("keys", {})
        return {str(name): str(chosen) for name, chosen in keys.items()} if isinstance(keys, dict) else {}

    @keys.setter
    def keys(self, keys: dict[str, str]) -> None:
        self._store.setValue("keys", json.dumps(keys))

    @property
    def layout(self) -> tuple[QByteArray | None, QByteArray | None]:
        """Geometry and docks of the window; None before the first session."""
        return self._bytes("geometry"), self._bytes("docks")

    def set_layout(self, geometry: QByteArray, docks: QByteArray) -> None:
        """Remember geometry and docks of the window."""
        self._store.setValue("geometry", geometry)
        self._store.setValue("docks", docks)

    def save(self) -> None:
        """Write everything to disk now."""
        self._store.sync()

    def _bytes(self, name: str) -> QByteArray | None:
        value = self._store.value(name)
        return value if isinstance(value, QByteArray) else None

    def _texts(self, name: str) -> list[str]:
        value = self._json(name, [])
        return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []

    def _json(self, name: str, default: object) -> object:
        try:
            return json.loads(self._store.value(name, json.dumps(default)))
        except (TypeError, ValueError):  # somebody edited the file: better no list than no window
            return default
