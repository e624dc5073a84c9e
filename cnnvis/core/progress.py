"""How long work reports itself: a callback, so that the library draws no bar of its own."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called as progress(done, total). Raise CancelledError inside it to stop the work."""


def silent(done: int, total: int) -> None:
    """Report nothing."""


def part_of(progress: Progress, number: int, count: int) -> Progress:
    """Return the callback of part `number` (from 0) of `count` equal parts; it reports how far the whole is."""
    return lambda done, total: progress(number * total + done, count * total)
