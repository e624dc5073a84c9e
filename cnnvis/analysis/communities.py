"""Groups of channels that behave alike: communities of the graph whose links are similarities."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.core.checks import as_numbers, parse_choice, require_number
from cnnvis.core.communities import DEFAULT_EXPONENTS, Algorithm, Weights, require_exponent, require_resolution
from cnnvis.core.errors import InvalidInputError

LEAST_GAIN = 1e-5
"""Modularity that a pass over all channels must gain to be followed by another; scikit-network counts in float32."""


WeightsName = Literal["power", "exponential"]
AlgorithmName = Literal["louvain", "leiden"]


def link_weights(
    similarity: ArrayLike, weights: WeightsName = "power", *, exponent: float | None = None
) -> NDArray[np.float64]:
    """Return similarities as weights of links: (C, C), symmetric, none negative, 0 on the diagonal.

    Parameters
    ----------
    similarity : (C, C) array_like
        Within [-1, 1], as `similarity` gives it. NaN links nothing, nor is a channel linked whose similarity to all
        others is 0: it is constant.
    weights : {"power", "exponential"}
    exponent : float, optional
        Default 6, and 20 for "exponential".

    Raises
    ------
    InvalidInputError
        When the matrix is not square or not symmetric, or a value lies outside.
    """
    matrix = as_numbers("similarity", similarity)
    rule = parse_choice(Weights, weights, what="weights")
    power = DEFAULT_EXPONENTS[rule] if exponent is None else exponent
    require_exponent(power)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InvalidInputError(f"similarity must be a square matrix (C, C), got shape {matrix.shape}.")
    known: NDArray[np.bool_] = ~(np.isnan(matrix) | np.isnan(matrix.T))
    matrix = np.where(known, matrix, 0.0)
    np.fill_diagonal(matrix, 0.0)
    if not np.allclose(matrix, matrix.T, atol=1e-6):
        raise InvalidInputError("similarity must be symmetric: that of i to j is that of j to i.")
    if np.abs(matrix).max(initial=0.0) > 1 + 1e-6:
        raise InvalidInputError(f"similarity must lie within -1 to 1, got up to {np.abs(matrix).max():.3g}.")
    found = np.maximum(matrix, 0) ** power if rule is Weights.POWER else np.exp(power * (matrix - 1))
    varies = matrix.any(axis=1)
    linked: NDArray[np.float64] = np.where(known & np.logical_and.outer(varies, varies), found, 0.0)
    np.fill_diagonal(linked, 0.0)
    return linked


def communities(
    similarity: ArrayLike,
    *,
    weights: WeightsName = "power",
    exponent: float | None = None,
    algorithm: AlgorithmName = "leiden",
    resolution: float = 1.0,
    random_state: int = 0,
) -> NDArray[np.int64]:
    """Return which group each channel belongs to, so that weight lies within groups rather than between them.

    Parameters
    ----------
    similarity : (C, C) array_like
        As `cnnvis.similarity` gives it.
    weights : {"power", "exponential"}
        See `Weights`; exp(exponent r) is scaled by exp(-exponent), which changes no group.
    exponent : float, optional
        Default 6, and 20 for "exponential". The larger, the more only near equals count, and the more groups there are.
    algorithm : {"leiden", "louvain"}
    resolution : float, default: 1
        Above 1 more and smaller groups, below 1 fewer.
    random_state : int, default: 0
        Seed of the order in which channels are looked at, from 0. Another order may find other groups where channels
        lie between two: `community_stability` tells which groups to trust.

    Returns
    -------
    (C,) int64
        0 is the largest group; of equally large ones that with the lowest channel comes first. Channels without a
        link are groups of one.

    Raises
    ------
    InvalidInputError
        As `link_weights`; for a resolution that is not positive.

    Notes
    -----
    About 0.1 s for 512 channels, all linked to all, during which Python's other threads mostly wait. The work is done
    by scikit-network; its Leiden is made repeatable in `RepeatableLeiden`.
    """
    graph = link_weights(similarity, weights, exponent=exponent)
    method = parse_choice(Algorithm, algorithm, what="algorithm")
    require_resolution(resolution)
    require_number("random_state", random_state, 0, 2**32 - 1, whole=True)
    labels = np.arange(len(graph))
    linked = np.flatnonzero(graph.any(axis=1))
    if linked.size:
        labels[linked] = len(graph) + _partition(graph[np.ix_(linked, linked)], method, resolution, random_state)
    return by_size(labels)


def _partition(graph: NDArray[np.float64], method: Algorithm, resolution: float, seed: int) -> NDArray[np.int64]:
    """Return the group of each node of a graph in which every node has a link."""
    from scipy.sparse import csr_matrix
    from sknetwork.clustering import Louvain

    from cnnvis.analysis._leiden import RepeatableLeiden

    kind = Louvain if method is Algorithm.LOUVAIN else RepeatableLeiden
    engine = kind(
        resolution=resolution,
        tol_optimization=LEAST_GAIN,
        tol_aggregation=LEAST_GAIN,
        shuffle_nodes=True,
        return_probs=False,
        return_aggregate=False,
        random_state=seed,
    )
    return np.asarray(engine.fit_predict(csr_matrix(graph)), np.int64)


def by_size(labels: ArrayLike) -> NDArray[np.int64]:
    """Return groups numbered by size, the largest 0; of equally large ones that with the lowest member comes first."""
    _, first, place, counts = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(counts.size, np.int64)
    rank[np.lexsort((first, -counts))] = np.arange(counts.size)
    return rank[place.ravel()]


def modularity(graph: NDArray[np.float64], labels: NDArray[np.int64], *, resolution: float = 1.0) -> float:
    """Return the share of the links' weight within groups, less what the channels' own weights make likely.

    Parameters
    ----------
    graph : (C, C) ndarray
        As `link_weights` gives it.
    labels : (C,) ndarray of int
    resolution : float

    Returns
    -------
    float
        At most 1; 0 for a graph without links.
    """
    total = graph.sum()
    if total == 0:
        return 0.0
    one_hot = np.eye(int(labels.max()) + 1)[labels]
    within = np.einsum("ck,cd,dk->", one_hot, graph, one_hot, optimize=True)
    degrees = one_hot.T @ graph.sum(axis=1)
    return float(within / total - resolution * np.square(degrees / total).sum())
