"""How far correlations still move while images are added."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cnnvis.capture.surveying.network import NetworkAccumulator
from cnnvis.core import Convergence

FIRST = 16
"""Images of the first point."""


class ConvergenceCurve:
    """Notes the correlations whenever the number of images has doubled, and how far they moved since.

    While the window still holds all images, points are at 16, 32, 64 ...; later at the first end of a shard behind.

    Attributes
    ----------
    points : list of int
        Numbers of images.
    change : dict of str to list of float
    """

    def __init__(self) -> None:
        self.points: list[int] = []
        self.change: dict[str, list[float]] = {}
        self.before: dict[str, NDArray[np.float64]] = {}

    def note(self, taken: NetworkAccumulator, *, is_last: bool = False) -> None:
        """Add the points that are due, and with `is_last` one at the end.

        Cost: C^2 of each layer per point; for those before the end of a shard the products of its averages once more.
        """
        n_images = taken.n_images
        while (due := self._due) <= n_images:
            at = due if len(taken.recent) == n_images else n_images
            if at < n_images:
                self._add(at, {name: layer.early_correlation(at) for name, layer in taken.layers.items()})
            else:
                self._add(at, {name: layer.correlation() for name, layer in taken.layers.items()})
        if is_last and n_images >= 2 and self.points[-1:] != [n_images]:
            self._add(n_images, {name: layer.correlation() for name, layer in taken.layers.items()})

    @property
    def _due(self) -> int:
        """Images of the next point."""
        return FIRST if not self.points else max(FIRST, 1 << self.points[-1].bit_length())

    def _add(self, n_images: int, correlations: Mapping[str, NDArray[np.float64]]) -> None:
        self.points.append(n_images)
        for name, now in correlations.items():
            self.change.setdefault(name, []).append(_moved(self.before.get(name), now))
            self.before[name] = now

    def result(self) -> Convergence | None:
        """Return the curve; None with fewer than two images."""
        if not self.points:
            return None
        return Convergence(np.array(self.points), {name: np.array(change) for name, change in self.change.items()})


def _moved(before: NDArray[np.float64] | None, now: NDArray[np.float64]) -> float:
    """Return the root mean square difference over pairs of channels that are defined in both."""
    if before is None:
        return np.nan
    pairs = np.triu(np.isfinite(before) & np.isfinite(now), k=1)
    if not pairs.any():
        return np.nan
    return float(np.sqrt(np.square(now[pairs] - before[pairs]).mean()))
