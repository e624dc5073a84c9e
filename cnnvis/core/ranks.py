"""Ranks and their correlation, for the layers above: numpy only, since scipy.stats takes long to import."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def rank_correlations(rows: ArrayLike) -> NDArray[np.float64]:
    """Return Spearman's rank correlation of every two rows, ties sharing their mean rank.

    Parameters
    ----------
    rows : (M, C) array_like of float
        M scores of the same C things.

    Returns
    -------
    (M, M) ndarray of float64
        Symmetric, within -1 to 1. NaN where a row is constant or holds NaN: its ranks say nothing.

    Notes
    -----
    Spearman, "The proof and measurement of association between two things" (1904). Cost: O(M C log C + M^2 C).
    """
    values = np.asarray(rows, dtype=np.float64)
    ranks = np.array([_mean_ranks(row) for row in values]).reshape(values.shape)
    spread = np.linalg.norm(ranks, axis=1)
    undefined = ~(spread > 0)  # also where the ranks are NaN
    ranks /= np.where(undefined, 1, spread)[:, None]
    found: NDArray[np.float64] = np.clip(ranks @ ranks.T, -1.0, 1.0)
    np.fill_diagonal(found, 1.0)  # where rounding left a little less
    found[undefined] = found[:, undefined] = np.nan
    return found


def ranks_from_top(values: ArrayLike) -> NDArray[np.int64]:
    """Return the rank of each of (N,) values: 1 for the largest; of equal ones the first comes first."""
    order = np.argsort(-np.asarray(values), kind="stable")
    found = np.empty(order.size, np.int64)
    found[order] = np.arange(1, order.size + 1)
    return found


def _mean_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ranks about their middle, ties averaged; all NaN where a value is."""
    if np.isnan(values).any():
        return np.full(values.size, np.nan)
    _, member, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: NDArray[np.float64] = last - (counts - 1) / 2.0
    return ranks[member] - (values.size + 1) / 2.0
