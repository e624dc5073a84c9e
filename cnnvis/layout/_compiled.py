"""Whether the compiled loops of bundling lie ready on this computer."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from cnnvis.layout import _blur_kernels, _kernels

logger = logging.getLogger(__name__)


def kernels_ready() -> bool:
    """Return whether bundling starts at once: its loops were compiled before, or in this process."""
    loops = (_kernels.splat, _blur_kernels.convolve, _kernels.advance)
    return all(_is_ready(loop) for loop in loops)


def say_compiling() -> None:
    """Tell users once why the first bundling ever takes longer."""
    if not kernels_ready():
        logger.warning("The loops of bundling are compiled now, once on this computer: about ten seconds.")


def _is_ready(loop: Any) -> bool:
    """Return whether numba has compiled this function or kept what it compiled; it would miss another processor's."""
    if loop.signatures:
        return True
    folder = loop.stats.cache_path
    if folder is None:  # there was none to write to
        return False
    source = Path(loop.py_func.__code__.co_filename)
    changed, kept = source.stat().st_mtime, f"{source.stem}.{loop.__name__}-*.nbi"
    return any(index.stat().st_mtime >= changed for index in Path(folder).glob(kept))
