"""Names and times of the stages of a long job."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import ParamSpec, TypeVar

from cnnvis.core.progress import Progress, silent

P = ParamSpec("P")
T = TypeVar("T")

OnStage = Callable[[str, float], None]
"""Called as on_stage(name, seconds) when a stage is done. Raise CancelledError inside it to stop the job."""


OnProgress = Callable[[str, int, int], None]
"""Called as on_progress(name, done, total) while the stage of this name goes on."""


class Stages:
    """Measures the wall time of named stages; stages of one name add up.

    Parameters
    ----------
    on_stage : callable, optional
        Told of every stage that is done.
    on_progress : callable, optional
        Told how far a stage is, where it says so.
    """

    def __init__(self, on_stage: OnStage | None = None, on_progress: OnProgress | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self._on_stage = on_stage
        self._on_progress = on_progress
        self._start = time.perf_counter()

    @property
    def total(self) -> float:
        """Wall time since the beginning; less than the sum where stages run side by side."""
        return time.perf_counter() - self._start

    def add(self, name: str, seconds: float) -> None:
        """Note a stage that was measured elsewhere."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
        if self._on_stage is not None:
            self._on_stage(name, seconds)

    @contextmanager
    def __call__(self, name: str) -> Iterator[Progress]:
        """Measure what happens inside; gives the callback that reports how far it is."""
        start = time.perf_counter()
        on_progress = self._on_progress
        yield silent if on_progress is None else partial(on_progress, name)
        self.add(name, time.perf_counter() - start)


def timed(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> tuple[T, float]:
    """Return what `function` returns and how many seconds it took; for work in another thread."""
    start = time.perf_counter()
    return function(*args, **kwargs), time.perf_counter() - start
