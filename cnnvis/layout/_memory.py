"""What bundling will take of the main memory, before it is taken."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import EdgeSet, Layout
from cnnvis.core.errors import MemoryBudgetError
from cnnvis.core.memory import available_memory, show_bytes
from cnnvis.layout._density import BLOCKS
from cnnvis.layout._groups import sample_counts
from cnnvis.layout._profiles import UnitLook
from cnnvis.layout.options import BundleOptions

Places = NDArray[np.float64]

BYTES_PER_POINT = 80
"""Points while they move and as they are returned, with their arrays and what making these takes for a moment."""

BYTES_PER_EDGE = 120


def require_memory(edges: EdgeSet, layout: Layout, options: BundleOptions, look: UnitLook) -> None:
    """Raise MemoryBudgetError when bundling would take more than there is, and say which option would fit."""
    lines, grids = estimate(edges, layout, options, look)
    needed, available = lines + grids, available_memory()
    if needed <= available:
        return
    keep = math.floor(len(edges) * max(available - grids, 0) / lines)
    advice = f"the {keep:,} most important edges (top_k={keep})" if keep else "a smaller graph"
    for rate in range(math.ceil(options.sampling_rate) - 1, 1, -1):
        if sum(estimate(edges, layout, replace(options, sampling_rate=rate), look)) <= available:
            advice = f"sampling_rate={rate}, or {advice}"
            break
    raise MemoryBudgetError(
        f"Bundling {len(edges):,} edges at sampling_rate={options.sampling_rate:g} takes about {show_bytes(needed)}, "
        f"there are {show_bytes(available)}. What would fit: {advice}."
    )


def estimate(edges: EdgeSet, layout: Layout, options: BundleOptions, look: UnitLook) -> tuple[int, int]:
    """Return the bytes that bundling takes at its peak: for the lines, and for the grids of their density.

    Every line counts as the longest: the most important ones need not be short.
    """
    spacing = (layout.width or 1.0) / options.sampling_rate
    longest = max((int(sample_counts(*ends, spacing).max()) for ends in _ends(edges, layout)), default=0)
    n_classes = 0 if look.profiles is None else look.profiles.shape[1]
    lines = len(edges) * (BYTES_PER_EDGE + longest * (BYTES_PER_POINT + 8 * n_classes))
    sides = np.ptp(layout.positions, axis=0) / (layout.width or 1.0) if len(layout) else np.zeros(3)
    cells = float(np.prod(sides.clip(0.2) * 2 * options.sampling_rate))
    return lines, int((BLOCKS + 1) * 4 * look.n_channels * cells)


def _ends(edges: EdgeSet, layout: Layout, size: int = 1_000_000) -> Iterator[tuple[Places, Places]]:
    """Yield the places of sources and targets of so many edges at a time."""
    for first in range(0, len(edges), size):
        part = slice(first, first + size)
        yield layout.positions[edges.source[part]], layout.positions[edges.target[part]]
