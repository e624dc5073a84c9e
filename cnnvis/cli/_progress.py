"""Draw a library's progress callback as a tqdm bar on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from cnnvis.core.progress import Progress, silent


@contextmanager
def progress_bar(title: str, *, unit: str = "step", quiet: bool = False) -> Iterator[Progress]:
    """Give a callback `progress(done, total)` that shows count, rate and time left.

    On a terminal the finished bar stays as one line; elsewhere (a log file) only one closing line is written.

    Parameters
    ----------
    title : str
        What is being done: "recording".
    unit : str
        What is counted: "image".
    quiet : bool
        Show nothing at all.

    Yields
    ------
    Progress
        Hand it to the `progress` parameter of a library function.

    Examples
    --------
    >>> with progress_bar("rendering", unit="frame", quiet=True) as progress:
    ...     for frame in range(48):
    ...         progress(frame + 1, 48)
    """
    if quiet:
        yield silent
    elif sys.stderr.isatty():
        yield from _bar(title, unit)
    else:
        yield from _closing_line(title, unit)


def scoring_bar(method: str, *, quiet: bool = False) -> AbstractContextManager[Progress]:
    """Give the callback for `importance` by `method`, in what that counts; weights are looked at, not counted."""
    unit = "step" if method == "batchnorm" else "image"
    return progress_bar(f"importance by {method}", unit=unit, quiet=quiet or method == "weight")


def _bar(title: str, unit: str) -> Iterator[Progress]:
    from tqdm import tqdm

    with tqdm(desc=title, unit=unit, file=sys.stderr, dynamic_ncols=True) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield progress


def _closing_line(title: str, unit: str) -> Iterator[Progress]:
    start = time.perf_counter()
    reached = (0, 0)

    def progress(done: int, total: int) -> None:
        nonlocal reached
        reached = done, total

    try:
        yield progress
    finally:
        done, total = reached
        if done:
            sys.stderr.write(f"{title}: {done} of {total} ({unit}), {time.perf_counter() - start:.1f} s\n")


def say_stage(name: str, seconds: float) -> None:
    """Write the name and time of a finished stage of a study to stderr."""
    sys.stderr.write(f"{name:<30} {seconds:6.2f} s\n")
    sys.stderr.flush()


class StageBars:
    """Shows on a terminal a bar for the stage that goes on, and leaves a line for each that is done.

    Parameters
    ----------
    quiet : bool
        Show nothing at all.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._bar: Any = None

    def progress(self, stage: str, done: int, total: int) -> None:
        """Draw how far the stage is: the `on_progress` of a study."""
        if self._quiet or not sys.stderr.isatty():
            return
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(desc=stage, total=total, file=sys.stderr, dynamic_ncols=True, leave=False)
        self._bar.update(done - self._bar.n)

    def done(self, stage: str, seconds: float) -> None:
        """Write the stage's name and time: the `on_stage` of a study."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        if not self._quiet:
            say_stage(stage, seconds)
