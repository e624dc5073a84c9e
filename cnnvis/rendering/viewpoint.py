"""Turns the camera of a scene into a position that shows all of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.axes import VIEW_UP
from cnnvis.core.errors import InvalidInputError
from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.pane import Margins
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


def place_camera(
    camera: vtk.vtkCamera,
    state: Camera,
    corners: NDArray[np.float64],
    aspect: float,
    free: Margins,
    *,
    turning: bool = False,
) -> None:
    """Put a VTK camera where `state` says.

    Parameters
    ----------
    camera : vtkCamera
    state : Camera
    corners : (N, 3) ndarray of float
        Points that a named view shows, with all that is between them; at least one.
    aspect : float
        Width / height of the pane.
    free : Margins
        Kept free at the sides of the pane; the scene is centred in the rest.
    turning : bool
        Stay as far away as every azimuth needs, so that the scene does not swell and shrink in a film.
    """
    parallel = state.parallel or state.view is View.ISOMETRIC
    if state.view is View.CUSTOM:
        centre, towards, up, distance = _custom(state)
        height = distance * np.tan(np.radians(VIEW_ANGLE / 2))
    else:
        centre = (corners.min(axis=0) + corners.max(axis=0)) / 2
        towards, up = _turned(state)
        states = [state.model_copy(update={"azimuth": angle}) for angle in range(0, 360, 10)] if turning else [state]
        fits = [_fit(corners - centre, *_turned(each), aspect, free) for each in states]
        distance, height = (max(reach) for reach in zip(*fits, strict=True))
    camera.SetParallelProjection(parallel)
    camera.SetFocalPoint(*centre)
    camera.SetPosition(*(centre + towards * distance))
    camera.SetViewUp(*up)
    # Zooming narrows the view; going nearer would change the perspective, and end inside the stack.
    camera.SetViewAngle(2 * np.degrees(np.arctan(np.tan(np.radians(VIEW_ANGLE / 2)) / state.zoom)))
    camera.SetParallelScale(height / state.zoom)
    camera.SetWindowCenter(free.right - free.left, free.top - free.bottom)
    # What was left here by an earlier frame would change last digits of projected places, and so pixels of texts.
    camera.SetClippingRange(distance / 100, distance * 100)


def _custom(state: Camera) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]:
    """Return (focal point, direction to the viewer, up, distance) of a custom view after azimuth and elevation."""
    centre, position, up = (np.array(p, float) for p in (state.focal_point, state.position, state.view_up))
    distance = float(np.linalg.norm(position - centre))
    if distance == 0 or np.linalg.norm(np.cross(up, position - centre)) <= 1e-6 * distance * np.linalg.norm(up):
        raise InvalidInputError(
            f"A custom camera at {state.position} that looks at {state.focal_point} with {state.view_up} upwards sees "
            "nothing: position and focal point must differ, and view_up must not run along the line of sight."
        )
    direction = _swung((position - centre) / distance, up / np.linalg.norm(up), state)
    return centre, direction, up, distance


def _swung(direction: NDArray[np.float64], up: NDArray[np.float64], state: Camera) -> NDArray[np.float64]:
    """Turn a unit direction around the unit vector `up` by the azimuth, then raise it by the elevation."""
    direction = _rotate(direction, up, state.azimuth)
    right = np.cross(up, direction)
    return _rotate(direction, right / np.linalg.norm(right), -state.elevation)


def camera_state(camera: vtk.vtkCamera, state: Camera) -> dict[str, object]:
    """Return the fields that make `state` the camera of a window that was turned or moved by hand.

    Parameters
    ----------
    camera : vtkCamera
        Placed by `place_camera` with `state`, and moved since then.
    state : Camera
        Its zoom stays as it is.
    """
    position, focal = np.array(camera.GetPosition()), np.array(camera.GetFocalPoint())
    if camera.GetParallelProjection():  # what is seen depends on the scale alone; `place_camera` takes it from afar
        towards = (position - focal) / np.linalg.norm(position - focal)
        position = focal + towards * camera.GetParallelScale() * state.zoom / np.tan(np.radians(VIEW_ANGLE / 2))
    return {
        "view": View.CUSTOM,
        "azimuth": 0.0,
        "elevation": 0.0,
        "parallel": bool(camera.GetParallelProjection()),
        "position": tuple(position.tolist()),
        "focal_point": tuple(focal.tolist()),
        "view_up": tuple(camera.GetViewUp()),
    }


def direction_of(state: Camera) -> NDArray[np.float64]:
    """Return the unit direction from what is looked at to the viewer."""
    return _custom(state)[1] if state.view is View.CUSTOM else _turned(state)[0]


def _turned(state: Camera) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (direction to the viewer, up), unit vectors, of a named view after azimuth and elevation."""
    up = np.array((0.0, 0.0, 1.0) if state.view is View.TOP else VIEW_UP)
    direction = np.array(DIRECTIONS[state.view])
    direction = _swung(direction / np.linalg.norm(direction), up, state)
    if abs(direction @ up) > 0.999:  # looking along "up": any other axis will do
        up = np.array((0.0, 0.0, 1.0))
    return direction, up


def _rotate(vector: NDArray[np.float64], axis: NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
    """Rotate around a unit axis (Rodrigues' formula)."""
    angle = np.radians(degrees)
    cross = np.cross(axis, vector)
    return vector * np.cos(angle) + cross * np.sin(angle) + axis * (axis @ vector) * (1 - np.cos(angle))


def _fit(
    corners: NDArray[np.float64], direction: NDArray[np.float64], up: NDArray[np.float64], aspect: float, free: Margins
) -> tuple[float, float]:
    """Return the distance (perspective) and half height (parallel) at which all corners are within the margins."""
    right = np.cross(up, direction)
    right /= np.linalg.norm(right)
    upright = np.cross(direction, right)
    across, upwards, towards = corners @ right, corners @ upright, corners @ direction
    room_x, room_y = aspect * (1 - free.left - free.right), 1 - free.bottom - free.top
    reach = np.maximum(np.abs(across) / room_x, np.abs(upwards) / room_y)
    distance = float(np.max(reach / np.tan(np.radians(VIEW_ANGLE / 2)) + towards))
    return distance or 1.0, float(reach.max()) or 1.0  # a single point has no size
