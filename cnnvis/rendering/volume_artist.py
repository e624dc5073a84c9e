"""Draws a stack of feature maps: ray cast, maximum projection, isosurfaces or slices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import Volume
from cnnvis.core.palette import MISSING_COLOUR
from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering import axes_box
from cnnvis.rendering.artist import Artist, Translucency
from cnnvis.rendering.pane import Margins, Pane
from cnnvis.rendering.screen_box import Projection
from cnnvis.rendering.screen_texts import ScreenTexts
from cnnvis.rendering.style import Theme, format_values
from cnnvis.rendering.volume_cast import VolumeCast, thinning
from cnnvis.rendering.volume_look import VolumeLook
from cnnvis.rendering.volume_planes import VolumePlanes, planes_of
from cnnvis.rendering.volume_surfaces import VolumeSurfaces
from cnnvis.scene import Drive, VolumeItem, VolumeMode

MAX_MISSING_POINTS = 20_000
"""Missing voxels drawn as points; of more, an even sample."""


class VolumeArtist(Artist[VolumeItem]):
    """Draws a volume item.

    What is drawn of the data - texture, surfaces, planes - is built for other data, origin, levels or planes only, as
    `builds` counts; all else is look, and repaints what is there.
    """

    builds = 0
    effort = np.inf
    """How much may be drawn: as much as there is at rest, less while something moves."""
    named = False
    """Whether the frame says which item it is: one of several volumes."""

    _figure: VolumeCast | VolumeSurfaces | VolumePlanes | None = None
    _missing: vtk.vtkActor | None = None
    _made_of: tuple[Any, ...] = (None,)  # what figure and missing points were built of
    _spanned: tuple[Any, ...] = (None,)  # what `_span` was found for
    _counted: Volume | None = None

    def build(self, theme: Theme) -> Iterator[vtk.vtkProp]:
        """Yield the props of the current mode, then missing voxels as points."""
        look = self.look
        self.legend = look.legend if self.item.legend else None
        self._build_figure()
        self._figure.restyle(look)
        self._figure.adapt(self.effort)
        yield from self._figure.props
        if self._missing is not None and self.item.mode is not VolumeMode.SLICES:
            self._missing.GetMapper().SetClippingPlanes(look.clip_planes())
            yield self._missing

    @property
    def look(self) -> VolumeLook:
        """What the item looks like now."""
        return VolumeLook(self.item, self._find_span())

    @property
    def is_cast(self) -> bool:
        """Whether rays are cast through the volume, as last drawn; else it is surfaces or planes."""
        return isinstance(self._figure, VolumeCast)

    @property
    def translucency(self) -> Translucency:
        """What has to be done to blend what is drawn, as last drawn."""
        if self.is_cast:
            return Translucency.CAST
        if isinstance(self._figure, VolumeSurfaces):
            return Translucency.NONE if self._figure.solid else Translucency.SORTED
        return super().translucency

    def sort(self, forward: NDArray[np.float64]) -> None:
        """Let what is translucent be drawn from far to near along a direction of sight."""
        if isinstance(self._figure, VolumeSurfaces) and self.item.visible:
            self._figure.sort(forward)

    def adapt(self, effort: float) -> None:
        """Draw less of what takes long, until called with infinity; see `FramePace`."""
        if effort != self.effort:
            self.effort = effort
            if self._figure is not None and self.item.visible:
                self._figure.adapt(effort)

    @property
    def full_effort(self) -> float:
        """The effort above which nothing more is drawn, while something moves."""
        return self._figure.full_effort if self._figure is not None and self.item.visible else 0.0

    def bounds(self) -> NDArray[np.float64]:
        """Return the corners of the stack, half a voxel outside its first and last voxels."""
        first, spacing = np.array(self.item.origin, dtype=float), np.array(self.item.data.spacing)
        return np.array([first - spacing / 2, first + (np.array(self.item.data.shape[::-1]) - 0.5) * spacing])

    def margins(self, pane: Pane, taken: Margins) -> Margins | None:
        """Return the room of ticks and names."""
        return axes_box.margins(pane) if self.item.axes and pane.roomy else None

    def frame(self, projection: Projection, texts: ScreenTexts) -> Iterator[vtk.vtkProp]:
        """Yield outline, named axes and group marks."""
        if self.item.axes:
            box = axes_box.AxesBox(self.item, self.bounds(), projection, texts, named=self.named)
            yield from box.props()

    # -- notes -----------------------------------------------------------------------------------

    def notes(self) -> list[str]:
        """Say how it is drawn, what drives the opacity, what is missing, and what was thinned out."""
        volume: Volume = self.item.data
        notes = list(self._mode_notes())
        driven = "value" if self.item.mode is VolumeMode.MIP else "opacity"
        drive = Drive.NONE if self.item.mode is VolumeMode.SLICES else self.item.drive
        if drive is Drive.IMPORTANCE:
            notes.append(f"{driven} × {volume.axis_names[0]} importance")
        elif drive is Drive.GROUP:
            shown = ", ".join(str(group) for group in self.item.shown_groups) or "none"
            notes.append(f"{driven} by group, shown: {shown}")
        if self._count_missing():
            notes.append(f"{self._n_missing:,} values NaN or infinite (magenta)")
        step = thinning(self.item)
        if step != (1, 1, 1):
            notes.append(f"drawn every {step[0]} x {step[1]} x {step[2]} ({' x '.join(volume.axis_names)})")
        return notes

    def _count_missing(self) -> int:
        if self._counted is not self.item.data:
            self._counted, self._n_missing = self.item.data, self.item.data.n_missing
        return self._n_missing

    def _mode_notes(self) -> Iterator[str]:
        if self.item.mode is VolumeMode.MIP:
            yield "maximum projection"
        elif self.item.mode is VolumeMode.SLICES:
            names, planes = self.item.data.axis_names, planes_of(self.item)
            shown = [f"{name} {plane}" for name, plane in zip(names, planes, strict=True) if plane is not None]
            if planes[0] is not None:  # by the network's own number, whatever the order
                shown[0] = f"{names[0]} #{self.item.data.channels[planes[0]]}"
            yield "slices: " + ", ".join(shown)
        elif isinstance(self._figure, VolumeSurfaces):
            values = ", ".join(format_values(self.levels()))
            yield f"surfaces at {values}" if self._figure.found else f"no surface at {values}"

    # -- what is built ---------------------------------------------------------------------------

    def _find_span(self) -> tuple[float, float]:
        """Return the range of the colours; percentiles of millions of values take a tenth of a second."""
        transfer = self.item.transfer
        wanted = (self.item.data, transfer.clip, transfer.span, transfer.centre)
        if self._spanned[0] is not wanted[0] or self._spanned[1:] != wanted[1:]:
            self._spanned, self._span = wanted, transfer.span_of(self.item.data.values)
        return self._span

    def levels(self) -> tuple[float, ...]:
        """Return the values asked for, else a quarter from the ends of a diverging range, the middle of another."""
        transfer = self.item.transfer
        positions = (0.25, 0.75) if transfer.centre is not None else (0.5,)
        return self.item.isovalues or tuple(transfer.denormalise(positions, self._find_span()).tolist())

    def _build_figure(self) -> None:
        """Build what the mode draws of the data, unless it is there."""
        item = self.item
        shown: tuple[Any, ...] = (VolumeCast,)
        if item.mode is VolumeMode.ISOSURFACE:
            shown = (VolumeSurfaces, self.levels())
        elif item.mode is VolumeMode.SLICES:
            shown = (VolumePlanes, planes_of(item))
        wanted = (item.data, item.origin, *shown)
        if self._made_of[0] is wanted[0] and self._made_of[1:] == wanted[1:]:
            return
        self.builds += 1
        self._made_of = wanted
        if item.mode is VolumeMode.ISOSURFACE:
            self._figure = VolumeSurfaces(item, self.levels())
        elif item.mode is VolumeMode.SLICES:
            self._figure = VolumePlanes(item, planes_of(item))
        else:
            self._figure = VolumeCast(item, self.bounds())
        self._missing = _missing_points(item) if self._count_missing() else None


def _missing_points(item: VolumeItem) -> vtk.vtkActor:
    """Return missing voxels as points."""
    at = np.argwhere(~np.isfinite(item.data.values))
    at = at[:: -(-len(at) // MAX_MISSING_POINTS)]
    positions = np.array(item.origin) + at[:, ::-1] * np.array(item.data.spacing)
    points = vtk.vtkPoints()
    points.SetData(vtk.numpy_to_vtk(np.ascontiguousarray(positions), deep=True))
    cells = vtk.vtkCellArray()
    for index in range(len(at)):
        cells.InsertNextCell(1, [index])
    polydata = vtk.vtkPolyData()
    polydata.SetPoints(points)
    polydata.SetVerts(cells)
    mapper = vtk.vtkPolyDataMapper()
    mapper.SetInputData(polydata)
    actor = vtk.vtkActor()
    actor.SetMapper(mapper)
    actor.GetProperty().SetColor(*MISSING_COLOUR)
    actor.GetProperty().SetPointSize(3)
    actor.GetProperty().LightingOff()
    return actor
