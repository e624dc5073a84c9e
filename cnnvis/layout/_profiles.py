"""What units give their lines: mass, and vectors whose dot product says how strongly two lines attract each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.core import EdgeSet, Layout
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.links import LinkKind
from cnnvis.layout._unit_values import unit_values

SHARPNESS = 4.0
"""Exponent on class profiles before they are compared: most units serve all classes a little."""

MAX_CHANNELS = 4
"""Class vectors of more classes are projected onto as many directions for the density. With 10 classes that moves
points by 0.06 % of a layer width on the average and by 1 % at most (784-81-49-10), and halves the time."""

SHARES: dict[str, NDArray[np.float32]] = {
    LinkKind.INTERPOLATE: np.array([[1, -1], [0, 1]], np.float32),
    LinkKind.START: np.array([[1, 0], [0, 0]], np.float32),
    LinkKind.BOTH: np.array([[1, 0], [1, 0]], np.float32),
    LinkKind.END: np.array([[0, 0], [1, 0]], np.float32),
}
"""How much source and target count at t, as value at the source and slope."""


@dataclass(frozen=True, slots=True, eq=False)
class UnitLook:
    """Importance of the units as bundling and drawing use it.

    Parameters
    ----------
    mass : (U,) ndarray of float32
        Importance, largest 1.
    profiles : (U, K) ndarray of float64 or None
    directions : (U, K) ndarray of float32 or None
        Unit vectors of the sharpened profiles.
    reduced : (U, R) ndarray of float32 or None
        The same in R <= MAX_CHANNELS dimensions.
    """

    mass: NDArray[np.float32]
    profiles: NDArray[np.float64] | None
    directions: NDArray[np.float32] | None
    reduced: NDArray[np.float32] | None

    @property
    def n_channels(self) -> int:
        """Numbers per cell of a density."""
        return 1 if self.reduced is None else 1 + self.reduced.shape[1]

    def vectors(self, class_share: float) -> NDArray[np.float32]:
        """Return (U, 1 + R) vectors with dot products (1 - class_share) + class_share * cosine of the profiles."""
        n_units = self.mass.size
        if self.reduced is None or class_share == 0:
            return np.ones((n_units, 1), np.float32)
        common = np.full((n_units, 1), np.sqrt(1 - class_share), np.float32)
        return np.hstack([common, np.float32(np.sqrt(class_share)) * self.reduced])


def unit_look(edges: EdgeSet, layout: Layout, profiles: ArrayLike | None, importance: ArrayLike | None) -> UnitLook:
    """Return the checked importance of all units.

    Raises
    ------
    InvalidInputError
        When edges name units without a place; when profiles or importance have another number of units, or values
        that are NaN, infinite or negative.
    """
    n_units = len(layout)
    highest = int(max(edges.source.max(initial=-1), edges.target.max(initial=-1)))
    if highest >= n_units:
        raise InvalidInputError(
            f"The edges join units up to number {highest}, but the layout has places for {n_units}; "
            "place the units of these edges: cnnvis.layout.place(edges)."
        )
    checked = None if profiles is None else unit_values("profiles", profiles, layout, by_class=True)
    if importance is not None:
        mass = unit_values("importance", importance, layout)
    elif checked is not None:
        mass = np.linalg.norm(checked / (checked.max(initial=0.0) or 1.0), axis=1)
    else:
        mass = np.ones(n_units)
    top = mass.max(initial=0.0)
    mass = mass / top if top else np.ones(n_units)
    directions = None if checked is None or checked.shape[1] < 2 else class_directions(checked)
    return UnitLook(mass.astype(np.float32), checked, directions, None if directions is None else _reduced(directions))


def class_directions(profiles: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the sharpened profiles as unit vectors; a unit that serves no class stands between all of them."""
    tops = profiles.max(axis=1, keepdims=True)
    relative = np.divide(profiles, tops, out=np.ones(profiles.shape), where=tops > 0) ** SHARPNESS
    found = relative / np.linalg.norm(relative, axis=1, keepdims=True)
    directions: NDArray[np.float32] = found.astype(np.float32)
    return directions


def _reduced(directions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return vectors of at most MAX_CHANNELS dimensions with the dot products nearest to those of `directions`."""
    if directions.shape[1] <= MAX_CHANNELS:
        return directions
    _, axes = np.linalg.eigh(directions.T.astype(np.float64) @ directions)
    reduced: NDArray[np.float32] = (directions @ axes[:, -MAX_CHANNELS:]).astype(np.float32)
    return reduced
