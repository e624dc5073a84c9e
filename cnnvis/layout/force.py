"""Nodes of a graph placed by forces: linked ones attract, all repel, so that groups come apart."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.core.checks import as_numbers, require_finite, require_not_negative, require_number, require_shape
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.progress import Progress, silent
from cnnvis.layout._force_kernel import forces, push_apart

N_STEPS = 400
"""Over the last ten nodes of real layers move by 0.3 % of the picture's radius on average, or less."""

EARLY_STEPS = 100
"""So long links pull EARLY_PULL times as strongly: groups gather while they can still pass through each other."""

EARLY_PULL = 4.0

OTHER_GROUP = 0.3
"""Factor on links between groups, where groups are given."""

LEAST_MASS = 0.2
"""Mass of a node without links; the mean mass is 1."""

GRAVITY = 0.002
"""Pull to the middle per distance, which keeps what is linked to nothing in the picture."""

START_RADIUS = 7.0
"""Radius of the picture before it is framed; of layers with 192 to 1,280 channels it is between 6 and 8."""

SPACING = 0.8
"""Least distance of two nodes, as a share of the radius over C^(1 / n_dimensions): they fill a sixth of the picture."""

MAX_PUSHES = 200
TOLERANCE = 0.05
"""Share of the least distance that may be missing where groups are so dense that pushing takes long."""

MAX_NODES = 8192
"""Every pair is looked at in each step; at this size the weights take a quarter of a gigabyte."""


def force_layout(
    weights: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    n_dimensions: int = 2,
    start: ArrayLike | None = None,
    random_state: int = 0,
    progress: Progress = silent,
) -> NDArray[np.float64]:
    """Return places of the nodes of a graph: the more two are linked, the nearer they stand.

    Parameters
    ----------
    weights : (C, C) array_like
        Of the links: symmetric, finite, not negative; the diagonal does not count. Of similarities:
        `analysis.link_weights`.
    labels : (C,) array_like of int, optional
        Groups, as of `cnnvis.communities`: links between different groups then pull OTHER_GROUP times as strongly,
        so that the groups stand apart more clearly than the weights alone would have it.
    n_dimensions : {2, 3}
    start : (C, n_dimensions) array_like, optional
        Places to begin from, such as those of a moment ago, so that nodes stay about where they were; default: at
        random near the middle.
    random_state : int, default: 0
        Seed of the places to begin from. Not negative.
    progress : callable
        Called after each of N_STEPS short steps; what it raises ends the work.

    Returns
    -------
    (C, n_dimensions) float64
        Centred on 0, the farthest node at distance 1, no two much nearer to each other than
        SPACING / C^(1 / n_dimensions).

    Raises
    ------
    InvalidInputError
        When weights are not as above or there are more than MAX_NODES, and for labels or places that do not fit.

    Notes
    -----
    The energy that nodes move down is, with q_ij = 1 / (1 + |x_i - x_j|^2),

        - sum w_ij log q_ij / sum w_ij  +  log sum m_i m_j q_ij

    as in t-SNE [1]_, whose forces fade with the distance, so that groups become patches with room between them. Nodes
    repel by mass as in LinLog [2]_: m is mostly the node's own sum of weights. What a link adds is thus weighed
    against what two such nodes would have in common by chance, as in modularity, and the picture shows the groups
    that communities find.

    Nodes of groups that are linked all alike would fall onto one spot: at last those too near are pushed apart.

    Cost: C^2 x N_STEPS; 0.15 s for 512 nodes, 0.8 s for 1,280, on one core. Other threads run meanwhile. The same seed
    gives the same places on the same computer.

    ForceAtlas2 of networkx 3.6 takes 4 s for 100 iterations on 512 nodes of a complete graph, and groups are still
    mixed then: its masses count links without their weights, and here all nodes are linked to all.

    References
    ----------
    .. [1] L. van der Maaten, G. Hinton, "Visualizing data using t-SNE", Journal of Machine Learning Research 9 (2008).
    .. [2] A. Noack, "Modularity clustering is force-directed layout", Physical Review E 79 (2009).
    """
    graph = _checked_weights(weights)
    require_number("n_dimensions", n_dimensions, 2, 3, whole=True)
    require_number("random_state", random_state, 0, 2**32 - 1, whole=True)
    if labels is not None:
        groups = np.asarray(labels)
        require_shape("labels", groups, (len(graph),))
        graph = np.where(groups[:, None] == groups, graph, OTHER_GROUP * graph)
    shape = (len(graph), n_dimensions)
    places = _random_start(shape, random_state) if start is None else _given_start(start, shape)
    for done, moved in enumerate(_moves(graph, places, gather=start is None), start=1):
        places = moved
        progress(done, N_STEPS)
    return _framed(_parted(_framed(places)))


def _checked_weights(weights: ArrayLike) -> NDArray[np.float64]:
    """Return the weights, the diagonal 0."""
    graph = as_numbers("weights", weights)
    require_shape("weights", graph, (None, graph.shape[0] if graph.ndim else None))
    if len(graph) > MAX_NODES:
        raise InvalidInputError(
            f"There are {len(graph):,} nodes; every pair of them is looked at, which allows {MAX_NODES:,}. "
            "Lay out one layer at a time."
        )
    require_finite("weights", graph)
    require_not_negative("weights", graph)
    if not np.allclose(graph, graph.T, rtol=1e-6, atol=0):
        raise InvalidInputError("weights must be symmetric: the link from i to j is that from j to i.")
    return graph * (1 - np.eye(len(graph)))


def _random_start(shape: tuple[int, int], seed: int) -> NDArray[np.float64]:
    """Return places close together."""
    return np.random.default_rng(seed).normal(scale=0.01, size=shape)


def _given_start(start: ArrayLike, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the places of an earlier result, as wide as they were before they were framed."""
    places = as_numbers("start", start)
    require_shape("start", places, shape)
    require_finite("start", places)
    return START_RADIUS * places


def _moves(graph: NDArray[np.float64], begin: NDArray[np.float64], *, gather: bool) -> Iterator[NDArray[np.float64]]:
    """Yield the places after each step down the energy: momentum, and a rate of its own for every coordinate.

    A rate grows while its coordinate keeps its direction and shrinks where it turns (R. A. Jacobs, "Increased rates of
    convergence through learning rate adaptation", Neural Networks 1, 1988).
    """
    n, n_dimensions = begin.shape
    total = graph.sum()
    pulls = (graph / total if total > 0 else graph).astype(np.float32)
    sums = graph.sum(axis=1)
    mass = LEAST_MASS + (1 - LEAST_MASS) * (sums / sums.mean() if total > 0 else np.ones(n))
    places = np.zeros((3, n), np.float32)  # in the plane the third coordinate stays 0
    places[:n_dimensions] = begin.T
    velocity, rates = np.zeros((3, n)), np.ones((3, n))
    for step in range(N_STEPS):
        gathering = gather and step < EARLY_STEPS
        attraction, repulsion = forces(places, pulls, mass.astype(np.float32))
        force = (EARLY_PULL if gathering else 1.0) * attraction - repulsion - GRAVITY * places / n
        rates = np.maximum(np.where(force * velocity > 0, rates + 0.2, rates * 0.8), 0.01)
        velocity = (0.5 if gathering else 0.8) * velocity + n / mass * rates * force
        places = (places + velocity).astype(np.float32)
        yield places[:n_dimensions].T.astype(np.float64)


def _parted(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return framed places, no two nearer than SPACING allows: those linked strongly would lie on one spot."""
    n, n_dimensions = places.shape
    apart = np.zeros((3, n))
    apart[:n_dimensions] = places.T
    least = SPACING / max(n, 1) ** (1 / n_dimensions)
    for _ in range(MAX_PUSHES):
        if push_apart(apart, least) <= TOLERANCE * least:
            break
    return apart[:n_dimensions].T


def _framed(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the places about their mean, the farthest at distance 1."""
    centred: NDArray[np.float64] = places - places.sum(axis=0) / max(len(places), 1)
    radius = np.linalg.norm(centred, axis=1).max(initial=0.0)
    return centred / radius if radius > 0 else centred
