"""How long frames take, and how coarse volumes have to be drawn to keep time while something moves."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from cnnvis.rendering import _vtk as vtk

FRAME_TIME = 0.1
"""Seconds that a frame may take while something moves; shared out among the panes of a window."""

FINEST, FIRST, COARSEST = 1.5, 3.0, 6.0
"""Pixels for each ray while something moves: at least, in the first frame, at most."""


class FramePace:
    """Measures the frames of a renderer.

    Parameters
    ----------
    renderer : vtkRenderer
    coarsen : callable
        Gets how many pixels of a row share a ray: 1 at rest; while something moves, as few as keep time, by the time
        that the frame before took.
    """

    def __init__(self, renderer: vtk.vtkRenderer, coarsen: Callable[[float], None]) -> None:
        self.renderer = renderer
        self.seconds = 0.0
        self._coarsen = coarsen
        self._coarseness = FIRST
        self._moving = self._first = False
        self._start = 0.0
        tags = (("StartEvent", self._before), ("EndEvent", self._after))
        self._observers = [renderer.AddObserver(event, call) for event, call in tags]

    @property
    def moving(self) -> bool:
        """Whether something moves."""
        return self._moving

    @moving.setter
    def moving(self, moving: bool) -> None:
        self._first = moving and not self._moving
        self._moving = moving
        self._coarsen(self.coarseness)

    @property
    def coarseness(self) -> float:
        """Pixels of a row that share a ray now."""
        return self._coarseness if self._moving else 1.0

    def _before(self, *_: Any) -> None:
        self._start = perf_counter()

    def _after(self, *_: Any) -> None:
        """Measure the frame, and let the next one be finer or coarser; not the first, which sends textures."""
        window = self.renderer.GetRenderWindow()
        window.WaitForCompletion()
        self.seconds = perf_counter() - self._start
        first, self._first = self._first, False
        if not self._moving or first:
            return
        panes = sum(each.GetVolumes().GetNumberOfItems() > 0 for each in window.GetRenderers())
        share = self.seconds * max(panes, 1) / FRAME_TIME
        if not 0.4 < share < 0.9:
            wanted = self._coarseness * np.clip(np.sqrt(share / 0.65), 0.7, 2.0)
            self._coarseness = float(np.clip(wanted, FINEST, COARSEST))
            self._coarsen(self._coarseness)

    def close(self) -> None:
        """Let go of the renderer; idempotent."""
        for observer in self._observers:
            self.renderer.RemoveObserver(observer)
        self._observers = []


def driver_of(window: vtk.vtkRenderWindow) -> str:
    """Return in short what draws a window that was drawn once, "llvmpipe" or the name of a graphics card."""
    said = [line for line in window.ReportCapabilities().splitlines() if "OpenGL renderer string" in line]
    return said[0].split(":", 1)[1].split("(")[0].split("/")[0].strip() if said else "OpenGL"
