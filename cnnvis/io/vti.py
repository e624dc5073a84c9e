"""One volume as a .vti file, which ParaView opens as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyvista as pv
from numpy.typing import NDArray

from cnnvis.core import FeatureMaps, Volume, as_volume
from cnnvis.core.atomic import AtomicWrite
from cnnvis.core.errors import FileFormatError, InvalidInputError
from cnnvis.geometry import add_value_statistics, from_pyvista, to_pyvista
from cnnvis.io import vtk_xml


def save(obj: Volume | FeatureMaps | NDArray[Any], path: Path) -> None:
    """Write maps of one image: values, spacing, and all that `to_pyvista` and `add_value_statistics` attach.

    Raises
    ------
    InvalidInputError
        When `obj` holds several images: choose one, or a .pvd series.
    """
    grid = grid_with_statistics(single_volume(obj))
    with AtomicWrite() as write:
        vtk_xml.write(grid, write.file(path))


def load(path: Path) -> Volume:
    """Return the volume, exactly as it was saved; of another program's file, what `from_pyvista` makes of it."""
    try:
        return from_pyvista(vtk_xml.read(path))  # type: ignore[return-value]
    except InvalidInputError as error:
        raise FileFormatError(f"{path} holds no volume: {error}") from error


def single_volume(obj: Volume | FeatureMaps | NDArray[Any]) -> Volume:
    """Return the volume of `obj`, which must not hold several images."""
    many = isinstance(obj, FeatureMaps) or getattr(obj, "ndim", 0) == 4
    if many and len(obj) != 1:
        raise InvalidInputError(
            f"{len(obj)} images do not fit into one volume. Choose one with maps.volume(image=...), "
            "or save them all as a .pvd series."
        )
    return as_volume(obj)


def grid_with_statistics(volume: Volume) -> pv.ImageData:
    """Return the image of `volume` with the facts that need a pass over the values."""
    grid = to_pyvista(volume)
    add_value_statistics(grid, volume)
    return grid
