"""Planes through a stack: one pixel of a texture for each voxel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.flat_artists import recolour, textured_plane
from cnnvis.rendering.volume_look import VolumeLook
from cnnvis.scene import VolumeItem

Planes = tuple[int | None, int | None, int | None]
"""Index of the plane across channels, rows and columns; None: there is none."""


class VolumePlanes:
    """The planes of an item.

    Parameters
    ----------
    item : VolumeItem
    planes : Planes
        Within the stack.
    """

    def __init__(self, item: VolumeItem, planes: Planes) -> None:
        chosen = [(axis, plane) for axis, plane in enumerate(planes) if plane is not None]
        self._pictures = [np.take(item.data.values, plane, axis=axis) for axis, plane in chosen]
        self._actors = [
            _plane(item, axis, plane, picture.shape)
            for (axis, plane), picture in zip(chosen, self._pictures, strict=True)
        ]
        self.props: tuple[vtk.vtkProp, ...] = tuple(self._actors)

    def restyle(self, look: VolumeLook) -> None:
        """Show the planes as the item looks now."""
        for picture, actor in zip(self._pictures, self._actors, strict=True):
            rgb = look.transfer.colours(look.transfer.normalise(picture, look.span))
            recolour(actor, np.round(255 * rgb).astype(np.uint8))
            actor.GetProperty().SetOpacity(look.item.opacity)
            actor.GetMapper().SetClippingPlanes(look.clip_planes())

    full_effort = 0.0

    def adapt(self, effort: float) -> None:
        """Planes are drawn in full while the camera moves."""


def planes_of(item: VolumeItem) -> Planes:
    """Return the planes that an item shows, as near to those asked for as there are."""
    slices, shape = item.slices, item.data.shape
    wanted = (slices.channel, slices.row, slices.column)
    if wanted == (None, None, None):
        channel, row, column = (size // 2 for size in shape)
        return channel, row, column
    channel, row, column = (
        None if index is None else min(max(index, 0), size - 1) for index, size in zip(wanted, shape, strict=True)
    )
    return channel, row, column


def _plane(item: VolumeItem, axis: int, index: int, shape: tuple[int, ...]) -> vtk.vtkActor:
    # Array axis a is VTK axis 2 - a; a pixel is centred on its voxel, so planes reach half a voxel out.
    step = np.array(item.data.spacing)
    origin = np.array(item.origin)
    along = np.zeros((2, 3))
    rows_axis, columns_axis = (other for other in (0, 1, 2) if other != axis)
    for row, (array_axis, length) in enumerate(((columns_axis, shape[1]), (rows_axis, shape[0]))):
        vtk_axis = 2 - array_axis
        along[row, vtk_axis] = step[vtk_axis] * length
        origin[vtk_axis] -= step[vtk_axis] / 2
    origin[2 - axis] += step[2 - axis] * index
    return textured_plane(_blank(shape), origin, along[0], along[1])


def _blank(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.zeros((*shape, 3), np.uint8)
