"""Results that appear whole or not at all: written beside their place, flushed to disk, then renamed.

Whatever stops a write - an error, a full disk, a kill - the file that was there before stays as it was.
"""

from __future__ import annotations

import errno
import glob
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from cnnvis.core.errors import CnnvisError, OutputError

STALE_AFTER = 3600.0
"""Seconds after which a temporary file is taken for the leftover of a killed process, and removed by the next write
of the same file. Long enough that a writer at work, here or on another machine of a shared folder, is left alone."""


class AtomicWrite:
    """Files that appear together: a context that renames them into place when it ends without an error.

    They are renamed in the order of `file`, so the one that refers to the others comes last.
    Folders are made as needed. On an error nothing is renamed, and every temporary file and folder is removed.

    Raises
    ------
    OutputError
        When the system refuses: no such folder, no permission, disk full. Names the file and the reason.

    Examples
    --------
    >>> with AtomicWrite() as write:  # doctest: +SKIP
    ...     write.file("table.csv").write_text("a,b")
    """

    def __init__(self) -> None:
        self._places: dict[Path, Path] = {}  # temporary file -> its place
        self._new_folders: list[Path] = []

    def __enter__(self) -> AtomicWrite:
        return self

    def file(self, path: str | Path) -> Path:
        """Return the temporary path to write in place of `path`, in the same folder; nothing is there yet."""
        path = Path(path).resolve()
        try:
            self._make_folder(path.parent)
            _remove_stale(path)
        except OSError as error:
            raise OutputError(
                f"Cannot write {path.name}: the folder {path.parent} cannot be used ({_reason(error)})."
            ) from error
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        self._places[temporary] = path
        return temporary

    def cancel(self) -> None:
        """Take everything back: temporary files, and folders that were made for them."""
        self._clean_up()
        self._places, self._new_folders = {}, []

    def rename(self, temporary: Path, name: str) -> Path:
        """Give a file another name in the same folder, once its content is known; return its place."""
        self._places[temporary] = self._places[temporary].with_name(name)
        return self._places[temporary]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        done = False
        try:
            if error is None:
                self._publish()
                done = True
        except OSError as refused:
            raise self._output_error(refused) from refused
        finally:
            if not done:
                self._clean_up()
        if isinstance(error, OSError) and not isinstance(error, CnnvisError):
            raise self._output_error(error) from error

    def _publish(self) -> None:
        for temporary in self._places:
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
        for temporary, path in self._places.items():
            temporary.replace(path)

    def _clean_up(self) -> None:
        for temporary in self._places:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        for folder in reversed(self._new_folders):
            with suppress(OSError):  # not empty: somebody else uses it by now
                folder.rmdir()

    def _make_folder(self, folder: Path) -> None:
        missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
        for parent in reversed(missing):
            parent.mkdir(exist_ok=True)
            self._new_folders.append(parent)
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))

    def _output_error(self, error: OSError) -> OutputError:
        paths = list(self._places.values())
        what = f"{paths[-1]}" if paths else "the result"
        return OutputError(f"Cannot write {what}: {_reason(error)}. What was there before is untouched.")


def _reason(error: OSError) -> str:
    # numpy says only how much it could write.
    return error.strerror or f"the disk may be full: {error}"


def _remove_stale(path: Path) -> None:
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        with suppress(OSError):
            if time.time() - leftover.stat().st_mtime > STALE_AFTER:
                leftover.unlink()


def require_writable(folder: str | Path) -> None:
    """Raise OutputError unless files could be written into `folder`, which need not exist yet; leaves nothing there."""
    with AtomicWrite() as write:
        write.file(Path(folder) / "trial").touch()
        write.cancel()


def save_bytes(content: bytes, path: str | Path) -> Path:
    """Write `content` to `path`, whole or not at all; return the path."""
    with AtomicWrite() as write:
        write.file(path).write_bytes(content)
    return Path(path)
