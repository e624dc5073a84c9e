"""How closely the lines of a drawn network run together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.checks import frozen_array, require_shape
from cnnvis.core.errors import InvalidInputError


@dataclass(frozen=True, slots=True, eq=False)
class Compactness:
    """How much closer together lines run than straight lines between the same ends; see `edge_compactness`.

    Parameters
    ----------
    gaps : tuple of (int, int)
        Layer indices of source and target of each gap.
    bundled, straight : (G,) ndarray of float64
        Harmonic mean distance of two lines of the gap, each drawn by its importance, in layer widths: of the lines
        as they are, and straight. NaN for a gap without two lines that have importance.
    """

    gaps: tuple[tuple[int, int], ...]
    bundled: NDArray[np.float64]
    straight: NDArray[np.float64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "gaps", tuple((int(source), int(target)) for source, target in self.gaps))
        for name in ("bundled", "straight"):
            array = frozen_array(getattr(self, name), dtype=np.float64)
            require_shape(name, array, (len(self.gaps),))
            object.__setattr__(self, name, array)
        if not np.isfinite(self.bundled + self.straight).any():
            raise InvalidInputError(
                "Compactness needs a gap between layers with at least two lines that have importance; there is none."
            )

    @property
    def value(self) -> float:
        """How many times closer together than straight, 1 where nothing changed; the geometric mean over the gaps."""
        return self.straight_distance / self.distance

    @property
    def distance(self) -> float:
        """Distance of two lines as they are, in layer widths; the geometric mean over the gaps."""
        return float(np.exp(np.nanmean(np.log(self.bundled))))

    @property
    def straight_distance(self) -> float:
        """Distance of two lines drawn straight, in layer widths; the geometric mean over the gaps."""
        return float(np.exp(np.nanmean(np.log(self.straight))))
