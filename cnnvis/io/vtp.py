"""Polylines as a .vtp file, which ParaView opens as it is."""

from __future__ import annotations

from pathlib import Path

from cnnvis.core import PolylineSet
from cnnvis.core.atomic import AtomicWrite
from cnnvis.core.errors import FileFormatError, InvalidInputError
from cnnvis.geometry import from_pyvista, to_pyvista
from cnnvis.io import vtk_xml


def save(obj: PolylineSet, path: Path) -> None:
    """Write polylines with their point and line arrays."""
    if not isinstance(obj, PolylineSet):
        raise InvalidInputError(f"A .vtp file holds a PolylineSet, got {type(obj).__name__}.")
    with AtomicWrite() as write:
        vtk_xml.write(to_pyvista(obj), write.file(path))


def load(path: Path) -> PolylineSet:
    """Return the polylines; booleans come back as uint8, float16 as float32."""
    try:
        return from_pyvista(vtk_xml.read(path))  # type: ignore[return-value]
    except InvalidInputError as error:
        raise FileFormatError(f"{path} holds no polylines: {error}") from error
