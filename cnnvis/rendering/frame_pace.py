"""How long frames take, and how much of a scene may be drawn so that they keep time while something moves."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from cnnvis.rendering import _vtk as vtk

FRAME_TIME = 0.07
"""Seconds that a frame is meant to take while something moves; shared out among the panes of a window.

With what a window does beside drawing, 0.02 s at 1280 x 800, ten frames fit into a second also where all are slow.
"""

FAST, SLOW = 0.6, 1.1
"""Shares of that time between which all stays as it is: what is drawn must not change to and fro."""

AIM = 0.85
"""The share that is aimed at when it does not."""

LEAST = 1 / 16
"""The smallest effort."""


class FramePace:
    """Measures the frames of a renderer, and finds the effort that keeps time while something moves.

    An effort is a number to which the work of a frame is about proportional, 1 in the first moving frame. It is kept
    from one movement to the next. Two frames have to agree before it changes, as long as neither is slow beyond
    measure: a single slow one has other reasons.

    Parameters
    ----------
    renderer : vtkRenderer
    adapt : callable
        Gets the effort whenever it changes; infinity at rest.
    most : callable
        Returns the effort above which nothing more would be drawn.

    Attributes
    ----------
    seconds : float
        How long the last frame took; 0 before the first.
    """

    def __init__(self, renderer: vtk.vtkRenderer, adapt: Callable[[float], None], most: Callable[[], float]) -> None:
        self.renderer = renderer
        self.seconds = 0.0
        self._adapt = adapt
        self._most = most
        self._effort = 1.0
        self._moving = False
        self._before_it: float | None = None  # share of its time that the frame before took, at the same effort
        self._skip = False
        self._start = 0.0
        tags = (("StartEvent", self._begin), ("EndEvent", self._end))
        self._observers = [renderer.AddObserver(event, call) for event, call in tags]

    @property
    def moving(self) -> bool:
        """Whether something moves."""
        return self._moving

    @moving.setter
    def moving(self, moving: bool) -> None:
        if moving != self._moving:
            self._skip, self._before_it = moving, None  # the first frame sends textures
        self._moving = moving
        self._adapt(self.effort)

    @property
    def effort(self) -> float:
        """The effort of the next frame."""
        return self._effort if self._moving else np.inf

    def _begin(self, *_: Any) -> None:
        self._start = perf_counter()

    def _end(self, *_: Any) -> None:
        """Measure the frame, and let the next one be finer or coarser."""
        window = self.renderer.GetRenderWindow()
        window.WaitForCompletion()
        self.seconds = perf_counter() - self._start
        skip, self._skip = self._skip, False
        if self._moving and not skip:
            panes = sum(each.GetViewProps().GetNumberOfItems() > 0 for each in window.GetRenderers())
            self._judge(self.seconds * max(panes, 1) / FRAME_TIME)

    def _judge(self, share: float) -> None:
        """Change the effort if this frame and the one before it were both too slow, or both quick."""
        before, self._before_it = self._before_it, share
        if share > 3 * SLOW:
            before = share
        if before is None:
            return
        slow, quick = min(share, before), max(share, before)
        if quick >= FAST and slow <= SLOW:
            return
        most = max(self._most(), LEAST)
        factor = np.clip(AIM / max(slow if slow > SLOW else quick, 1e-9), 0.25, 2.0)
        wanted = float(np.clip(min(self._effort, most) * factor, LEAST, most))
        if wanted != self._effort:
            self._effort, self._before_it = wanted, None
            self._adapt(wanted)

    def close(self) -> None:
        """Let go of the renderer; idempotent."""
        for observer in self._observers:
            self.renderer.RemoveObserver(observer)
        self._observers = []


def driver_of(window: vtk.vtkRenderWindow) -> str:
    """Return in short what draws a window that was drawn once, "llvmpipe" or the name of a graphics card."""
    said = [line for line in window.ReportCapabilities().splitlines() if "OpenGL renderer string" in line]
    return said[0].split(":", 1)[1].split("(")[0].split("/")[0].strip() if said else "OpenGL"
