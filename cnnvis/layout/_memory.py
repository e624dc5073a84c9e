"""What bundling will take of the main memory, before it is taken."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import EdgeSet, Layout
from cnnvis.core.errors import MemoryBudgetError
from cnnvis.core.memory import available_memory, show_bytes
from cnnvis.layout._density import BLOCKS
from cnnvis.layout._groups import sample_counts
from cnnvis.layout._profiles import UnitLook
from cnnvis.layout.options import BundleOptions

BYTES_PER_POINT = 120
"""Points while they move and as they are returned, with their arrays and what making these takes for a moment."""

BYTES_PER_EDGE = 120


def require_memory(edges: EdgeSet, layout: Layout, options: BundleOptions, look: UnitLook) -> None:
    """Raise MemoryBudgetError when bundling would take more than there is, and say which option would fit."""
    needed, per_point = estimate(edges, layout, options, look)
    available = available_memory()
    if needed <= available:
        return
    fitting = options.sampling_rate * max(available - len(edges) * BYTES_PER_EDGE, 0) / max(per_point, 1.0)
    keep = math.floor(len(edges) * available / needed)
    advice = f"sampling_rate={math.floor(fitting)}, or " if fitting >= 2 else ""
    raise MemoryBudgetError(
        f"Bundling {len(edges):,} edges at sampling_rate={options.sampling_rate:g} takes about {show_bytes(needed)}, "
        f"there are {show_bytes(available)}. What would fit: {advice}the {keep:,} most important edges "
        f"(top_k={keep})."
    )


def estimate(edges: EdgeSet, layout: Layout, options: BundleOptions, look: UnitLook) -> tuple[int, float]:
    """Return the bytes that bundling takes at its peak, and the part of them that grows with the sampling rate."""
    spacing = (layout.width or 1.0) / options.sampling_rate
    points = sum(
        int(sample_counts(layout.positions[source], layout.positions[target], spacing).sum())
        for source, target in _blocks(edges)
    )
    n_classes = 0 if look.profiles is None else look.profiles.shape[1]
    per_point = points * (BYTES_PER_POINT + 8.0 * n_classes)
    sides = np.ptp(layout.positions, axis=0) / (layout.width or 1.0) if len(layout) else np.zeros(3)
    cells = float(np.prod(sides[:3].clip(0.2) * 2 * options.sampling_rate))
    grids = (BLOCKS + 1) * 4 * look.n_channels * cells
    return int(per_point + len(edges) * BYTES_PER_EDGE + grids), per_point + grids


def _blocks(edges: EdgeSet, size: int = 1_000_000) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield sources and targets of so many edges at a time."""
    for first in range(0, len(edges), size):
        yield edges.source[first : first + size], edges.target[first : first + size]
