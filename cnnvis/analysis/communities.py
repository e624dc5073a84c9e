"""Groups of channels that behave alike: communities of the graph whose links are similarities."""

from __future__ import annotations

import ctypes
import ctypes.util
import threading
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.core.checks import as_numbers, parse_choice, require_number
from cnnvis.core.communities import CommunityStability, GroupCounts
from cnnvis.core.errors import InvalidInputError

N_DRAWS = 20
"""Draws of images for the stability of groups."""

EXPONENTS = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
"""Exponents at which groups are counted."""

_C_RANDOM = threading.Lock()


class Weights(StrEnum):
    """How a similarity r becomes the weight of a link, which must not be negative.

    `power`: max(r, 0)^exponent [1]_. `exponential`: exp(exponent r), as ReactCNN has it with 20: unlike channels are
    linked too, if weakly.

    References
    ----------
    .. [1] B. Zhang, S. Horvath, "A general framework for weighted gene co-expression network analysis", Statistical
       Applications in Genetics and Molecular Biology 4 (2005).
    """

    POWER = "power"
    EXPONENTIAL = "exponential"


class Algorithm(StrEnum):
    """`louvain` [1]_; `leiden` [2]_, whose groups are always connected.

    References
    ----------
    .. [1] V. D. Blondel, J.-L. Guillaume, R. Lambiotte, E. Lefebvre, "Fast unfolding of communities in large
       networks", Journal of Statistical Mechanics (2008).
    .. [2] V. A. Traag, L. Waltman, N. J. van Eck, "From Louvain to Leiden: guaranteeing well-connected communities",
       Scientific Reports 9 (2019).
    """

    LOUVAIN = "louvain"
    LEIDEN = "leiden"


WeightsName = Literal["power", "exponential"]
AlgorithmName = Literal["louvain", "leiden"]
_EXPONENT = {Weights.POWER: 6.0, Weights.EXPONENTIAL: 20.0}


def link_weights(
    similarity: ArrayLike, weights: WeightsName = "power", *, exponent: float | None = None
) -> NDArray[np.float64]:
    """Return similarities as weights of links: (C, C), symmetric, none negative, 0 on the diagonal.

    Parameters
    ----------
    similarity : (C, C) array_like
        Within [-1, 1], as `similarity` gives it. NaN links nothing.
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
    power = _EXPONENT[rule] if exponent is None else exponent
    require_number("exponent", power, 0, 1000, above=True)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InvalidInputError(f"similarity must be a square matrix (C, C), got shape {matrix.shape}.")
    known = np.isfinite(matrix) & np.isfinite(matrix.T)
    matrix = np.where(known, matrix, 0.0)
    if not np.allclose(matrix, matrix.T, atol=1e-6):
        raise InvalidInputError("similarity must be symmetric: that of i to j is that of j to i.")
    if np.abs(matrix).max(initial=0.0) > 1 + 1e-6:
        raise InvalidInputError(f"similarity must lie within -1 to 1, got up to {np.abs(matrix).max():.3g}.")
    found = np.maximum(matrix, 0) ** power if rule is Weights.POWER else np.exp(power * (matrix - 1))
    found = np.where(known, found, 0.0)
    np.fill_diagonal(found, 0.0)
    return found


def communities(
    similarity: ArrayLike,
    *,
    weights: WeightsName = "power",
    exponent: float | None = None,
    algorithm: AlgorithmName = "louvain",
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
    algorithm : {"louvain", "leiden"}
    resolution : float, default: 1
        Above 1 more and smaller groups, below 1 fewer.
    random_state : int, default: 0
        Seed of the order in which channels are looked at.

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
    About 0.1 s for 512 channels. The work is done by scikit-network. Its Leiden draws from the random numbers of the C
    library, which are seeded here: other threads must not draw from them at the same time, if results are to repeat.
    """
    graph = link_weights(similarity, weights, exponent=exponent)
    method = parse_choice(Algorithm, algorithm, what="algorithm")
    require_number("resolution", resolution, 0, 1e6, above=True)
    labels = np.arange(len(graph))
    linked = np.flatnonzero(graph.any(axis=1))
    if linked.size:
        labels[linked] = len(graph) + _partition(graph[np.ix_(linked, linked)], method, resolution, random_state)
    return by_size(labels)


def _partition(graph: NDArray[np.float64], method: Algorithm, resolution: float, seed: int) -> NDArray[np.int64]:
    from scipy.sparse import csr_matrix
    from sknetwork.clustering import Leiden, Louvain

    links = csr_matrix(graph)
    if method is Algorithm.LOUVAIN:
        found = Louvain(resolution=resolution, shuffle_nodes=True, random_state=seed).fit_predict(links)
    else:
        with _C_RANDOM:
            _seed_c(seed)
            found = Leiden(resolution=resolution, random_state=seed).fit_predict(links)
    return np.asarray(found, np.int64)


def _seed_c(seed: int) -> None:
    library = ctypes.CDLL(ctypes.util.find_library("c") or ctypes.util.find_msvcrt())  # type: ignore[attr-defined]
    library.srand(ctypes.c_uint(seed + 1))


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


def community_stability(
    averages: ArrayLike,
    labels: ArrayLike,
    *,
    n_draws: int = N_DRAWS,
    random_state: int = 0,
    **options: float | str | None,
) -> CommunityStability:
    """Return how groups fare when images are drawn anew, with repeats [1]_.

    Parameters
    ----------
    averages : (N, C) array_like
        One value per image and channel, such as the window of a survey.
    labels : (C,) array_like of int
        Groups, from `communities` with the same options.
    n_draws : int, default: 20
    random_state : int, default: 0
    **options
        As for `communities`.

    Raises
    ------
    InvalidInputError
        With fewer than three images, or labels that do not fit.

    References
    ----------
    .. [1] C. Hennig, "Cluster-wise assessment of cluster stability", Computational Statistics & Data Analysis 52
       (2007).
    """
    values = _many_averages(averages)
    groups = np.asarray(labels, np.int64)
    if groups.shape != (values.shape[1],):
        raise InvalidInputError(f"labels must be ({values.shape[1]},), one per channel, got shape {groups.shape}.")
    random = np.random.default_rng(random_state)
    overlaps = []
    for _ in range(n_draws):
        drawn = values[random.integers(len(values), size=len(values))]
        other = communities(_correlation(drawn), random_state=random_state, **options)  # type: ignore[arg-type]
        overlaps.append(_best_overlap(groups, other))
    return CommunityStability(groups, np.array(overlaps))


def group_counts(
    averages: ArrayLike,
    *,
    exponents: tuple[float, ...] = EXPONENTS,
    n_draws: int = 5,
    random_state: int = 0,
    algorithm: AlgorithmName = "louvain",
    resolution: float = 1.0,
) -> GroupCounts:
    """Return how many groups there are for each exponent of the weights, beside shuffled images.

    In the shuffled draws each channel's averages are put in an order of their own, so that channels have nothing in
    common but their distributions: groups found there are chance.

    Parameters
    ----------
    averages : (N, C) array_like
        One value per image and channel, such as the window of a survey.
    exponents : sequence of float
    n_draws : int, default: 5
    random_state : int, default: 0
    algorithm, resolution
        As for `communities`.

    Raises
    ------
    InvalidInputError
        With fewer than three images.
    """
    values = _many_averages(averages)
    random = np.random.default_rng(random_state)
    null = [_correlation(random.permuted(values, axis=0)) for _ in range(n_draws)]

    def counted(similarity: NDArray[np.float64], exponent: float) -> tuple[int, float]:
        options = {"exponent": exponent, "algorithm": algorithm, "resolution": resolution}
        labels = communities(similarity, random_state=random_state, **options)  # type: ignore[arg-type]
        share = modularity(link_weights(similarity, exponent=exponent), labels, resolution=resolution)
        return int((np.bincount(labels) > 1).sum()), share

    found = np.array([counted(_correlation(values), exponent) for exponent in exponents])
    chance = np.array([[counted(matrix, exponent) for exponent in exponents] for matrix in null])
    return GroupCounts(np.array(exponents), found[:, 0], found[:, 1], chance[..., 0], chance[..., 1])


def _many_averages(averages: ArrayLike) -> NDArray[np.float64]:
    values = as_numbers("averages", averages)
    if values.ndim != 2 or len(values) < 3:
        raise InvalidInputError(
            f"Averages must be (N, C) of at least three images, got shape {values.shape}: survey more images."
        )
    return values


def _correlation(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (C, C) correlation; NaN for channels that do not vary or miss values."""
    with np.errstate(invalid="ignore", divide="ignore"):
        matrix: NDArray[np.float64] = np.atleast_2d(np.corrcoef(values.T))
    return np.clip(matrix, -1.0, 1.0)


def _best_overlap(groups: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return, by group, the largest intersection / union with one of the others."""
    ours, theirs = np.eye(groups.max() + 1)[groups], np.eye(others.max() + 1)[others]
    shared = ours.T @ theirs
    union = ours.sum(axis=0)[:, None] + theirs.sum(axis=0) - shared
    best: NDArray[np.float64] = (shared / union).max(axis=1)
    return best
