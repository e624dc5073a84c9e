"""What a threshold of importance leaves: how many lines or units, and how much of the importance they have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import BundledNetwork, PolylineSet
from cnnvis.scene import NetworkItem, Selection, Stance, stances


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Lines or units by importance.

    Parameters
    ----------
    what : str
        "edges" or "units".
    strength : (N,) ndarray of float
        Of those whose layers are shown: by which they are hidden, growing.
    summed : (N + 1,) ndarray of float
        Importance of those from each place on to the last; 0 at the end.
    n_total : int
        How many there are of the network, those among them that were left out when it was bundled.
    total : float
        Their importance.
    left : str
        What of them was bundled, in words; "" for all.
    """

    what: str
    strength: NDArray[np.float64]
    summed: NDArray[np.float64]
    n_total: int
    total: float
    left: str = ""

    @classmethod
    def of(cls, item: NetworkItem, network: BundledNetwork | None = None) -> Kept:
        """Return it for an item, and the network that its data are of, where it is known."""
        data = item.data
        n, is_lines = len(data), isinstance(data, PolylineSet)
        arrays = data.line_arrays if isinstance(data, PolylineSet) else data.arrays
        strength = arrays.get("importance", np.ones(n)).astype(np.float64)
        worth, n_total, total, left = strength, n, None, ""
        if is_lines and network is not None and len(network.edges) == n:
            edges = network.edges
            worth = edges.weight if edges.importance is None else edges.importance
            total = edges.weight_total if edges.importance is None else edges.importance_total
            n_total = n if edges.n_total is None else edges.n_total
            left = edges.caption if n < n_total else ""
        whole = float(worth.sum()) if total is None else total
        seen = np.flatnonzero(stances(item, Selection()) != Stance.HIDDEN)
        order = seen[np.argsort(strength[seen])]
        summed = np.concatenate([np.cumsum(worth[order][::-1])[::-1], [0.0]])
        return cls("edges" if is_lines else "units", strength[order], summed, n_total, whole, left)

    def text(self, threshold: float) -> str:
        """Return what is drawn at a threshold, in words: "drawn: 500 of 67,963 edges, importance kept 41.2 %".

        Where edges were left out before, a second line says what was bundled.
        """
        first = int(np.searchsorted(self.strength, np.float64(threshold)))
        share = self.summed[first] / self.total if self.total else 1.0
        n = len(self.strength) - first
        drawn = f"drawn: {n:,} of {self.n_total:,} {self.what}, importance kept {100 * share:.1f} %"
        return drawn + (f"\nbundled: {self.left}" if self.left else "")
