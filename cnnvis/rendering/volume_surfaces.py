"""Surfaces of equal value in a stack. Colours and opacities are written onto them, whatever becomes of the look."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.axes import image_dimensions, to_points
from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.volume_look import VolumeLook
from cnnvis.scene import VolumeItem

FAINTEST = 0.15
"""Share of the strongest surface's opacity that the weakest one keeps."""


class VolumeSurfaces:
    """The surfaces of an item at some levels.

    Parameters
    ----------
    item : VolumeItem
    levels : tuple of float
        Values of the surfaces, data units.
    """

    def __init__(self, item: VolumeItem, levels: tuple[float, ...]) -> None:
        self._surface = _contour(item, levels)
        self.found = self._surface.GetNumberOfPoints() > 0
        self._actor = _actor(self._surface)
        self.props: tuple[vtk.vtkProp, ...] = (self._actor,) if self.found else ()
        if self.found:
            values = vtk.vtk_to_numpy(self._surface.GetPointData().GetScalars())
            self._levels = np.array(levels)
            self._level = np.abs(values[:, None] - self._levels).argmin(axis=1)
            heights = vtk.vtk_to_numpy(self._surface.GetPoints().GetData())[:, 2]
            self._channel = (heights - item.origin[2]) / item.data.spacing[2]

    def restyle(self, look: VolumeLook) -> None:
        """Show the surfaces as the item looks now."""
        if not self.found:
            return
        at = look.transfer.normalise(self._levels, look.span)
        strength = np.ones(len(at))
        if len(at) > 1:  # inner surfaces show through outer ones; the most opaque needs no blending
            strength = look.transfer.opacity_at(at)
            strength = np.clip(strength / max(float(strength.max()), 1e-6), FAINTEST, 1.0)
        factors = np.interp(self._channel, np.arange(len(look.factors)), look.factors)
        rgba = np.column_stack([look.transfer.colours(at), strength * look.item.opacity])[self._level]
        rgba[:, 3] *= factors
        self._surface.GetPointData().SetScalars(vtk.numpy_to_vtk(np.round(255 * rgba).astype(np.uint8), deep=True))
        if rgba[:, 3].min() < 0.999:
            self._actor.ForceTranslucentOn()
        else:
            self._actor.ForceOpaqueOn()
        self._actor.GetMapper().SetClippingPlanes(look.clip_planes())

    def coarsen(self, coarseness: float) -> None:
        """Surfaces are drawn in full while the camera moves."""


def _contour(item: VolumeItem, levels: tuple[float, ...]) -> vtk.vtkPolyData:
    contour = vtk.vtkFlyingEdges3D()
    contour.SetInputData(_image(item))
    contour.ComputeNormalsOn()
    contour.ComputeScalarsOn()
    for index, level in enumerate(levels):
        contour.SetValue(index, level)
    contour.Update()
    return contour.GetOutput()


def _image(item: VolumeItem) -> vtk.vtkImageData:
    """Return the stack with a value at each point; missing ones are the smallest that there is.

    There is no surface in an image without depth, so a single channel, row or column is doubled to a slab that fills
    its voxels.
    """
    values, spacing, origin = item.data.values, item.data.spacing, np.array(item.origin)
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


def _actor(surface: vtk.vtkPolyData) -> vtk.vtkActor:
    mapper = vtk.vtkPolyDataMapper()
    mapper.SetInputData(surface)
    actor = vtk.vtkActor()
    actor.SetMapper(mapper)
    actor.GetProperty().SetInterpolationToPhong()
    actor.GetProperty().SetSpecular(0.2)
    actor.GetProperty().SetAmbient(0.3)  # or surfaces seen at a flat angle are black, which is no colour of the map
    actor.GetProperty().SetDiffuse(0.7)
    return actor
