"""Camera positions, turning, parallel rays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnvis.scene import Camera, View

if TYPE_CHECKING:
    from cnnvis.viewer.window import ViewerWindow

POSITIONS: dict[int, tuple[str, dict[str, Any]]] = {
    0: ("as the scene was made", {}),
    1: ("front", {"view": View.FRONT}),
    2: ("right", {"view": View.SIDE}),
    3: ("left", {"view": View.SIDE, "azimuth": 180.0}),
    4: ("lower back right", {"view": View.BACK, "azimuth": -45.0, "elevation": -25.0}),
    5: ("back right", {"view": View.BACK, "azimuth": -45.0}),
    6: ("upper back left", {"view": View.BACK, "azimuth": 45.0, "elevation": 25.0}),
    7: ("upper back right", {"view": View.BACK, "azimuth": -45.0, "elevation": 25.0}),
    8: ("back", {"view": View.BACK}),
    9: ("top", {"view": View.TOP}),
}
"""Positions of nn_vis by key, each seen once: what it gives two keys leaves one for the top and one for the start."""

TURN_DEGREES = 0.5
"""Each frame while the scene turns by itself (nn_vis)."""


def take_position(window: ViewerWindow, number: int) -> None:
    """Look from one of the `POSITIONS`, fitted to the scene."""
    if number == 0:
        reset(window)
        return
    parallel = window.workspace.scene.camera.parallel
    _replace(window, Camera(parallel=parallel, **POSITIONS[number][1]))


def reset(window: ViewerWindow) -> None:
    """Look as the scene did when it was opened."""
    scenes, scene = window.workspace.scenes, window.workspace.scene
    index = next(number for number, each in enumerate(scenes) if each is scene)  # scenes in the same state are equal
    _replace(window, window.first_cameras[index])


def toggle_parallel(window: ViewerWindow) -> None:
    """Change between perspective and parallel rays."""
    camera = window.workspace.scene.camera
    camera.parallel = not camera.parallel


def turn(window: ViewerWindow) -> None:
    """Turn a little, around what is up."""
    camera = window.workspace.scene.camera
    camera.azimuth = (camera.azimuth + TURN_DEGREES) % 360


def _replace(window: ViewerWindow, camera: Camera) -> None:
    window.workspace.scene.camera.update(camera.model_dump())
