"""What a threshold of importance leaves: how many lines or units, and how much of the importance they have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import BundledNetwork, PointSet, PolylineSet


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Lines or units by importance.

    Parameters
    ----------
    what : str
        "edges" or "units".
    strength : (N,) ndarray of float
        By which they are hidden, growing.
    summed : (N + 1,) ndarray of float
        Importance of those from each place on to the last; 0 at the end.
    n_total : int
        How many there are of the network, those among them that are not drawn.
    total : float
        Their importance.
    """

    what: str
    strength: NDArray[np.float64]
    summed: NDArray[np.float64]
    n_total: int
    total: float

    @classmethod
    def of(cls, data: PolylineSet | PointSet, network: BundledNetwork | None = None) -> Kept:
        """Return it for the data of an item, and the network they are of, where it is known."""
        n, is_lines = len(data), isinstance(data, PolylineSet)
        arrays = data.line_arrays if isinstance(data, PolylineSet) else data.arrays
        strength = arrays.get("importance", np.ones(n)).astype(np.float64)
        worth, n_total, total = strength, n, None
        if is_lines and network is not None and len(network.edges) == n:
            edges = network.edges
            worth = edges.weight if edges.importance is None else edges.importance
            total = edges.weight_total if edges.importance is None else edges.importance_total
            n_total = n if edges.n_total is None else edges.n_total
        order = np.argsort(strength)
        summed = np.concatenate([np.cumsum(worth[order][::-1])[::-1], [0.0]])
        whole = float(summed[0]) if total is None else total
        return cls("edges" if is_lines else "units", strength[order], summed, n_total, whole)

    def text(self, threshold: float) -> str:
        """Return what is drawn at a threshold, in words: "500 of 67,963 edges, importance kept 41.2 %"."""
        first = int(np.searchsorted(self.strength, np.float64(threshold)))
        share = self.summed[first] / self.total if self.total else 1.0
        n = len(self.strength) - first
        return f"{n:,} of {self.n_total:,} {self.what}, importance kept {100 * share:.1f} %"
