"""How the kernel narrows and the classes come to count, iteration by iteration: for units and for edges."""

from __future__ import annotations

import math
from collections.abc import Sequence

KERNEL_DEVIATIONS = math.sqrt(5.0)
"""Bandwidth / standard deviation: a Gaussian as wide as nn_vis's Epanechnikov kernel of that radius."""

FINAL_BANDWIDTH = 2 / 3
"""Bandwidth at which iterations end, in distances of two samples; as in nn_vis."""


def falling_bandwidths(first: float, reduction: float, sampling_rate: float) -> tuple[float, ...]:
    """Return the bandwidth of each iteration, in layer widths: at least one, and none below the final one after it."""
    first, reduction, final = float(first), float(reduction), FINAL_BANDWIDTH / sampling_rate
    count = 1
    if reduction > 0 and first >= final:
        count = math.floor(math.log(final / first) / math.log(reduction) + 1e-9) + 1
    return tuple(first * reduction**i for i in range(count))


def class_share(bandwidth: float, bandwidths: Sequence[float], separation: float) -> float:
    """Return how much the classes count: 0 in the first iteration, `separation` in the last (nn_vis)."""
    first, last = bandwidths[0], bandwidths[-1]
    return separation * math.sqrt(1 - (bandwidth - last) / (first - last)) if first > last else 0.0
