"""What bundling will take of the main memory, before it is taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import EdgeSet, Layout
from cnnvis.core.errors import MemoryBudgetError
from cnnvis.core.memory import available_memory, show_bytes
from cnnvis.layout._density import BLOCKS, FINEST_CELL
from cnnvis.layout._groups import MARGIN, sample_counts
from cnnvis.layout._profiles import UnitLook
from cnnvis.layout.options import BundleOptions

LEAST_RATE = 2
"""Smallest sampling rate there is."""

Places = NDArray[np.float64]

BYTES_PER_POINT = 80
"""Points while they move and as they are returned, with their arrays and what making these takes for a moment."""

BYTES_PER_EDGE = 120


def require_memory(edges: EdgeSet, layout: Layout, options: BundleOptions, look: UnitLook) -> None:
    """Raise MemoryBudgetError when bundling would take more than there is, and say which option would fit."""
    needed, available = estimate(edges, layout, options, look), available_memory()
    if needed <= available:
        return
    advice = []
    if rate := _fitting_rate(edges, layout, options, look, available):
        advice.append(f"sampling_rate={rate}")
    if keep := _fitting_edges(edges, layout, options, look, available):
        advice.append(f"the {keep:,} most important edges (top_k={keep})")
    raise MemoryBudgetError(
        f"Bundling {len(edges):,} edges at sampling_rate={options.sampling_rate:g} takes about {show_bytes(needed)}, "
        f"there are {show_bytes(available)}. What would fit: {', or '.join(advice) or 'a smaller graph'}."
    )


def estimate(edges: EdgeSet, layout: Layout, options: BundleOptions, look: UnitLook) -> int:
    """Return the bytes that bundling takes at its peak."""
    counts = sum(int(_counts(source, target, layout, options).sum()) for source, target in _blocks(edges))
    per_edge = counts * _bytes_per_point(look) + len(edges) * BYTES_PER_EDGE
    return int(per_edge + _grid_bytes(edges, layout, options, look))


def _fitting_rate(edges: EdgeSet, layout: Layout, options: BundleOptions, look: UnitLook, available: int) -> int:
    """Return the largest whole sampling rate that fits, 0 when none does."""
    fitting, too_many = LEAST_RATE - 1, int(options.sampling_rate) + 1
    while too_many - fitting > 1:
        rate = (fitting + too_many) // 2
        fits = estimate(edges, layout, replace(options, sampling_rate=rate), look) <= available
        fitting, too_many = (rate, too_many) if fits else (fitting, rate)
    return fitting if fitting >= LEAST_RATE else 0


def _fitting_edges(edges: EdgeSet, layout: Layout, options: BundleOptions, look: UnitLook, available: int) -> int:
    """Return how many edges fit, should they be the longest; 0 when none do."""
    longest = max(int(_counts(source, target, layout, options).max()) for source, target in _blocks(edges))
    left = available - _grid_bytes(edges, layout, options, look)
    return max(int(left / (longest * _bytes_per_point(look) + BYTES_PER_EDGE)), 0)


def _bytes_per_point(look: UnitLook) -> float:
    return BYTES_PER_POINT + 8.0 * (0 if look.profiles is None else look.profiles.shape[1])


def _grid_bytes(edges: EdgeSet, layout: Layout, options: BundleOptions, look: UnitLook) -> float:
    """Return what the grids of the largest gap take."""
    ends = np.stack([layout.layer_of_unit[edges.source], layout.layer_of_unit[edges.target]])
    slabs = layout.slabs[np.unique(ends, axis=1)]  # type: ignore[index]
    sides = slabs[:, :, 1].max(axis=0) - slabs[:, :, 0].min(axis=0)
    cells = np.prod((sides / (layout.width or 1.0) + 2 * MARGIN) / FINEST_CELL * options.sampling_rate, axis=1)
    return float((BLOCKS + 1) * 4 * look.n_channels * cells.max(initial=0.0))


def _counts(
    source: NDArray[np.int64], target: NDArray[np.int64], layout: Layout, options: BundleOptions
) -> NDArray[np.int64]:
    spacing = (layout.width or 1.0) / options.sampling_rate
    return sample_counts(layout.positions[source], layout.positions[target], spacing)


def _blocks(edges: EdgeSet, size: int = 1_000_000) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield sources and targets of so many edges at a time."""
    for first in range(0, len(edges), size):
        yield edges.source[first : first + size], edges.target[first : first + size]
