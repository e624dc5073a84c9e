"""Surfaces of equal value in a stack. Colours and opacities are written onto them, whatever becomes of the look."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.axes import image_dimensions, to_points
from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.depth_order import depths_along, far_to_near
from cnnvis.rendering.volume_look import VolumeLook
from cnnvis.rendering.volume_texels import Steps, thinned
from cnnvis.scene import VolumeItem

FAINTEST = 0.15
"""Share of the strongest surface's opacity that the weakest one keeps."""

ALL = (1, 1, 1)

BETWEEN = 16
"""Steps from one channel to the next in which opacities change."""

N_MOVING, FIRST = 300_000, 300_000
"""While something moves: values that surfaces go through at most, if not all, and triangles at an effort of 1."""


class VolumeSurfaces:
    """The surfaces of an item at some levels.

    Parameters
    ----------
    item : VolumeItem
    levels : tuple of float
        Values of the surfaces, data units.

    Attributes
    ----------
    full_effort : float
        The effort at which the surfaces are drawn as they are.
    """

    def __init__(self, item: VolumeItem, levels: tuple[float, ...]) -> None:
        self._item, self._levels = item, levels
        self._full = _Contour(item, levels, ALL)
        self._contours = {ALL: self._full}
        self._shown = self._full
        self._actor = _actor()
        self.full_effort = self._full.triangles / FIRST
        self.found = self._full.found
        self.props: tuple[vtk.vtkProp, ...] = (self._actor,) if self.found else ()

    def restyle(self, look: VolumeLook) -> None:
        """Show the surfaces as the item looks now; `adapt` has to be called after it."""
        self._look = look
        for contour in self._contours.values():
            contour.restyle(look)

    def adapt(self, effort: float) -> None:
        """Draw the surfaces as they are, or through larger voxels where they have too many triangles for an effort."""
        self._shown = contour = self._contour(effort)
        self._actor.SetMapper(contour.mapper)
        if contour.solid:
            self._actor.ForceOpaqueOn()
        else:
            self._actor.ForceTranslucentOn()

    @property
    def solid(self) -> bool:
        """Whether nothing shows through what is drawn."""
        return self._shown.solid

    def sort(self, forward: NDArray[np.float64]) -> None:
        """Let translucent triangles be drawn from far to near along a direction of sight."""
        if not self.solid:
            self._shown.sort(forward)

    def _contour(self, effort: float) -> _Contour:
        if effort >= self.full_effort:
            return self._full
        volume = self._item.data
        most = min(volume.values.size * effort / self.full_effort, N_MOVING)
        steps = thinned(volume.shape, volume.spacing, int(most))
        if steps not in self._contours:
            self._contours[steps] = _Contour(self._item, self._levels, steps)
            self._contours[steps].restyle(self._look)
        return self._contours[steps]


class _Contour:
    """The surfaces through every so many values, and which level and channel each of their points has."""

    def __init__(self, item: VolumeItem, levels: tuple[float, ...], steps: Steps) -> None:
        contour = vtk.vtkFlyingEdges3D()
        contour.SetInputData(_image(item, steps))
        contour.ComputeNormalsOn()
        contour.ComputeScalarsOn()
        for index, level in enumerate(levels):
            contour.SetValue(index, level)
        contour.Update()
        self._surface = contour.GetOutput()
        self.mapper = vtk.vtkPolyDataMapper()
        self.mapper.SetInputData(self._surface)
        self.solid = True
        self._sorted: tuple[float, ...] = ()
        self.found = self._surface.GetNumberOfPoints() > 0
        self.triangles = self._surface.GetNumberOfPolys()
        if self.found:
            values = vtk.vtk_to_numpy(self._surface.GetPointData().GetScalars())
            heights = vtk.vtk_to_numpy(self._surface.GetPoints().GetData())[:, 2]
            place = np.rint((heights - item.origin[2]) / item.data.spacing[2] * BETWEEN).astype(np.int32)
            level = np.abs(values - np.array(levels, values.dtype)[:, None]).argmin(axis=0).astype(np.int32)
            self._levels, self._places = np.array(levels), (item.data.shape[0] - 1) * BETWEEN + 1
            self._entry = level * self._places + np.clip(place, 0, self._places - 1)

    def restyle(self, look: VolumeLook) -> None:
        self.mapper.SetClippingPlanes(look.clip_planes())
        if not self.found:
            return
        at = look.transfer.normalise(self._levels, look.span)
        strength = np.ones(len(at))
        if len(at) > 1:  # inner surfaces show through outer ones; the most opaque needs no blending
            strength = look.transfer.opacity_at(at)
            strength = np.clip(strength / max(float(strength.max()), 1e-6), FAINTEST, 1.0)
        channels = np.arange(len(look.factors))
        factors = np.interp(np.arange(self._places) / BETWEEN, channels, look.factors)
        table = np.empty((len(at), self._places, 4))
        table[..., :3] = look.transfer.colours(at)[:, None]
        table[..., 3] = (strength * look.item.opacity)[:, None] * factors
        rgba = np.round(255 * table).astype(np.uint8).reshape(-1, 4)[self._entry]
        self._surface.GetPointData().SetScalars(vtk.numpy_to_vtk(rgba))
        self.solid = bool(rgba[:, 3].min() == 255)

    def sort(self, forward: NDArray[np.float64]) -> None:
        if self._sorted == tuple(forward):
            return
        self._sorted = tuple(forward)
        triangles = vtk.vtk_to_numpy(self._surface.GetPolys().GetConnectivityArray()).reshape(-1, 3)
        depth = depths_along(vtk.vtk_to_numpy(self._surface.GetPoints().GetData()), forward)
        triangles = triangles.astype(np.int32, copy=False)[far_to_near(depth[triangles].sum(axis=1))]
        cells = vtk.vtkCellArray()
        cells.SetData(3, vtk.numpy_to_vtk(triangles.ravel()))
        self._surface.SetPolys(cells)
        self._surface.Modified()


def _image(item: VolumeItem, steps: Steps) -> vtk.vtkImageData:
    """Return the stack with a value at each point; missing ones are the smallest that there is.

    There is no surface in an image without depth, so a single channel, row or column is doubled to a slab that fills
    its voxels.
    """
    values = item.data.values[tuple(slice(None, None, step) for step in steps)]
    spacing = [side * step for side, step in zip(item.data.spacing, steps[::-1], strict=True)]
    origin = np.array(item.origin)
    present = np.isfinite(values)
    if not present.all():
        values = np.where(present, values, values[present].min() if present.any() else 0)
    for axis in range(3):
        if values.shape[axis] == 1:
            values = np.repeat(values, 2, axis=axis)
            origin[2 - axis] -= spacing[2 - axis] / 2
    image = vtk.vtkImageData()
    image.SetDimensions(*image_dimensions(values.shape))
    image.SetSpacing(*spacing)
    image.SetOrigin(*origin)
    image.GetPointData().SetScalars(vtk.numpy_to_vtk(to_points(values)))
    return image


def _actor() -> vtk.vtkActor:
    actor = vtk.vtkActor()
    actor.GetProperty().SetInterpolationToPhong()
    actor.GetProperty().SetSpecular(0.2)
    actor.GetProperty().SetAmbient(0.3)  # or surfaces seen at a flat angle are black, which is no colour of the map
    actor.GetProperty().SetDiffuse(0.7)
    return actor
