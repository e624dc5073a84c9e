"""Colours, fonts and small drawing helpers shared by everything in a picture."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.rendering import _vtk as vtk

RGB = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of one background."""

    background: RGB
    text: RGB
    faint: RGB


THEMES: dict[str, Theme] = {
    "light": Theme(background=(1.0, 1.0, 1.0), text=(0.10, 0.10, 0.12), faint=(0.62, 0.62, 0.66)),
    "dark": Theme(background=(0.09, 0.09, 0.11), text=(0.93, 0.93, 0.95), faint=(0.45, 0.45, 0.50)),
}

MIN_FONT, MAX_FONT = 10, 30


def font_size(width: int, height: int) -> int:
    """Return the base font size in pixels for a pane: legible in small panes, quiet in large ones."""
    return int(np.clip(round(0.021 * min(height, 1.1 * width)), MIN_FONT, MAX_FONT))


@functools.cache
def font_file() -> str:
    """Return the DejaVu Sans that ships with matplotlib: the same face as the 2-D figures."""
    import matplotlib

    return str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")


VTK_FONT_FILE = 4


def style_text(
    prop: vtk.vtkTextProperty,
    *,
    colour: RGB,
    size: int,
    horizontal: Literal["left", "centre", "right"] = "left",
    vertical: Literal["top", "centre", "bottom"] = "bottom",
) -> None:
    """Set face, colour, size and anchor of a text."""
    prop.SetFontFamily(VTK_FONT_FILE)
    prop.SetFontFile(font_file())
    prop.SetColor(*colour)
    prop.SetFontSize(size)
    prop.SetJustification({"left": 0, "centre": 1, "right": 2}[horizontal])
    prop.SetVerticalJustification({"bottom": 0, "centre": 1, "top": 2}[vertical])


@functools.lru_cache(maxsize=4096)
def text_width(text: str, size: float) -> int:
    """Return the width in pixels that VTK gives the longest line of a text at a font size in pixels."""
    prop = vtk.vtkTextProperty()
    style_text(prop, colour=(0.0, 0.0, 0.0), size=round(size))
    box = [0, 0, 0, 0]
    vtk.vtkTextRenderer.GetInstance().GetBoundingBox(prop, text, box, 72)  # a window's own dots per inch
    return box[1] - box[0] + 1


def line_polydata(points: ArrayLike, lines: list[list[int]], colours: ArrayLike | None = None) -> vtk.vtkPolyData:
    """Return lines through `points` (P, 3); `colours` is (L, 3) uint8, one per line."""
    polydata = vtk.vtkPolyData()
    polydata.SetPoints(_points(points))
    cells = vtk.vtkCellArray()
    for line in lines:
        cells.InsertNextCell(len(line), line)
    polydata.SetLines(cells)
    if colours is not None:
        polydata.GetCellData().SetScalars(vtk.numpy_to_vtk(np.ascontiguousarray(colours, dtype=np.uint8), deep=True))
    return polydata


def quad_polydata(corners: ArrayLike, colours: ArrayLike) -> vtk.vtkPolyData:
    """Return quads with corners (Q, 4, 3) and one RGB or RGBA uint8 colour each."""
    corners = np.asarray(corners, dtype=np.float64)
    polydata = vtk.vtkPolyData()
    polydata.SetPoints(_points(corners.reshape(-1, 3)))
    cells = vtk.vtkCellArray()
    ends, points = np.arange(0, 4 * len(corners) + 1, 4), np.arange(4 * len(corners))
    cells.SetData(*(vtk.numpy_to_vtkIdTypeArray(array, deep=True) for array in (ends, points)))
    polydata.SetPolys(cells)
    polydata.GetCellData().SetScalars(vtk.numpy_to_vtk(np.ascontiguousarray(colours, dtype=np.uint8), deep=True))
    return polydata


def _points(points: ArrayLike) -> vtk.vtkPoints:
    array: NDArray[np.float64] = np.ascontiguousarray(points, dtype=np.float64)
    result = vtk.vtkPoints()
    result.SetData(vtk.numpy_to_vtk(array, deep=True))
    return result


def overlay_actor(polydata: vtk.vtkPolyData, *, line_width: float = 1.0) -> vtk.vtkActor2D:
    """Return a 2-D actor whose points are fractions (0 to 1) of the pane."""
    coordinate = vtk.vtkCoordinate()
    coordinate.SetCoordinateSystemToNormalizedViewport()
    mapper = vtk.vtkPolyDataMapper2D()
    mapper.SetInputData(polydata)
    mapper.SetTransformCoordinate(coordinate)
    actor = vtk.vtkActor2D()
    actor.SetMapper(mapper)
    actor.GetProperty().SetLineWidth(line_width)
    actor.PickableOff()
    return actor


def overlay_text(text: str, position: tuple[float, float]) -> vtk.vtkTextActor:
    """Return a 2-D text anchored at a fraction (0 to 1) of the pane."""
    actor = vtk.vtkTextActor()
    actor.SetInput(text)
    actor.GetPositionCoordinate().SetCoordinateSystemToNormalizedViewport()
    actor.SetPosition(*position)
    actor.PickableOff()
    return actor


def format_values(values: ArrayLike) -> list[str]:
    """Return numbers as a legend shows them: as many digits as tell them apart, three at least; a real minus sign."""
    numbers = np.asarray(values, dtype=np.float64)
    numbers = np.where(np.abs(numbers) < 1e-9 * np.abs(numbers).max(), 0.0, numbers)
    for digits in range(3, 16):
        texts = [f"{number:.{digits}g}" for number in numbers]
        if len(set(texts)) == len(set(numbers.tolist())):
            break
    return [text.replace("-", "\N{MINUS SIGN}") for text in texts]
