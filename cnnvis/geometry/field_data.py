"""Named facts that travel with a data set as VTK field data, so that ParaView shows them too.

Text goes through `vtkStringArray`, since pyvista's own door refuses anything but ASCII.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyvista as pv
from numpy.typing import ArrayLike, NDArray
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkDataArray, vtkStringArray


def set_text(data: pv.DataSet, name: str, lines: str | Iterable[str]) -> None:
    """Attach text, one string or several, under `name`."""
    array = vtkStringArray()
    array.SetName(name)
    for line in (lines,) if isinstance(lines, str) else lines:
        array.InsertNextValue(line)
    data.GetFieldData().AddArray(array)


def set_numbers(data: pv.DataSet, name: str, numbers: ArrayLike) -> None:
    """Attach a number or a 1-D array under `name`; shared, not copied."""
    data.field_data.set_array(np.atleast_1d(np.asarray(numbers)), name)


def get_text(data: pv.DataSet, name: str, default: str = "") -> str:
    """Return the first string under `name`, or `default`."""
    array = data.GetFieldData().GetAbstractArray(name)
    if isinstance(array, vtkStringArray) and array.GetNumberOfValues():
        return str(array.GetValue(0))
    return default


def get_numbers(data: pv.DataSet, name: str) -> NDArray[Any] | None:
    """Return the array under `name`, a view, or None."""
    array = data.GetFieldData().GetAbstractArray(name)
    return vtk_to_numpy(array) if isinstance(array, vtkDataArray) else None
