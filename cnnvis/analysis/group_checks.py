"""How far groups of channels can be trusted: on other images, under other weights, beside chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.analysis.communities import AlgorithmName, WeightsName, communities, link_weights, modularity
from cnnvis.analysis.moments import channel_moments
from cnnvis.core.checks import as_numbers, frozen_integers, require_not_negative, require_number, require_shape
from cnnvis.core.communities import CommunityStability, GroupCounts
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.progress import Progress, silent

N_DRAWS = 20
"""Draws of images for the stability of groups."""

N_SHUFFLES = 5
"""Draws of shuffled images beside the number of groups."""

EXPONENTS = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
"""Exponents at which groups are counted."""


class GroupRule(TypedDict, total=False):
    """How groups are found, but for the exponent: options of `communities`."""

    weights: WeightsName
    algorithm: AlgorithmName
    resolution: float


class CommunityRule(GroupRule, total=False):
    """How groups are found: options of `communities`."""

    exponent: float | None


def community_stability(
    averages: ArrayLike,
    labels: ArrayLike,
    *,
    n_draws: int = N_DRAWS,
    random_state: int = 0,
    progress: Progress = silent,
    **rule: Unpack[CommunityRule],
) -> CommunityStability:
    """Return how groups fare when images are drawn anew, with repeats [1]_.

    In each draw as many images are drawn as there are, groups are found in them, and each of `labels` is compared with
    the one most like it. Channels are seen in another order each time, so that the chance in the search counts too.

    Parameters
    ----------
    averages : (N, C) array_like
        One value per image and channel, such as the window of a survey. NaN counts as its channel's mean.
    labels : (C,) array_like of int
        Groups from 0, from `communities` with the same rule.
    n_draws : int, default: 20
    random_state : int, default: 0
    progress : callable, optional
        After each draw; may raise to cancel.
    **rule
        `weights`, `exponent`, `algorithm` and `resolution` of `communities`.

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
    groups = frozen_integers("labels", labels)
    require_shape("labels", groups, (values.shape[1],))
    require_not_negative("labels", groups)
    require_number("n_draws", n_draws, 1, 1e6, whole=True)
    random = np.random.default_rng(random_state)
    overlaps = []
    for draw in range(n_draws):
        drawn = values[random.integers(len(values), size=len(values))]
        seed = int(random.integers(2**32))
        found = communities(channel_moments(drawn).pearson(), random_state=seed, **rule)
        overlaps.append(_best_overlap(groups, found))
        progress(draw + 1, n_draws)
    return CommunityStability(groups, np.array(overlaps))


def group_counts(
    averages: ArrayLike,
    *,
    exponents: Sequence[float] = EXPONENTS,
    n_draws: int = N_SHUFFLES,
    random_state: int = 0,
    progress: Progress = silent,
    **rule: Unpack[GroupRule],
) -> GroupCounts:
    """Return how many groups there are for each exponent of the weights, beside shuffled images.

    In the shuffled draws each channel's averages are put in an order of their own, so that channels have nothing in
    common but their distributions: groups found there are chance.

    Parameters
    ----------
    averages : (N, C) array_like
        One value per image and channel, such as the window of a survey. NaN counts as its channel's mean.
    exponents : sequence of float
    n_draws : int, default: 5
    random_state : int, default: 0
    progress : callable, optional
        After each exponent of each draw; may raise to cancel.
    **rule
        `weights`, `algorithm` and `resolution` of `communities`.

    Raises
    ------
    InvalidInputError
        With fewer than three images.
    """
    values = _many_averages(averages)
    require_number("n_draws", n_draws, 1, 1e6, whole=True)
    random = np.random.default_rng(random_state)
    total = (n_draws + 1) * len(exponents)
    counts = []
    for draw in range(n_draws + 1):  # the first is as it is
        shown = random.permuted(values, axis=0) if draw else values
        matrix = channel_moments(shown).pearson()
        for exponent in exponents:
            counts.append(_counted(matrix, exponent, random_state, rule))
            progress(len(counts), total)
    table = np.array(counts).reshape(n_draws + 1, len(exponents), 2)
    found, share = table[..., 0], table[..., 1]
    return GroupCounts(np.array(exponents), found[0], share[0], found[1:], share[1:])


def _counted(matrix: NDArray[np.float64], exponent: float, seed: int, rule: GroupRule) -> tuple[int, float]:
    """Return the number of groups of two channels and more, and the modularity of all."""
    labels = communities(matrix, exponent=exponent, random_state=seed, **rule)
    graph = link_weights(matrix, rule.get("weights", "power"), exponent=exponent)
    several = int((np.bincount(labels) > 1).sum())
    return several, modularity(graph, labels, resolution=rule.get("resolution", 1.0))


def _many_averages(averages: ArrayLike) -> NDArray[np.float64]:
    values = as_numbers("averages", averages)
    if values.ndim != 2 or len(values) < 3 or not values.shape[1]:
        raise InvalidInputError(
            f"Averages must be (N, C) of at least three images and a channel, got shape {values.shape}: "
            "survey more images."
        )
    return values


def _best_overlap(groups: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return, by group, the largest intersection / union with one of the others."""
    ours, theirs = np.eye(groups.max() + 1)[groups], np.eye(others.max() + 1)[others]
    shared = ours.T @ theirs
    union = ours.sum(axis=0)[:, None] + theirs.sum(axis=0) - shared
    best: NDArray[np.float64] = (shared / union).max(axis=1)
    return best
