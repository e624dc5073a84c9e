"""Several layers or networks by name, or a bundled network, as a .vtm file, which ParaView opens as it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnnvis.core import BundledNetwork, PointSet, PolylineSet, Recording, Volume
from cnnvis.core.atomic import AtomicWrite
from cnnvis.core.errors import FileFormatError, InvalidInputError
from cnnvis.geometry import add_value_statistics, from_pyvista, layers_with_maps, to_pyvista
from cnnvis.io import vtk_xml
from cnnvis.io.pieces import PieceWriter
from cnnvis.io.vti import single_volume
from cnnvis.io.vtk_index import Entry, old_pieces, read_index, write_index

KIND = "vtkMultiBlockDataSet"


def save(obj: Recording | BundledNetwork | Mapping[str, Any], path: Path) -> None:
    """Write named volumes, polylines and points, placed as by `to_pyvista`; the pieces go into `<stem>/`.

    A bundled network gives the blocks "lines" and "units"; what else it knows is in its field data, and comes back
    only from a .safetensors file.
    """
    grids, parts = _named_grids(obj)
    old = old_pieces(path, KIND)
    with AtomicWrite() as write:
        pieces = PieceWriter(write, path.parent / path.stem)
        entries = []
        for index, (name, grid) in enumerate(zip(grids.keys(), grids, strict=True)):
            if isinstance(parts.get(name), Volume):
                add_value_statistics(grid, parts[name])
            entries.append(Entry(pieces.add(name, grid).path, {"index": str(index), "name": name}))
        write_index(write.file(path), KIND, entries, folder=path.parent)
    pieces.remove_old(old)


def load(path: Path) -> dict[str, Volume | PolylineSet | PointSet]:
    """Return volumes, polylines and points by name; a block without a name gets its number."""
    found: dict[str, Volume | PolylineSet | PointSet] = {}
    for number, entry in enumerate(read_index(path, KIND)):
        name = entry.attributes.get("name") or str(number)
        if name in found:
            raise FileFormatError(f"{path} has two blocks named {name!r}; names must differ.")
        if entry.path.suffix.lower() not in vtk_xml.SUFFIXES.values():
            raise FileFormatError(f"{path} holds {entry.path.name}; only .vti and .vtp blocks can be read.")
        found[name] = from_pyvista(vtk_xml.read(entry.path))  # type: ignore[assignment]
    return found


def _named_grids(obj: Recording | Mapping[str, Any]) -> Any:
    """Return the blocks side by side, and the core objects behind those of a mapping."""
    if isinstance(obj, BundledNetwork):
        return to_pyvista(obj), {}
    if isinstance(obj, Recording):
        obj = layers_with_maps(obj)
    if not isinstance(obj, Mapping):
        raise InvalidInputError(
            f"A .vtm file holds a Recording, a BundledNetwork or a dict by name, got {type(obj).__name__}."
        )
    lines = PolylineSet, PointSet
    parts = {str(name): part if isinstance(part, lines) else single_volume(part) for name, part in obj.items()}
    return to_pyvista(parts), parts
