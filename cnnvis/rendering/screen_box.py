"""Where a scene lands on a pane, and which edges of a box are at its rim there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.pane import Pane
from cnnvis.rendering.style import line_polydata

SHORTEST = 0.17
"""An axis that is shorter on screen than this share of the pane's height is seen end-on and gets no labels."""

NEAREST = 1e-6
"""Distance from the plane of the camera, in units of the scene, below which points count as that far before it."""

Edge = tuple[int, int]
"""Low or high side (0, 1) of a box in the two axes that an edge does not run along."""


@dataclass(frozen=True, slots=True)
class Projection:
    """How scene points land on a pane, in units of the pane's height, from its centre."""

    matrix: NDArray[np.float64]
    aspect: float

    @classmethod
    def of(cls, renderer: vtk.vtkRenderer, aspect: float) -> Projection:
        """Read it off the renderer's camera."""
        matrix = renderer.GetActiveCamera().GetCompositeProjectionTransformMatrix(aspect, -1, 1)
        return cls(np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)]), aspect)

    def __call__(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Project (P, 3) scene points to (P, 2)."""
        return self._divided(points)[:, :2] / 2 * np.array([self.aspect, 1.0])

    def depth(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far behind each other scene points are, (P,): -1 nearest, 1 farthest of all that is drawn."""
        return self._divided(points)[:, 2]

    def _divided(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        homogeneous = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ self.matrix.T
        share = homogeneous[:, 3:4]
        # a point in the plane of the camera lands far off, not nowhere
        return homogeneous[:, :3] / np.where(np.abs(share) < NEAREST, NEAREST, share)


class ScreenBox:
    """An upright box of the scene (2, 3) and how it is seen."""

    def __init__(self, bounds: NDArray[np.float64], projection: Projection) -> None:
        self.low, self.high = bounds
        self.projection = projection
        self.middle = projection(((self.low + self.high) / 2)[None])[0]

    def outline(self) -> tuple[NDArray[np.float64], list[list[int]]]:
        """Return the corners (8, 3) and the pairs of them that the edges join."""
        corners = np.array([self.corner(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)])
        pairs = [[a, b] for a in range(8) for b in range(a + 1, 8) if (a ^ b).bit_count() == 1]
        return corners, pairs

    def corner(self, x: int, y: int, z: int) -> NDArray[np.float64]:
        """Return the corner at the low (0) or high (1) end of each axis."""
        return np.where([x, y, z], self.high, self.low)

    def ends(self, axis: int, edge: Edge) -> NDArray[np.float64]:
        """Return both ends (2, 3) of the edge along `axis` at the sides `edge` of the two other axes."""
        sides = [(*edge[:axis], along, *edge[axis:]) for along in (0, 1)]
        return np.array([self.corner(*corner) for corner in sides])

    def silhouette(self, axis: int) -> tuple[Edge, Edge] | None:
        """Return the two edges along `axis` that bound the box on screen, the one to label first.

        That is the lower one, for an upright axis the left one. None for an axis seen end-on.
        """
        edges: list[Edge] = [(a, b) for a in (0, 1) for b in (0, 1)]
        screen = np.array([self.projection(self.ends(axis, edge)) for edge in edges])
        along = (screen[:, 1] - screen[:, 0]).mean(axis=0)
        if np.linalg.norm(along) < SHORTEST:
            return None
        across, upwards = np.abs(along)
        downwards = np.array([-1.0, 0.0] if upwards > 1.2 * across else [0.0, -1.0])
        normal = np.array([-along[1], along[0]])
        normal = normal if normal @ downwards > 0 else -normal
        reach = screen.mean(axis=1) @ normal
        return edges[int(np.argmax(reach))], edges[int(np.argmin(reach))]

    def away(self, axis: int, edge: Edge) -> NDArray[np.float64]:
        """Return the unit direction on screen that leads from an edge away from the box."""
        ends = self.projection(self.ends(axis, edge))
        along = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
        away = np.array([-along[1], along[0]])
        return away if away @ (ends.mean(axis=0) - self.middle) > 0 else -away

    def on_edge(self, axis: int, edge: Edge, places: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return scene points (P, 3) along an edge, at the given places on its axis."""
        points = np.repeat(self.ends(axis, edge)[:1], len(places), axis=0)
        points[:, axis] = places
        return points


def frame_lines(points: NDArray[np.float64], lines: list[list[int]], pane: Pane) -> vtk.vtkActor:
    """Return faint lines through scene points (P, 3)."""
    mapper = vtk.vtkPolyDataMapper()
    mapper.SetInputData(line_polydata(points, lines))
    actor = vtk.vtkActor()
    actor.SetMapper(mapper)
    actor.GetProperty().LightingOff()
    actor.GetProperty().SetColor(*pane.theme.faint)
    actor.GetProperty().SetLineWidth(pane.font / 16)
    actor.PickableOff()
    return actor
