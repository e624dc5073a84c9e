"""Places of nodes that links pull together and nearness pushes apart: the picture of a graph of similar channels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.core.checks import as_numbers, require_number
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.progress import Progress, silent

N_STEPS = 200
FIRST_STEP = 0.1
"""Furthest that a node moves in the first step, as a share of the picture's radius; it falls to a hundredth of that."""

LEAST_MASS = 0.05
"""Mass of a node with hardly any links, that of an average node is 1."""

NEAREST = 1e-3
"""Distance below which nodes push each other no harder, as a share of the radius."""


def force_layout(
    weights: ArrayLike,
    *,
    n_dimensions: int = 2,
    random_state: int = 0,
    n_steps: int = N_STEPS,
    progress: Progress = silent,
) -> NDArray[np.float64]:
    """Return places of C nodes, groups of linked ones apart from each other: the LinLog energy model [1]_.

    Links pull with their weight, whatever their length; nodes push each other with the product of their masses, the
    sums of their weights, over the distance. In its equilibrium groups are the further apart the less links there are
    between them.

    Parameters
    ----------
    weights : (C, C) array_like
        Symmetric, none negative, as `cnnvis.analysis.link_weights` gives them. The diagonal does not count.
    n_dimensions : {2, 3}
    random_state : int, default: 0
        Seed of the first places.
    n_steps : int, default: 200
    progress : callable, optional
        After each step; may raise to cancel.

    Returns
    -------
    (C, n_dimensions) float64
        Around 0, root mean square distance 1.

    Raises
    ------
    InvalidInputError
        When the weights are not square, negative, NaN or infinite.

    Notes
    -----
    Cost: every pair in each step, 1.2 s for 512 nodes on one core; memory 4 C^2 x 4 bytes.

    References
    ----------
    .. [1] A. Noack, "Energy models for graph clustering", Journal of Graph Algorithms and Applications 11 (2007).
    """
    matrix = as_numbers("weights", weights)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
        raise InvalidInputError(f"weights must be a square matrix (C, C), got shape {matrix.shape}.")
    if not np.isfinite(matrix).all() or (matrix < 0).any():
        raise InvalidInputError("weights must be finite and not negative, see cnnvis.analysis.link_weights.")
    require_number("n_dimensions", n_dimensions, 2, 3, whole=True)
    require_number("n_steps", n_steps, 1, 1e6, whole=True)
    matrix = matrix.copy()
    np.fill_diagonal(matrix, 0.0)
    masses = matrix.sum(axis=1)
    total = float(masses.sum())
    masses = masses / total * len(matrix) if total else np.ones(len(matrix))
    pull = (matrix / total * len(matrix) if total else matrix).astype(np.float32)
    masses = np.maximum(masses, LEAST_MASS).astype(np.float32)
    places = _scaled(_first_places(pull, masses, n_dimensions, random_state))
    for step in range(n_steps):
        furthest = FIRST_STEP * 0.01 ** (step / n_steps)
        places = _scaled(places + _moves(places, pull, masses, furthest))
        progress(step + 1, n_steps)
    return places.astype(np.float64)


def _first_places(
    pull: NDArray[np.float32], masses: NDArray[np.float32], n_dimensions: int, random_state: int
) -> NDArray[np.float32]:
    """Return places by the slowest modes of the graph, where groups lie apart already, and a little noise."""
    n = len(pull)
    noise = np.random.default_rng(random_state).standard_normal((n, n_dimensions)).astype(np.float32)
    if n <= n_dimensions + 1:
        return noise
    scale = 1 / np.sqrt(masses)
    _, modes = np.linalg.eigh(pull * scale[:, None] * scale)
    modes = modes[:, -2 : -2 - n_dimensions : -1]
    largest = np.abs(modes).argmax(axis=0)
    signs = np.sign(modes[largest, np.arange(n_dimensions)])  # an eigenvector's sign means nothing
    placed: NDArray[np.float32] = modes * signs * np.float32(np.sqrt(n)) + 0.1 * noise
    return placed.astype(np.float32)


def _moves(
    places: NDArray[np.float32], pull: NDArray[np.float32], masses: NDArray[np.float32], furthest: float
) -> NDArray[np.float32]:
    """Return how each node moves: along its force, at most `furthest`."""
    squares = (places**2).sum(axis=1)
    distance = squares[:, None] + squares - 2 * (places @ places.T)
    np.maximum(distance, NEAREST**2, out=distance)
    net = masses[:, None] * (masses / np.float32(len(places))) / distance - pull / np.sqrt(distance)
    np.fill_diagonal(net, 0.0)
    force = net.sum(axis=1)[:, None] * places - net @ places
    force -= 0.1 * masses[:, None] * places  # what is linked to nothing stays in the picture
    force /= masses[:, None]
    size = np.linalg.norm(force, axis=1, keepdims=True)
    typical = np.maximum(np.median(size), np.finfo(np.float32).tiny)
    moves: NDArray[np.float32] = force / np.maximum(size, typical) * np.float32(furthest)
    return moves


def _scaled(places: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return places around 0 with root mean square distance 1."""
    places = places - places.mean(axis=0)
    radius = float(np.sqrt((places**2).sum(axis=1).mean()))
    return places / np.float32(radius) if radius > 0 else places
