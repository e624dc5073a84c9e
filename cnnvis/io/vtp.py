"""Polylines or points of a network as a .vtp file, which ParaView opens as it is."""

from __future__ import annotations

from pathlib import Path

from cnnvis.core import PointSet, PolylineSet
from cnnvis.core.atomic import AtomicWrite
from cnnvis.core.errors import FileFormatError, InvalidInputError
from cnnvis.geometry import from_pyvista, to_pyvista
from cnnvis.io import vtk_xml


def save(obj: PolylineSet | PointSet, path: Path) -> None:
    """Write polylines with their point and line arrays, or points as vertices with theirs."""
    if not isinstance(obj, PolylineSet | PointSet):
        raise InvalidInputError(
            f"A .vtp file holds a PolylineSet or a PointSet, got {type(obj).__name__}. A bundled network goes into a "
            ".vtm file, or whole into .safetensors."
        )
    with AtomicWrite() as write:
        vtk_xml.write(to_pyvista(obj), write.file(path))


def load(path: Path) -> PolylineSet | PointSet:
    """Return the lines, or the points where there are none; booleans come back as uint8, float16 as float32."""
    try:
        return from_pyvista(vtk_xml.read(path))  # type: ignore[return-value]
    except InvalidInputError as error:
        raise FileFormatError(f"{path} holds no polylines or points: {error}") from error
