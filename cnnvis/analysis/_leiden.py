"""scikit-network's Leiden with a refinement that gives the same result each time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sknetwork.clustering import Leiden


class RepeatableLeiden(Leiden):  # type: ignore[misc]
    """Leiden [1]_; nodes join the best part of their group, where scikit-network 0.33 draws one.

    It draws from the random numbers of the C library, which no `random_state` seeds: results differ from call to call.

    References
    ----------
    .. [1] V. A. Traag, L. Waltman, N. J. van Eck, "From Louvain to Leiden: guaranteeing well-connected communities",
       Scientific Reports 9 (2019).
    """

    def _optimize_refine(
        self,
        labels: NDArray[Any],
        labels_refined: NDArray[Any],
        adjacency: Any,
        out_weights: NDArray[Any],
        in_weights: NDArray[Any],
    ) -> NDArray[Any]:
        """Return the part of every node: parts lie within groups. The base class calls this between its passes."""
        parts, links, masses = labels_refined.copy(), adjacency.toarray(), (out_weights + in_weights) / 2
        for group in np.flatnonzero(np.bincount(labels) > 1):
            members = np.flatnonzero(labels == group)
            parts[members] = members[parts_of_group(links[np.ix_(members, members)], masses[members], self.resolution)]
        return parts


def parts_of_group(
    links: NDArray[np.float64], masses: NDArray[np.float64], resolution: float = 1.0
) -> NDArray[np.int64]:
    """Return well-connected parts of one group: one by one, nodes still alone join the part that gains most by it.

    Parameters
    ----------
    links : (n, n) ndarray of float
        Symmetric, as shares of the weight of the whole graph. The diagonal does not count.
    masses : (n,) ndarray of float
        Weight of each node's links in the whole graph, a share as well.
    resolution : float

    Returns
    -------
    (n,) int64
        Each part has the number of one of its nodes.
    """
    links = links * (1 - np.eye(len(links)))
    parts, alone, total = np.arange(len(masses)), np.ones(len(masses), bool), masses.sum()
    outward, mass = links.sum(axis=1), masses.copy()  # of parts: weight to the rest of the group, and mass
    rooted = outward >= resolution * mass * (total - mass)
    for node in np.flatnonzero(rooted):
        if not alone[node]:
            continue
        toward = np.bincount(parts, links[node], minlength=len(parts))
        gain = toward - resolution * masses[node] * mass
        gain[outward < resolution * mass * (total - mass)] = 0.0
        gain[node] = 0.0
        best = int(gain.argmax())
        if gain[best] <= 0:
            continue
        outward[best] += outward[node] - 2 * toward[best]
        mass[best] += mass[node]
        outward[node] = mass[node] = 0.0
        parts[node], alone[node], alone[best] = best, False, False
    return parts
