"""Where the windows of convolutions and poolings lie: tables of taps, one per axis (see `core.operation_rules`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.operation_rules import OUTSIDE

Table = NDArray[np.int64]


def strided(size: int, n_out: int, window: int, *, stride: int, before: int, dilation: int = 1) -> Table:
    """Return the taps of a convolution or pooling along one axis, (n_out, window).

    Parameters
    ----------
    size : int
        Of the values that are read.
    before : int
        Padding in front of them.
    """
    index = np.arange(n_out)[:, None] * stride - before + np.arange(window) * dilation
    return np.where((index >= 0) & (index < size), index, OUTSIDE)


def transposed(size: int, n_out: int, window: int, *, stride: int, before: int, dilation: int) -> Table:
    """Return the same of a transposed convolution: output i meets entry k where i + before = stride j + dilation k."""
    scaled = np.arange(n_out)[:, None] + before - np.arange(window) * dilation
    index, rest = np.divmod(scaled, stride)
    return np.where((rest == 0) & (index >= 0) & (index < size), index, OUTSIDE)


def adaptive(size: int, n_out: int) -> Table:
    """Return the taps of an adaptive pooling: from floor(i size / n) to ceil((i + 1) size / n), the longest in full."""
    start = np.arange(n_out) * size // n_out
    stop = -(-np.arange(1, n_out + 1) * size // n_out)
    index = start[:, None] + np.arange(int((stop - start).max(initial=1)))
    return np.where(index < stop[:, None], index, OUTSIDE)


def through(table: Table, index_of: Table) -> Table:
    """Return taps into padded values as taps into the values before padding.

    Parameters
    ----------
    table : (n_out, window) int64
    index_of : (padded size,) int64
        Which value each of the padded ones is, `OUTSIDE` for none.
    """
    return np.where(table == OUTSIDE, OUTSIDE, index_of[np.maximum(table, 0)])


def counts_with_padding(size: int, n_out: int, window: int, *, stride: int, before: int) -> Table:
    """Return how many entries of each window a mean counts that counts padding: none behind the padding, (n_out,)."""
    start = np.arange(n_out) * stride - before
    return np.minimum(start + window, size + before) - start
