"""Errors of cnnvis: a small tree, each class also the builtin a caller would expect.

A message says what is wrong, where (layer, file), what was got, what is allowed and what to do next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class CnnvisError(Exception):
    """Base of every error that cnnvis raises on purpose."""

    def __str__(self) -> str:
        # KeyError shows the repr of its argument; a message is for reading.
        return str(self.args[0]) if len(self.args) == 1 else super().__str__()


class InvalidInputError(CnnvisError, ValueError):
    """An argument or an array has a value, shape or dtype that is not allowed."""


class LayerNotFoundError(CnnvisError, KeyError):
    """No layer has this name; the message lists near matches."""


class LayerNotRunError(CnnvisError, RuntimeError):
    """The layer exists, but this input never went through it."""


class NoSpatialMapsError(CnnvisError, ValueError):
    """The layer has values, but no (row, column) maps, and maps are needed."""


class ModelNotFoundError(CnnvisError, KeyError):
    """No network goes by this name, or its package is not installed."""


class CheckpointError(CnnvisError, RuntimeError):
    """A checkpoint does not fit the network: every missing or unexpected key is named."""


class UnsafeFileError(CnnvisError, RuntimeError):
    """A file wants to run code on loading; it was refused."""


class FileFormatError(CnnvisError, ValueError):
    """A file is not what its name or header says."""


class MissingFileError(CnnvisError, FileNotFoundError):
    """A file that was named does not exist."""


class DataMismatchError(CnnvisError, ValueError):
    """A data file is not the one that was saved: its sha256 differs."""


class OutputError(CnnvisError, OSError):
    """A result could not be written; what was there before is untouched."""


class MissingDependencyError(CnnvisError, ImportError):
    """An optional package is not installed; the message names the install line."""


class RenderingUnavailableError(CnnvisError, RuntimeError):
    """No OpenGL library can be loaded here; found out before VTK could crash."""


class RenderingError(CnnvisError, RuntimeError):
    """OpenGL could not draw a picture, as where a driver does not take a shader; it would be empty or wrong."""


class DivergedError(CnnvisError, ArithmeticError):
    """A loss became NaN or infinite while something was trained; the message names the step."""


class MemoryBudgetError(CnnvisError, MemoryError):
    """The work would take more memory than there is; the message says what would fit."""


class CancelledError(CnnvisError, RuntimeError):
    """The user stopped the work."""


def near_matches(name: str, names: Iterable[str], *, n: int = 5) -> list[str]:
    """Return up to `n` of `names` that a person may have meant by `name`, best first."""
    names = list(names)
    lowered = name.lower()
    containing = [other for other in names if lowered and lowered in other.lower()]
    close = difflib.get_close_matches(name, names, n=n, cutoff=0.5)
    return list(dict.fromkeys(close + containing))[:n]


def did_you_mean(name: str, names: Iterable[str], *, what: str = "names") -> str:
    """Return the sentence that ends a not-found message: near matches, or the first few of all."""
    names = list(names)
    close = near_matches(name, names)
    if close:
        return f"Did you mean: {', '.join(close)}?"
    if not names:
        return f"There are no {what}."
    shown = ", ".join(names[:8])
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"Available {what}: {shown}{more}."
