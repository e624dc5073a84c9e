"""A PolylineSet as PolyData and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyvista as pv
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import vtk_to_numpy

from cnnvis.core.network import PolylineSet


def poly_data(lines: PolylineSet) -> pv.PolyData:
    """Return polylines as lines of a PolyData with their point and cell arrays.

    Notes
    -----
    Points, offsets and arrays are shared with VTK, which keeps them alive; the connectivity, 0 .. P-1, is
    the one array made here (8 bytes per point). float16 arrays become float32, booleans uint8: VTK has neither.
    """
    mesh = pv.PolyData()
    mesh.points = lines.points
    connectivity = np.arange(len(lines.points), dtype=np.int64)
    mesh.SetLines(pv.CellArray.from_arrays(lines.offsets, connectivity))
    for name, array in lines.point_arrays.items():
        mesh.point_data.set_array(_storable(array), name)
    for name, array in lines.line_arrays.items():
        mesh.cell_data.set_array(_storable(array), name)
    return mesh


def polylines_from(mesh: pv.PolyData) -> PolylineSet:
    """Return the lines of `mesh`; other cells are left out.

    Points and point arrays are views where every line owns its points in turn, as `poly_data` makes them,
    and are gathered otherwise.
    """
    cells = mesh.GetLines()
    offsets = vtk_to_numpy(cells.GetOffsetsArray())
    connectivity = vtk_to_numpy(cells.GetConnectivityArray())
    in_turn = np.array_equal(connectivity, np.arange(mesh.n_points))
    take = slice(None) if in_turn else connectivity
    first = mesh.n_verts  # VTK numbers cells: vertices, then lines, then polygons
    return PolylineSet(
        points=np.asarray(mesh.points)[take],
        offsets=offsets,
        point_arrays={name: np.asarray(array)[take] for name, array in mesh.point_data.items()},
        line_arrays={name: np.asarray(array)[first : first + mesh.n_lines] for name, array in mesh.cell_data.items()},
    )


def _storable(array: NDArray[Any]) -> NDArray[Any]:
    """Return `array` in a dtype that VTK has, contiguous."""
    narrower = {np.dtype(np.float16): np.float32, np.dtype(bool): np.uint8}
    return np.ascontiguousarray(array, dtype=narrower.get(array.dtype, array.dtype))
