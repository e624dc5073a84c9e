"""How a pane is looked at, in pixels: where scene points are seen, and what stands behind a pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnvis.rendering import _vtk as vtk

Floats = NDArray[np.floating]


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """The camera of a pane as numbers.

    Parameters
    ----------
    matrix : (4, 4) ndarray of float
        From scene points to the pane: x and y from -1 to 1.
    forward : (3,) ndarray of float
        Direction of sight, a unit vector.
    size : (width, height) in pixels
    up_scale : float
        What a step upwards of one scene unit adds to y, before the division by the fourth coordinate.
    """

    matrix: NDArray[np.float64]
    forward: NDArray[np.float64]
    size: tuple[int, int]
    up_scale: float

    @classmethod
    def of(cls, renderer: vtk.vtkRenderer) -> Sight:
        """Read it off a renderer."""
        width, height = renderer.GetSize()
        camera = renderer.GetActiveCamera()
        # Of the depths only the order counts: with these limits the matrix does not change with the clipping range.
        matrix = camera.GetCompositeProjectionTransformMatrix(width / max(height, 1), -1, 1)
        numbers = np.array(matrix.GetData()).reshape(4, 4)
        view = np.array(camera.GetViewTransformMatrix().GetData()).reshape(4, 4)
        return cls(numbers, -view[2, :3], (width, height), float(numbers[1, :3] @ view[1, :3]))

    def equals(self, other: Sight | None) -> bool:
        """Whether both see the same points at the same pixels; near and far limits do not count."""
        rows = [0, 1, 3]
        return other is not None and self.size == other.size and np.array_equal(self.matrix[rows], other.matrix[rows])

    def pixels(self, points: Floats) -> tuple[Floats, Floats]:
        """Return where (P, 3) points are seen, (P, 2) pixels from the lower left corner, and (P,) pixels per unit.

        NaN for points behind the viewer. The precision is that of the points.
        """
        rows = self.matrix[[0, 1, 3]].astype(points.dtype)
        x, y, inverse = rows[:, :3] @ points.T + rows[:, 3:]  # one array for each: numpy is slow along pairs
        inverse[inverse <= 0] = np.nan
        np.reciprocal(inverse, out=inverse)
        at = np.empty((len(points), 2), points.dtype)
        for axis, place in enumerate((x, y)):
            half = points.dtype.type(self.size[axis] / 2)
            at[:, axis] = half * (place * inverse) + half
        return at, inverse * points.dtype.type(self.up_scale * self.size[1] / 2)

    def depth(self, points: Floats) -> Floats:
        """Return how far along the direction of sight (..., 3) points are, scene units from the origin."""
        return points @ self.forward.astype(points.dtype)

    def ray(self, x: float, y: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the place where the ray through a pixel enters the picture, and its direction, a unit vector."""
        width, height = self.size
        ends = np.array([[2 * x / width - 1, 2 * y / height - 1, end, 1.0] for end in (-1.0, 1.0)])
        near, far = np.linalg.solve(self.matrix, ends.T).T
        near, far = near[:3] / near[3], far[:3] / far[3]
        return near, (far - near) / np.linalg.norm(far - near)
