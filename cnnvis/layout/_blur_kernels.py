"""The inner loop of blurring a grid, compiled by numba and cached."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.layout._loops import compiled_loop

Array = NDArray[Any]

compiled = compiled_loop(error_model="numpy", fastmath={"nsz", "arcp", "contract", "reassoc"})
"""No "nnan" and no "ninf": what is not finite must stay so, or the checks of it would be compiled away."""


@compiled
def convolve(values: Array, out: Array, taps: Array, rows: tuple[int, int]) -> None:
    """Convolve the middle axis of (A, N, B) values with 2 R + 1 symmetric taps; beyond the ends all is zero.

    `rows` is the stretch to do of the axis A, or of B where A is 1. `out` is overwritten.
    """
    n_outer, length, n_inner = values.shape
    outer, inner = (rows, (0, n_inner)) if n_outer > 1 else ((0, 1), rows)
    width, radius = inner[1] - inner[0], taps.size // 2
    padded, sums = np.zeros((length + 2 * radius) * width, np.float32), np.empty(length * width, np.float32)
    for a in range(outer[0], outer[1]):
        for i in range(length):
            padded[(radius + i) * width : (radius + i + 1) * width] = values[a, i, inner[0] : inner[1]]
        add_up(sums, padded, taps, width)
        for i in range(length):
            out[a, i, inner[0] : inner[1]] = sums[i * width : (i + 1) * width]


@compiled
def add_up(sums: Array, padded: Array, taps: Array, width: int) -> None:
    """Write the convolution of flat (N + 2 R, width) into flat (N, width); long loops over two pairs of taps each."""
    radius = taps.size // 2
    middle = padded[radius * width :]
    for b in range(sums.size):
        sums[b] = taps[radius] * middle[b]
    for tap in range(radius % 2, radius, 2):
        first, second = padded[tap * width :], padded[(tap + 1) * width :]
        last, last_but_one = padded[(2 * radius - tap) * width :], padded[(2 * radius - tap - 1) * width :]
        for b in range(sums.size):
            sums[b] += taps[tap] * (first[b] + last[b]) + taps[tap + 1] * (second[b] + last_but_one[b])
    if radius % 2:
        last = padded[2 * radius * width :]
        for b in range(sums.size):
            sums[b] += taps[0] * (padded[b] + last[b])
