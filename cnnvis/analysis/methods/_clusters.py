"""k-means on the Gram matrix."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from cnnvis.analysis.methods._base import centred, number_by_size


def cluster(inner: NDArray[np.float64], n_groups: int, *, n_init: int = 1, random_state: int = 0) -> NDArray[np.int64]:
    """Return the k-means group of each of n channels, numbered by size.

    The channels are given to scikit-learn in order of their likeness to the mean of all channels,
    so that the seeded start, and with it the result, does not depend on how the network numbers
    them. Identical channels can leave fewer groups than asked for.

    Cost: O(n^3) for the coordinates, then n^2 x n_groups per iteration.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    order = np.argsort(inner.sum(axis=0), kind="stable")
    points = coordinates(inner[np.ix_(order, order)])
    kmeans = KMeans(n_groups, n_init=n_init, random_state=random_state)
    labels = np.empty(order.size, dtype=np.int64)
    # One thread: scikit-learn adds the threads' sums in the order in which they finish.
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct channels than groups
        labels[order] = kmeans.fit_predict(points)
    return number_by_size(labels)


def coordinates(inner: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (n, rank) points with the same distances as the maps, exact up to float64 rounding.

    Pivoted Cholesky factor of the centred inner products: k-means sees only distances, and the
    points have at most n coordinates however many pixels the maps have.
    """
    from scipy.linalg.lapack import dpstrf

    factor, pivots, rank, _ = dpstrf(centred(inner), lower=1)
    points = np.zeros((len(inner), max(rank, 1)))
    points[pivots - 1] = np.tril(factor)[:, : points.shape[1]]
    return points
