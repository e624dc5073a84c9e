"""The units of one layer while they move, and which layers have units that move."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.core import Layout
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, did_you_mean
from cnnvis.layout._profiles import class_directions
from cnnvis.layout._unit_values import unit_values

SPEED = 0.5
"""Share of the way that a unit goes in one iteration."""

SPACING = 0.5
"""Least distance of two units, in pitches of the layer's raster."""

MAX_PUSHES = 200

MAX_UNITS = 8192
"""Units of a layer: every pair is looked at, which takes half a gigabyte then."""


def crowds(
    layout: Layout, profiles: ArrayLike, fixed: Iterable[str]
) -> list[tuple[NDArray[np.int64], Callable[[], Crowd]]]:
    """Return the units of each layer that moves, by number, and what makes their crowd.

    Raises
    ------
    InvalidInputError
        When profiles do not fit the units, or a layer has more than MAX_UNITS units.
    LayerNotFoundError
        When a fixed layer does not exist.
    """
    classes = unit_values("profiles", profiles, layout, by_class=True)
    found: list[tuple[NDArray[np.int64], Callable[[], Crowd]]] = []
    for layer in _moving_layers(layout, fixed):
        members = np.flatnonzero(layout.layer_of_unit == layer)
        _require_size(layout.layers[layer], members.size)
        found.append((members, partial(Crowd, layout, layer, members, classes[members])))
    return found


def _moving_layers(layout: Layout, fixed: Iterable[str]) -> list[int]:
    """Return the numbers of the layers with several units that are not fixed."""
    fixed = set(fixed)
    for name in sorted(fixed - set(layout.layers)):
        raise LayerNotFoundError(f"No layer {name!r} to keep fixed. {did_you_mean(name, layout.layers, what='layers')}")
    counts = np.bincount(layout.layer_of_unit, minlength=len(layout.layers))
    return [layer for layer, name in enumerate(layout.layers) if name not in fixed and counts[layer] > 1]


def _require_size(name: str, n_units: int) -> None:
    if n_units > MAX_UNITS:
        raise InvalidInputError(
            f"Layer {name!r} has {n_units:,} units; moving compares every pair and allows {MAX_UNITS:,}. Keep it fixed."
        )


class Crowd:
    """The units of one layer while they move, in the plane of the layer."""

    def __init__(self, layout: Layout, layer: int, members: NDArray[np.int64], profiles: NDArray[np.float64]) -> None:
        self.places = layout.positions[members, :2].copy()
        slab = layout.slabs[layer]  # type: ignore[index]
        self._low, self._high = slab[0, :2], slab[1, :2]
        directions = class_directions(profiles)
        self._cosine = directions @ directions.T
        mass = np.linalg.norm(profiles, axis=1)
        self._mass = mass / mass.max() if mass.any() else np.ones(len(members))
        self._centre = self.places.mean(axis=0)
        self._spread = self._rms()

    def _rms(self) -> float:
        return float(np.sqrt(((self.places - self.places.mean(axis=0)) ** 2).sum(axis=1).mean()))

    def _means(self, pull: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean place that each unit is pulled to; its own where nothing pulls."""
        total = pull.sum(axis=1, keepdims=True)
        means = self.places.copy()
        np.divide(pull @ self.places, total, out=means, where=total > 0)
        return means

    def move(self, deviation: float, class_share: float, speed: float = SPEED) -> None:
        """Move all units towards the like near them, away from the crowd, then stretch the layer to its old spread.

        With a negative speed they go the other way.
        """
        near = np.exp(-0.5 * _square_distances(self.places) / deviation**2) * self._mass
        like = near * ((1 - class_share) + class_share * self._cosine)
        self.places = self.places + speed * (self._means(like) - self._means(near))
        rms = self._rms()
        stretch = self._spread / rms if rms > 0 else 1.0
        self.places = self._centre + stretch * (self.places - self.places.mean(axis=0))
        np.clip(self.places, self._low, self._high, out=self.places)

    def shake(self, noise: NDArray[np.float64]) -> None:
        """Move the units by (n, 2) steps, within the slab."""
        self.places = np.clip(self.places + noise, self._low, self._high)

    def pushed_apart(self) -> NDArray[np.float64]:
        """Return the places, no two nearer than SPACING pitches where the slab has room."""
        n = len(self.places)
        side = float((self._high - self._low).max())
        least = SPACING * side / math.ceil(math.sqrt(n))
        angle = np.arange(n) * math.pi * (3 - math.sqrt(5))
        apart = 0.01 * least * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        places = self.places
        for _ in range(MAX_PUSHES):
            distance = np.sqrt(_square_distances(places)) + np.diag(np.full(n, np.inf))
            together = (distance < 0.001 * least).any(axis=1, keepdims=True)
            if together.any():  # no direction to push in: their numbers part them
                places = np.clip(places + together * apart, self._low, self._high)
                continue
            lack = np.maximum(least - distance, 0.0)
            if lack.max(initial=0.0) <= 1e-3 * least:
                break
            ratio = 0.5 * lack / distance
            places = places + places * ratio.sum(axis=1, keepdims=True) - ratio @ places
            places = np.clip(places, self._low, self._high)
        return places


def _square_distances(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the squared distance of every two places, (n, n)."""
    squares: NDArray[np.float64] = ((places[:, None, 0] - places[:, 0]) ** 2) + (places[:, None, 1] - places[:, 1]) ** 2
    return squares
