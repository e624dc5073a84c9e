"""Names and times of the stages of a long job."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

OnStage = Callable[[str, float], None]
"""Called as on_stage(name, seconds) when a stage is done. Raise CancelledError inside it to stop the job."""


class Stages:
    """Measures the wall time of named stages; stages of one name add up.

    Parameters
    ----------
    on_stage : callable, optional
        Told of every stage that is done.
    """

    def __init__(self, on_stage: OnStage | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self._on_stage = on_stage
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
    def __call__(self, name: str) -> Iterator[None]:
        """Measure what happens inside."""
        start = time.perf_counter()
        yield
        self.add(name, time.perf_counter() - start)


def timed(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> tuple[T, float]:
    """Return what `function` returns and how many seconds it took; for work in another thread."""
    start = time.perf_counter()
    return function(*args, **kwargs), time.perf_counter() - start
