"""Optimal leaf order, and how groups of channels are strung together with it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cnnvis.analysis.methods._base import Arrangement, OrderOptions, direction, squared_distances
from cnnvis.analysis.methods._clusters import cluster
from cnnvis.analysis.moments import ChannelMoments
from cnnvis.core.progress import Progress, silent

LEAF_LIMIT = 2048
"""Most channels that get one exact leaf order: about 2 s and 100 MB there, and both grow with the square or worse."""

LEAF_BLOCK = 256
"""Mean size of the clusters into which more channels are cut."""


def by_leaf(moments: ChannelMoments, options: OrderOptions) -> Arrangement:
    """Return the leaves of the channels' cluster tree, turned so that neighbours are as alike as the tree allows.

    Average linkage on Euclidean distances (which with "zscore" rise with 1 - correlation), then the
    optimal leaf order of Bar-Joseph, Gifford and Jaakkola (2001). More than LEAF_LIMIT channels
    are first cut into clusters of about LEAF_BLOCK by k-means; then the cluster centres are
    ordered, and the channels inside each cluster. Read from dark to bright (`direction`).
    """
    inner = moments.inner(options.normalize)
    n = moments.mean.size
    labels = np.zeros(n, dtype=np.int64)
    if n > LEAF_LIMIT:
        labels = cluster(inner, math.ceil(n / LEAF_BLOCK), random_state=options.random_state)
    return Arrangement(order_in_groups(inner, labels, moments.mean, progress=options.progress))


def order_in_groups(
    inner: NDArray[np.float64],
    labels: NDArray[np.int64],
    brightness: NDArray[np.float64],
    *,
    progress: Progress = silent,
) -> NDArray[np.int64]:
    """Return an order that keeps groups together: leaf order of the centres, and of the channels inside each.

    Each group is turned so that it begins with the channel nearest to the last one before it; the
    whole is read from dark to bright. `progress` counts groups.
    """
    n_groups = int(labels.max()) + 1
    weights = np.equal.outer(np.arange(n_groups), labels).astype(np.float64)
    weights /= weights.sum(axis=1, keepdims=True)
    squared = squared_distances(inner)
    centres = leaf_order(squared_distances(weights @ inner @ weights.T))
    blocks = []
    for done, group in enumerate(centres):
        progress(done, n_groups)
        members = np.flatnonzero(labels == group)
        blocks.append(members[leaf_order(squared[np.ix_(members, members)])])
    progress(n_groups, n_groups)
    permutation = _join(blocks, squared)
    position = np.argsort(permutation).astype(np.float64)
    return permutation[:: direction(position, brightness)]


def leaf_order(squared: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the optimal leaf order of n items by their (n, n) squared distances."""
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
    from scipy.spatial.distance import squareform

    if len(squared) < 3:
        return np.arange(len(squared))
    distances = squareform(np.sqrt(squared), checks=False)
    tree = optimal_leaf_ordering(linkage(distances, method="average"), distances)
    leaves: NDArray[np.int64] = leaves_list(tree).astype(np.int64)
    return leaves


def _join(blocks: Sequence[NDArray[np.int64]], squared: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the blocks one after the other, each turned so that near ends meet."""
    first = blocks[0]
    if len(blocks) > 1:
        ends = blocks[1][[0, -1]]
        if squared[first[0], ends].min() < squared[first[-1], ends].min():
            first = first[::-1]
    path = [first]
    for block in blocks[1:]:
        last = path[-1][-1]
        path.append(block[::-1] if squared[last, block[-1]] < squared[last, block[0]] else block)
    return np.concatenate(path)
