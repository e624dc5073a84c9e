"""Inner loops compiled by numba, once on a computer where that can be kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Loop = TypeVar("Loop", bound=Callable[..., Any])


def compiled_loop(**options: Any) -> Callable[[Loop], Loop]:
    """Return a decorator that compiles a function with these options of numba; it lets go of the interpreter.

    What was compiled is kept beside the source, else among the files of the user (numba's cache). Where neither can be
    written to, every session compiles anew.
    """

    def decorate(function: Loop) -> Loop:
        try:
            return cast("Loop", njit(function, cache=True, nogil=True, **options))
        except RuntimeError:  # numba has found no folder to write to
            return cast("Loop", njit(function, nogil=True, **options))

    return decorate
