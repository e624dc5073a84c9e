"""Where the lines of a gap meet: a few places half-way, each near the middles of lines that serve the same classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import EdgeSet
from cnnvis.layout._profiles import UnitLook
from cnnvis.layout.options import BundleOptions

CLASS_SCALE = 0.3
"""Distance, in layer widths, that counts as much as two lines of classes with nothing in common."""

TRUNK = 0.27
"""Share of the way on which the lines of a hub run together; a longer one saves ink, but takes longer ways."""

MAX_PASSES = 30

STARTS = 4
"""Random starts, of which the best counts: a single one ends in a poor optimum about once in five."""

SAMPLED = 4096
"""Lines that the starts are compared on; from the best one all lines are clustered."""


def choose_hubs(
    middles: NDArray[np.float64], edges: EdgeSet, look: UnitLook, options: BundleOptions, random: np.random.Generator
) -> NDArray[np.int64]:
    """Return the hub of each line, (E,), numbered from 0.

    Hubs are clusters of a k-means (Lloyd, 1982; seeds as in k-means++) of the lines' middles and class vectors,
    weighted with weight and importance of the lines; the best of `STARTS` starts. Cost: O(E hubs (3 + K) passes).

    Parameters
    ----------
    middles : (E, 3) ndarray of float64
        In layer widths.
    edges : EdgeSet
        The same lines.
    """
    features = middles.astype(np.float32)
    if look.directions is not None and options.class_separation > 0:
        mixed = 0.5 * (look.directions[edges.source] + look.directions[edges.target])
        differing = mixed[:, np.ptp(mixed, axis=0) > 0]  # others would do nothing but round
        features = np.hstack([features, np.float32(CLASS_SCALE * options.class_separation) * differing])
    mass = _positive(_positive(edges.weight) * (look.mass[edges.source] + look.mass[edges.target]))
    return _clusters(features, mass.astype(np.float32), min(options.hubs, len(edges)), random)


def trunk_bends(
    begin: NDArray[np.float64], end: NDArray[np.float64], weight: NDArray[np.float64], hubs: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the way from each straight line to where the trunk of its hub begins and ends, (E, 2, 3).

    The trunk runs in the middle of the lines of the hub, weighted, over the share TRUNK of the way.
    """
    bends = []
    for t in ((1 - TRUNK) / 2, (1 + TRUNK) / 2):
        places = (1 - t) * begin + t * end
        bends.append(_means(places, _positive(weight), hubs)[hubs] - places)
    return np.stack(bends, axis=1)


def _positive(mass: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return masses divided by the largest, and above zero: lines without weight have a hub, too."""
    positive: NDArray[np.float64] = mass / (mass.max(initial=0.0) or 1.0) + 1e-6
    return positive


def _clusters(
    features: NDArray[np.float32], mass: NDArray[np.float32], n_clusters: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """Return the cluster of each row of (E, F) features."""
    some = slice(None) if len(features) <= SAMPLED else random.choice(len(features), SAMPLED, replace=False)
    few, weight = features[some], mass[some]
    starts = [_settled(few, weight, _seeds(few, weight, n_clusters, random)) for _ in range(STARTS)]
    centres = min(starts, key=lambda centres: float(weight @ _distances(few, centres).min(axis=1)))
    labels: NDArray[np.int64] = _distances(features, _settled(features, mass, centres)).argmin(axis=1)
    return labels


def _settled(
    features: NDArray[np.float32], mass: NDArray[np.float32], centres: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the centres of clusters that no longer change, or hardly."""
    labels = np.full(len(features), -1)
    for _ in range(MAX_PASSES):
        nearest = _distances(features, centres).argmin(axis=1)
        if np.array_equal(nearest, labels):
            break
        labels = nearest
        full, found = np.unique(labels), _means(features, mass, labels)
        centres = centres.copy()
        centres[full] = found[full]
    return centres


def _distances(features: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the squared distance of each row to each centre, (E, hubs), less the square of the row."""
    distances: NDArray[np.float32] = (centres * centres).sum(axis=1) - 2 * (features @ centres.T)
    return distances


def _seeds(
    features: NDArray[np.float32], mass: NDArray[np.float32], n_clusters: int, random: np.random.Generator
) -> NDArray[np.float32]:
    """Return starting centres: each next one is drawn far from those before it (Arthur and Vassilvitskii, 2007)."""
    chance = mass.astype(np.float64)
    chosen: list[int] = []
    nearest = np.full(len(features), np.inf)
    for _ in range(n_clusters):
        total = np.cumsum(chance)
        chosen.append(min(int(np.searchsorted(total, random.random() * total[-1])), len(features) - 1))
        nearest = np.minimum(nearest, ((features - features[chosen[-1]]) ** 2).sum(axis=1))
        chance = mass * nearest
        if not chance.any():
            break
    return features[chosen]


def _means(values: NDArray[Any], mass: NDArray[Any], labels: NDArray[np.int64]) -> NDArray[Any]:
    """Return the weighted mean of the rows of each label, (labels, F); zero for a label without rows."""
    totals = np.bincount(labels, mass)
    columns = [np.bincount(labels, mass * values[:, column]) for column in range(values.shape[1])]
    means = np.stack(columns, axis=1) / np.maximum(totals, 1e-30)[:, None]
    return means.astype(values.dtype)
