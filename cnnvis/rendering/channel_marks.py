"""Outlines around the selected channels of a stack."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.artist import box_corners
from cnnvis.rendering.pane import Pane
from cnnvis.rendering.screen_box import frame_lines
from cnnvis.scene import Selection, VolumeItem
from cnnvis.scene.stances import selected_positions

EDGES = [[a, b] for a in range(8) for b in range(a + 1, 8) if (a ^ b).bit_count() == 1]
"""Pairs of corners, as `box_corners` orders them, that are the edges of a box."""


def channel_marks(
    item: VolumeItem, bounds: NDArray[np.float64], selection: Selection, pane: Pane
) -> list[vtk.vtkActor]:
    """Return outlines of the slabs of the selected channels, one around each run of neighbours; none without any.

    Parameters
    ----------
    item : VolumeItem
    bounds : (2, 3) ndarray of float
        Corners of the stack, scene units.
    selection : Selection
    pane : Pane
    """
    positions = selected_positions(item.data, selection)
    if not positions.size:
        return []
    runs = np.split(positions, np.flatnonzero(np.diff(positions) > 1) + 1)
    boxes = np.repeat(bounds[None], len(runs), axis=0)
    ends = np.array([[run[0] - 0.5, run[-1] + 0.5] for run in runs])
    boxes[:, :, 2] = item.origin[2] + ends * item.data.spacing[2]
    corners = np.concatenate([box_corners(box) for box in boxes])
    actor = frame_lines(corners, [[8 * run + a, 8 * run + b] for run in range(len(runs)) for a, b in EDGES], pane)
    actor.GetProperty().SetColor(*pane.theme.text)
    actor.GetProperty().SetLineWidth(pane.font / 7)
    return [actor]
