"""Where a picture is taken from."""

from __future__ import annotations

from enum import StrEnum

from psygnal import EventedModel
from pydantic import ConfigDict, Field


class View(StrEnum):
    """Named viewpoints; directions follow `cnnvis.core.axes` (up is against the rows).

    `three_quarter`: in front, above and to the right, channels run to the right. `front`: channel 0 faces
    the viewer, the image upright. `back`: from behind. `side`: rows down, channels to the right. `top`: columns
    to the right, channels upwards. `isometric`: equal angles to all three axes, parallel rays.
    `custom`: `position`, `focal_point` and `view_up` as given.
    """

    THREE_QUARTER = "three_quarter"
    FRONT = "front"
    BACK = "back"
    SIDE = "side"
    TOP = "top"
    ISOMETRIC = "isometric"
    CUSTOM = "custom"


Point = tuple[float, float, float]


class Camera(EventedModel):
    """Camera of one scene.

    Parameters
    ----------
    view : View
        Named viewpoint, fitted to the scene's bounds when drawn.
    azimuth, elevation : float, degrees
        Turned around the up direction, then raised, from where the view is; a turntable film runs over azimuth.
    zoom : float
        1 fits the scene into the picture, 2 doubles it.
    parallel : bool
        Parallel rays instead of perspective.
    position, focal_point, view_up : (x, y, z), scene units
        Used by `custom` only.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True, allow_inf_nan=False)

    view: View = View.THREE_QUARTER
    azimuth: float = 0.0
    elevation: float = 0.0
    zoom: float = Field(default=1.0, gt=0)
    parallel: bool = False
    position: Point = (0.0, 0.0, -1.0)
    focal_point: Point = (0.0, 0.0, 0.0)
    view_up: Point = (0.0, -1.0, 0.0)
