"""Files that refer to others: an index, and a folder of pieces beside it.

A piece bears the beginning of its own sha256 in its name, so pieces of a new save never overwrite those of the last.
The index is renamed into place after all of them, and only then do the pieces of the old index go: at any moment,
also after a kill, the index that is there finds every piece it names.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import NetworkMaps, PointSet, PolylineSet, Volume
from cnnvis.core.atomic import AtomicWrite
from cnnvis.core.errors import InvalidInputError
from cnnvis.geometry import to_pyvista
from cnnvis.io import network_maps_safetensors, vtk_xml
from cnnvis.io.vti import grid_with_statistics

MAX_NAME = 60
"""Longest part of a piece's file name that comes from the layer's or item's name."""


class Piece(NamedTuple):
    """A file written beside an index: its place, and the hash of its content."""

    path: Path
    sha256: str


class PieceWriter:
    """Writes the pieces of one index into `folder`, numbered in the order they come."""

    def __init__(self, write: AtomicWrite, folder: Path) -> None:
        self.folder = folder.resolve()
        self._write = write
        self._written: list[Piece] = []

    def add(self, name: str, data: Any) -> Piece:
        """Write a Volume, PolylineSet, PointSet, NetworkMaps, ImageData, PolyData or array as the next piece."""
        stem = f"{len(self._written):02d}-{re.sub(r'[^A-Za-z0-9._-]', '_', name)[:MAX_NAME]}"
        if isinstance(data, np.ndarray):
            suffix = ".npy"
            temporary = self._write.file(self.folder / f"{stem}{suffix}")
            _write_array(data, temporary)
        elif isinstance(data, NetworkMaps):
            suffix = ".safetensors"
            temporary = self._write.file(self.folder / f"{stem}{suffix}")
            network_maps_safetensors.save(data, temporary)
        else:
            grid = _data_set(name, data)
            suffix = vtk_xml.SUFFIXES[type(grid)]
            temporary = self._write.file(self.folder / f"{stem}{suffix}")
            vtk_xml.write(grid, temporary)
        sha256 = file_hash(temporary)
        path = self._write.rename(temporary, f"{stem}-{sha256[:8]}{suffix}")
        self._written.append(Piece(path, sha256))
        return self._written[-1]

    def remove_old(self, old: Iterable[Path]) -> None:
        """Remove the pieces that the index named before this save and no longer does; only in the own folder."""
        kept = {piece.path for piece in self._written}
        for path in {path.resolve() for path in old} - kept:
            if path.parent == self.folder:
                with suppress(OSError):
                    path.unlink()


def file_hash(path: Path) -> str:
    """Return the sha256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _data_set(name: str, data: Any) -> Any:
    if type(data) in vtk_xml.SUFFIXES:
        return data
    if isinstance(data, PolylineSet | PointSet):
        return to_pyvista(data)
    if isinstance(data, Volume):
        return grid_with_statistics(data)
    raise InvalidInputError(
        f"{name!r} is a {type(data).__name__}; files hold volumes, polylines, points, maps of a network, and arrays."
    )


def _write_array(array: NDArray[Any], path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, array, allow_pickle=False)
