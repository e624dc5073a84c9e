"""What a volume item looks like at the moment, for those who draw its stack."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.legend import Legend
from cnnvis.scene import TransferFunction, VolumeItem, VolumeMode
from cnnvis.scene.transfer import SEQUENTIAL_MAP


@dataclass(frozen=True)
class VolumeLook:
    """Display state of an item, with what it means for the volume that is shown.

    Parameters
    ----------
    item : VolumeItem
    span : (low, high) in data units
        What the item's transfer function gives for its data.
    """

    item: VolumeItem
    span: tuple[float, float]

    @property
    def magnitude(self) -> bool:
        """Whether distances from the centre are shown: the largest value along a ray would hide every negative one."""
        return self.item.mode is VolumeMode.MIP and self.item.transfer.centre is not None

    @cached_property
    def legend(self) -> Legend:
        """What the colours mean."""
        transfer, quantity = self.item.transfer, self.item.data.quantity
        if not self.magnitude:
            return Legend(transfer, self.span, quantity)
        reach = self.span[1] - (transfer.centre or 0.0)
        changes = {"centre": None, "colour_map": SEQUENTIAL_MAP, "colour_points": (), "span": (0.0, reach)}
        return Legend(transfer.model_copy(update=changes), (0.0, reach), f"|{quantity}|")

    @property
    def transfer(self) -> TransferFunction:
        """The transfer function of what is shown: of magnitudes, another one than the item's."""
        return self.legend.transfer

    @cached_property
    def factors(self) -> NDArray[np.float32]:
        """Opacity factor of each channel, (C,) in [0, 1]."""
        return self.item.channel_factors()

    def clip_planes(self, inner: NDArray[np.float64] | None = None) -> vtk.vtkPlaneCollection:
        """Return planes around what is drawn: the clip box, half a voxel outwards, so that its end voxels stay.

        Parameters
        ----------
        inner : (2, 3) ndarray, optional
            Corners of a box that nothing is drawn outside of, either; infinite where it has no side.
        """
        bounds = np.array([np.full(3, -np.inf), np.full(3, np.inf)]) if inner is None else inner.copy()
        box, spacing = self.item.clip_box, self.item.data.spacing
        for axis, interval in enumerate((box.column, box.row, box.channel)):
            if interval is not None:
                ends = np.array(sorted(interval)) + np.array([-0.5, 0.5])
                low, high = self.item.origin[axis] + ends * spacing[axis]
                bounds[:, axis] = max(bounds[0, axis], low), min(bounds[1, axis], high)
        planes = vtk.vtkPlaneCollection()
        for end, axis in np.argwhere(np.isfinite(bounds)):
            plane = vtk.vtkPlane()
            plane.SetOrigin(*np.where(np.arange(3) == axis, bounds[end, axis], 0.0))
            plane.SetNormal(*np.where(np.arange(3) == axis, 1.0 - 2.0 * end, 0.0))
            planes.AddItem(plane)
        return planes
