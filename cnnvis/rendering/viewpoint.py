"""Turns the camera of a scene into a position that shows all of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.axes import VIEW_UP
from cnnvis.rendering import _vtk as vtk
from cnnvis.scene import Camera, View

VIEW_ANGLE = 26.0
"""Vertical opening in degrees: little perspective, so that equal channels look about equal."""

DIRECTIONS: dict[View, tuple[float, float, float]] = {
    View.THREE_QUARTER: (1.0, -0.5, -1.0),
    View.FRONT: (0.0, 0.0, -1.0),
    View.BACK: (0.0, 0.0, 1.0),
    View.SIDE: (1.0, 0.0, 0.0),
    View.TOP: (0.0, -1.0, 0.0),
    View.ISOMETRIC: (1.0, -1.0, -1.0),
}
"""From the scene's centre to the viewer."""

ROOM = (0.62, 0.73)
"""Share of the pane, across and up, that the scene may fill; the rest is for axis labels and legend."""

WIDE = 1.15
"""Width / height above which the scalar bar stands at the right."""

Bounds = tuple[float, float, float, float, float, float]


def place_camera(camera: vtk.vtkCamera, state: Camera, bounds: Bounds, aspect: float) -> None:
    """Put a VTK camera where `state` says, fitted to `bounds` in a pane of width / height = `aspect`."""
    camera.SetViewAngle(VIEW_ANGLE)
    parallel = state.parallel or state.view is View.ISOMETRIC
    camera.SetParallelProjection(parallel)
    if state.view is View.CUSTOM:
        centre, position, up = (np.array(p, float) for p in (state.focal_point, state.position, state.view_up))
        distance = float(np.linalg.norm(position - centre)) or 1.0
        direction = (position - centre) / distance
        height = distance * np.tan(np.radians(VIEW_ANGLE / 2))
    else:
        box = np.array(bounds, float).reshape(3, 2)
        centre = box.mean(axis=1)
        direction, up = _turned(state)
        distance, height = _fit(box, direction, up, aspect)
    camera.SetFocalPoint(*centre)
    camera.SetPosition(*(centre + direction * distance / (1.0 if parallel else state.zoom)))
    camera.SetViewUp(*up)
    camera.SetParallelScale(height / state.zoom)
    # A pane that is not wide carries its scalar bar at the bottom; the scene moves up to make room.
    camera.SetWindowCenter(0.0, 0.0 if aspect > WIDE else -0.08)


def _turned(state: Camera) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (direction to the viewer, up) of a named view after azimuth and elevation."""
    up = np.array((0.0, 0.0, 1.0) if state.view is View.TOP else VIEW_UP)
    direction = np.array(DIRECTIONS[state.view])
    direction = _rotate(direction / np.linalg.norm(direction), up, state.azimuth)
    right = np.cross(up, direction)
    direction = _rotate(direction, right / np.linalg.norm(right), -state.elevation)
    if abs(direction @ up) > 0.999:  # looking along "up": any other axis will do
        up = np.array((0.0, 0.0, 1.0))
    return direction, up


def _rotate(vector: NDArray[np.float64], axis: NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
    """Rotate around a unit axis (Rodrigues' formula)."""
    angle = np.radians(degrees)
    cross = np.cross(axis, vector)
    return vector * np.cos(angle) + cross * np.sin(angle) + axis * (axis @ vector) * (1 - np.cos(angle))


def _fit(
    box: NDArray[np.float64], direction: NDArray[np.float64], up: NDArray[np.float64], aspect: float
) -> tuple[float, float]:
    """Return the distance (perspective) and half height (parallel) at which all corners are in the room."""
    right = np.cross(up, direction)
    right /= np.linalg.norm(right)
    upright = np.cross(direction, right)
    corners = np.array([[x, y, z] for x in box[0] for y in box[1] for z in box[2]]) - box.mean(axis=1)
    across, upwards, towards = corners @ right, corners @ upright, corners @ direction
    half = np.tan(np.radians(VIEW_ANGLE / 2))
    reach_x = np.abs(across) / (half * aspect * ROOM[0])
    reach_y = np.abs(upwards) / (half * ROOM[1])
    distance = float(np.max(np.maximum(reach_x, reach_y) + towards))
    height = float(max(np.abs(upwards).max() / ROOM[1], np.abs(across).max() / (ROOM[0] * aspect)))
    return distance, height
