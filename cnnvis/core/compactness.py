"""How closely the lines of a drawn network run together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.checks import frozen_array, require_finite, require_shape
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


@dataclass(frozen=True, slots=True, eq=False)
class CompactnessRuns:
    """Edge compactness of one kind of network, trained from several seeds, beside what else is known of them.

    Parameters
    ----------
    kind : str
        "untrained", "trained" ...
    values : (S,) ndarray of float64
        One per training seed.
    controls : (S, R) ndarray of float64
        The same with importances permuted, R times per network; R may be 0.
    test_accuracy : (S,) ndarray of float64
        Share of right answers on held-out images.
    train_accuracy : (S,) ndarray of float64 or None
        The same on the training images; None where they are not known.
    """

    kind: str
    values: NDArray[np.float64]
    controls: NDArray[np.float64]
    test_accuracy: NDArray[np.float64]
    train_accuracy: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        values = frozen_array(self.values, dtype=np.float64)
        require_shape("values", values, (None,))
        object.__setattr__(self, "values", values)
        for name, shape in (("controls", (None,)), ("test_accuracy", ()), ("train_accuracy", ())):
            if getattr(self, name) is not None:
                array = frozen_array(getattr(self, name), dtype=np.float64)
                require_shape(f"{name} of {self.kind!r}", array, (values.size, *shape))
                require_finite(f"{name} of {self.kind!r}", array)
                object.__setattr__(self, name, array)
        require_finite(f"compactness of {self.kind!r}", values)
        if not values.size:
            raise InvalidInputError(f"There is no compactness of {self.kind!r}: at least one network is needed.")

    @property
    def control(self) -> NDArray[np.float64]:
        """Mean of the controls of each network, (S,); NaN without controls."""
        return self.controls.mean(axis=1) if self.controls.size else np.full(self.values.size, np.nan)

    @property
    def gap(self) -> NDArray[np.float64] | None:
        """Accuracy on the training images less that on held-out ones, (S,); None where the former are not known."""
        return None if self.train_accuracy is None else self.train_accuracy - self.test_accuracy
