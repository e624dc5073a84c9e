"""Python's collector of garbage, kept to the GUI thread while there are windows."""

from __future__ import annotations

import gc
import sys

from qtpy.QtCore import QObject, QTimer

LOOK_MS = 100
"""How often is looked whether there is something to collect."""

MANY_MODULES = 100
"""New modules from which on what is there is left alone: torch brings over a thousand, with a million objects."""


class GuiCollector(QObject):
    """Collects, in the GUI thread and little at a time, what only refers to itself.

    By itself Python collects in whichever thread happens to make the next object: one of a job, or of a library that
    looks after something every ten seconds. A widget or timer in such a ring would then be freed in a thread that Qt
    does not allow to touch it, which ends the program. And a collection goes through all objects there are: 0.3 s once
    torch is loaded, while all threads wait; here what modules hold, which is most of all, is not gone through.

    All methods are called in the GUI thread.
    """

    def __init__(self) -> None:
        super().__init__()
        self._n_holders = self._n_modules = 0
        self._was_on = True
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._look)

    def begin(self) -> None:
        """Take over, until `end` was called as often."""
        self._n_holders += 1
        if self._n_holders == 1:
            self._was_on = gc.isenabled()
            gc.disable()
            self._n_modules = 0
            self._timer.start()

    def end(self) -> None:
        """Leave it to Python again, where this was the last holder."""
        self._n_holders -= 1
        if not self._n_holders:
            self._timer.stop()
            gc.unfreeze()
            if self._was_on:
                gc.enable()

    def _look(self) -> None:
        if len(sys.modules) - self._n_modules > MANY_MODULES:
            self._n_modules = len(sys.modules)
            gc.freeze()
        due = [count > most > 0 for count, most in zip(gc.get_count(), gc.get_threshold(), strict=True)]
        if any(due):
            gc.collect(max(generation for generation, is_due in enumerate(due) if is_due))


_only: list[GuiCollector] = []


def collector() -> GuiCollector:
    """Return the one of the process: Python has one collector, too, for all windows."""
    if not _only:
        _only.append(GuiCollector())
    return _only[0]
