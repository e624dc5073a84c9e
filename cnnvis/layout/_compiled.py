"""Whether the compiled loops of bundling lie ready on this computer."""

from __future__ import annotations

import logging
from pathlib import Path

from cnnvis.layout import _kernels

logger = logging.getLogger(__name__)


def kernels_ready() -> bool:
    """Return whether bundling starts at once: its loops were compiled before, or in this process."""
    loops = (_kernels.splat, _kernels.convolve, _kernels.advance)
    return all(loop.signatures or _is_cached(loop) for loop in loops)


def say_compiling() -> None:
    """Tell users once why the first bundling ever takes longer."""
    if not kernels_ready():
        logger.warning("The loops of bundling are compiled now, once on this computer: about ten seconds.")


def _is_cached(loop: object) -> bool:
    """Return whether numba keeps a compiled version of this function; it would miss one of another processor."""
    stats = loop.stats  # type: ignore[attr-defined]
    name = loop.py_func.__name__  # type: ignore[attr-defined]
    return any(Path(stats.cache_path).glob(f"_kernels.{name}-*.nbi"))
