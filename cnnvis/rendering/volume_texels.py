"""Values of a stack as a 3-D texture holds them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.axes import image_dimensions, to_points
from cnnvis.rendering import _vtk as vtk

SAFE = (1e-30, 1e30)
"""Magnitudes that single precision has room to reckon with; of other values the texture is scaled."""

Steps = tuple[int, int, int]
"""Every how many channels, rows and columns."""


@dataclass(frozen=True, slots=True, eq=False)
class Texels:
    """A stack in single precision, and what its numbers stand for.

    Parameters
    ----------
    array : (C, H, W) or (C, H, W, 2) ndarray of float32
        Two components where values are missing: the second says whether a voxel has one, 1 or 0.
    middle, half : float
        A texel stands for the value `middle + half * texel`.
    """

    array: NDArray[np.float32]
    middle: float = 0.0
    half: float = 1.0

    @classmethod
    def of(cls, values: NDArray[np.floating]) -> Texels:
        """Return the texels of (C, H, W) values: the very same memory for ordinary ones of single precision."""
        present = np.isfinite(values)
        whole = bool(present.all())
        finite = values if whole else values[present]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        reach = max(-low, high)
        middle, half = 0.0, 1.0
        if values.dtype != np.float32 or not (SAFE[0] < reach < SAFE[1] or reach == 0):
            middle = low / 2 + high / 2
            half = (high - middle) or 1.0
            values = (values.astype(np.float64) - middle) / half
            low = (low - middle) / half
        if whole:
            return cls(np.ascontiguousarray(values, np.float32), middle, half)
        filled = np.where(present, values, low)  # no infinity may be blended with what stands beside it
        return cls(np.stack([filled, present], axis=-1).astype(np.float32), middle, half)

    @property
    def missing(self) -> bool:
        """Whether some voxels have no value."""
        return self.array.ndim == 4

    def __call__(self, value: float) -> float:
        """Return the texel that stands for a value."""
        return (value - self.middle) / self.half

    def every(self, steps: Steps) -> Texels:
        """Return the same with every so many texels: means of channels, which differ in sign, would be faint."""
        return Texels(
            np.ascontiguousarray(self.array[tuple(slice(None, None, step) for step in steps)]), self.middle, self.half
        )

    def image(self, bounds: NDArray[np.float64]) -> vtk.vtkImageData:
        """Return an image whose cells, the voxels, fill the box from one corner to the other, (2, 3)."""
        dimensions = np.array(image_dimensions(self.array.shape[:3]))
        image = vtk.vtkImageData()
        image.SetDimensions(*(dimensions + 1).tolist())
        image.SetSpacing(*((bounds[1] - bounds[0]) / dimensions).tolist())
        image.SetOrigin(*bounds[0].tolist())
        scalars = to_points(self.array)  # VTK shares this memory
        image.GetCellData().SetScalars(vtk.numpy_to_vtk(scalars.reshape(-1, 2) if self.missing else scalars))
        return image


def thinned(shape: tuple[int, int, int], spacing: tuple[float, float, float], most: int) -> Steps:
    """Return every how many channels, rows and columns leave at most so many voxels, as near to cubes as they can be.

    Parameters
    ----------
    shape : (C, H, W)
    spacing : (x, y, z) of float
    most : int
    """
    steps, sides = np.ones(3, int), np.array(spacing[::-1])
    while np.prod(-(-np.array(shape) // steps)) > most:
        steps = steps + (steps * sides <= (steps * sides).min())  # doubled ones would leave 8 times less
    channel, row, column = steps.tolist()
    return channel, row, column
