"""Polylines and points as PolyData and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyvista as pv
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import vtk_to_numpy

from cnnvis.core.network import PointSet, PolylineSet
from cnnvis.geometry.field_data import get_text, set_text

KIND = "kind"
"""Field data that tells points from lines where a data set has neither."""

POINTS = "points"


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
    _attach(mesh.point_data, lines.point_arrays)
    _attach(mesh.cell_data, lines.line_arrays)
    return mesh


def vertex_data(points: PointSet) -> pv.PolyData:
    """Return points as vertices of a PolyData with their point arrays; shared and stored as by `poly_data`."""
    mesh = pv.PolyData()
    mesh.points = points.points
    places = np.arange(len(points) + 1, dtype=np.int64)
    mesh.SetVerts(pv.CellArray.from_arrays(places, places[:-1]))
    _attach(mesh.point_data, points.arrays)
    set_text(mesh, KIND, POINTS)
    return mesh


def core_object(mesh: pv.PolyData) -> PolylineSet | PointSet:
    """Return the lines of `mesh`, or its vertices where it has no lines."""
    if mesh.n_lines or not (mesh.n_verts or get_text(mesh, KIND) == POINTS):
        return polylines_from(mesh)
    return points_from(mesh)


def polylines_from(mesh: pv.PolyData) -> PolylineSet:
    """Return the lines of `mesh`; other cells are left out.

    Points and point arrays are views where every line owns its points in turn, as `poly_data` makes them,
    and are gathered otherwise.
    """
    cells = mesh.GetLines()
    offsets = vtk_to_numpy(cells.GetOffsetsArray())
    connectivity = vtk_to_numpy(cells.GetConnectivityArray())
    take = _in_turn(connectivity, mesh)
    first = mesh.n_verts  # VTK numbers cells: vertices, then lines, then polygons
    return PolylineSet(
        points=np.asarray(mesh.points)[take],
        offsets=offsets,
        point_arrays={name: np.asarray(array)[take] for name, array in mesh.point_data.items()},
        line_arrays={name: np.asarray(array)[first : first + mesh.n_lines] for name, array in mesh.cell_data.items()},
    )


def points_from(mesh: pv.PolyData) -> PointSet:
    """Return the points that the vertices of `mesh` stand at, views where each point is a vertex in turn."""
    take = _in_turn(vtk_to_numpy(mesh.GetVerts().GetConnectivityArray()), mesh)
    return PointSet(
        np.asarray(mesh.points)[take], {name: np.asarray(array)[take] for name, array in mesh.point_data.items()}
    )


def _in_turn(connectivity: NDArray[np.int64], mesh: pv.PolyData) -> slice | NDArray[np.int64]:
    """Return what takes the points of cells: all as they are, where the cells own them one after another."""
    return slice(None) if np.array_equal(connectivity, np.arange(mesh.n_points)) else connectivity


def _attach(attributes: pv.DataSetAttributes, arrays: Mapping[str, NDArray[Any]]) -> None:
    for name, array in arrays.items():
        attributes.set_array(_storable(array), name)


def _storable(array: NDArray[Any]) -> NDArray[Any]:
    """Return `array` in a dtype that VTK has, contiguous."""
    narrower = {np.dtype(np.float16): np.float32, np.dtype(bool): np.uint8}
    return np.ascontiguousarray(array, dtype=narrower.get(array.dtype, array.dtype))
