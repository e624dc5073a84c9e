"""How long the GUI thread of a window is away: the longest turn of its event loop, but for VTK's drawing."""

from __future__ import annotations

import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable
from time import thread_time
from types import TracebackType

from qtpy.QtCore import QTimer

from cnnvis.viewer.window import ViewerWindow

FIRST_OF_ALL, LAST_OF_ALL = 1e6, -1e6
"""Priorities of observers."""

BEAT_MS = 2

LOOK_SECONDS = 0.005
"""Between two looks at what the GUI thread does."""

DEPTH = 8
"""Of the calls that are remembered."""


class Heartbeat:
    """Measures the turns of the event loop of a window, `Render()` of its view left out and nothing else.

    A timer that could go off all the time goes off once in each turn: from one time to the next is what somebody who
    presses a key has to wait. Python that VTK calls while it draws, such as sorting lines, is not left out.

    Parameters
    ----------
    window : ViewerWindow
    clock : callable, default: time.thread_time
        The GUI thread's own work, which other programs on the same cores do not lengthen. `time.perf_counter` measures
        what a hand feels, waiting for other threads included.

    Attributes
    ----------
    turns : list of float
        Seconds of each.
    """

    def __init__(self, window: ViewerWindow, clock: Callable[[], float] = thread_time) -> None:
        self.turns: list[float] = []
        self._clock = clock
        self._window = window.canvas.view.ren_win
        self._drawing = self._last = self._since = 0.0
        self._draws = False
        self._observers: list[tuple[object, int]] = []
        self._thread = threading.get_ident()
        self._looks: Counter[str] = Counter()
        self._longest: Counter[str] = Counter()
        self._ended = threading.Event()
        self._timer = QTimer()
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self._beat)

    @property
    def longest(self) -> float:
        """Seconds of the longest turn."""
        return max(self.turns)

    @property
    def where(self) -> str:
        """What was being done in the longest turn, most of it first: for whoever has to mend it."""
        return "\n".join(f"{count * LOOK_SECONDS:.3f} s\n{stack}" for stack, count in self._longest.most_common(3))

    # -- turns -----------------------------------------------------------------------------------

    def _beat(self) -> None:
        now = self._clock()
        turn = now - self._last - self._drawing
        looks, self._looks = self._looks, Counter()
        if turn > max(self.turns, default=0.0):
            self._longest = looks
        self.turns.append(turn)
        self._last, self._drawing = self._clock(), 0.0

    def _draw(self, *_: object) -> None:
        self._since, self._draws = self._clock(), True

    def _stop_drawing(self, *_: object) -> None:
        self._drawing += self._clock() - self._since
        self._draws = False

    def _begin_frame(self, *_: object) -> None:
        """Leave out the frame, but for what the renderers' own observers do at its start."""
        for renderer in self._window.GetRenderers():
            if not any(renderer is known for known, _ in self._observers):
                self._observe(renderer, "StartEvent", self._stop_drawing, FIRST_OF_ALL)
                self._observe(renderer, "StartEvent", self._draw, LAST_OF_ALL)
        self._draw()

    def _observe(self, drawn: object, event: str, call: Callable[..., None], priority: float) -> None:
        self._observers.append((drawn, drawn.AddObserver(event, call, priority)))

    # -- what it does ----------------------------------------------------------------------------

    def _look(self) -> None:
        """Look where the GUI thread is, again and again; in a thread."""
        while not self._ended.wait(LOOK_SECONDS):
            frame = sys._current_frames().get(self._thread)
            if not self._draws:
                self._looks["".join(traceback.format_stack(frame)[-DEPTH:])] += 1

    def __enter__(self) -> Heartbeat:
        self._observe(self._window, "StartEvent", self._begin_frame, LAST_OF_ALL)
        self._observe(self._window, "EndEvent", self._stop_drawing, FIRST_OF_ALL)
        self._looker = threading.Thread(target=self._look, daemon=True)
        self._looker.start()
        self._last = self._clock()
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.stop()
        self._ended.set()
        self._looker.join()
        for drawn, observer in self._observers:
            drawn.RemoveObserver(observer)
