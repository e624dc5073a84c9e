"""How far correlations still move while images are added."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnnvis.capture.surveying.network import NetworkAccumulator
from cnnvis.core import Convergence


class ConvergenceCurve:
    """Notes the correlations whenever the number of images has doubled, and how far they moved since.

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
        """Add a point where it is due: twice the images of the point before, or the end. Cost: C^2 of each layer."""
        n_images = taken.n_images
        if n_images < 2 or self.points[-1:] == [n_images]:
            return
        if self.points and n_images < 2 * self.points[-1] and not is_last:
            return
        self.points.append(n_images)
        for name, layer in taken.layers.items():
            now = layer.correlation()
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
