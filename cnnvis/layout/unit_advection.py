"""Units moved within their layer, so that those that serve the same classes stand together."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.core import Layout
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, did_you_mean
from cnnvis.core.progress import Progress, silent
from cnnvis.layout._profiles import class_directions
from cnnvis.layout._schedule import KERNEL_DEVIATIONS, class_share, falling_bandwidths
from cnnvis.layout._unit_values import unit_values
from cnnvis.layout.options import require_within

SPEED = 0.5
"""Share of the way that a unit goes in one iteration."""

SPACING = 0.5
"""Least distance of two units, in pitches of the layer's raster."""

MAX_PUSHES = 200

MAX_UNITS = 8192
"""Units of a layer: every pair is looked at, which takes half a gigabyte then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitOptions:
    """How units are moved. Lengths are in widths of a layer.

    Parameters
    ----------
    bandwidth : float, default: 0.75
        Of the density in the first iteration, 0.001 to 2.
    node_bandwidth_reduction : float, default: 0.95
        Factor from one iteration to the next, 0 to 0.999.
    sampling_rate : float, default: 15
        Iterations end when the bandwidth is below two thirds of 1 / sampling_rate, as in edge bundling: after 56 with
        the other defaults. 2 to 200.
    class_separation : float, default: 1
        How much the classes count in the end; with 0 nothing moves.
    """

    bandwidth: float = 0.75
    node_bandwidth_reduction: float = 0.95
    sampling_rate: float = 15.0
    class_separation: float = 1.0

    def __post_init__(self) -> None:
        require_within(self, "bandwidth", 1e-3, 2)
        require_within(self, "node_bandwidth_reduction", 0, 0.999)
        require_within(self, "sampling_rate", 2, 200)
        require_within(self, "class_separation", 0, 1)

    @property
    def bandwidths(self) -> tuple[float, ...]:
        """Bandwidth of each iteration."""
        return falling_bandwidths(self.bandwidth, self.node_bandwidth_reduction, self.sampling_rate)


def advect_units(
    layout: Layout,
    profiles: ArrayLike,
    *,
    fixed: Iterable[str] = (),
    options: UnitOptions | None = None,
    progress: Progress = silent,
) -> Layout:
    """Return the layout with the units of each layer moved towards others of the same classes.

    Every unit moves by the difference of two mean shifts in its own layer, both weighted with importance: towards those
    near it that are like it, and away from where all near it stand. Two units are as like as (1 - b) + b c, where c is
    the cosine of their sharpened class profiles and b grows from 0 to `class_separation`. A layer keeps its centre and
    its spread, so that it does not fall into one point; no unit leaves the slab, and in the end units nearer than half
    a pitch of the raster are pushed apart.

    Parameters
    ----------
    layout : Layout
    profiles : (U, K) array_like
        Importance of the units by class; finite, non-negative.
    fixed : iterable of str
        Layers that stay as they are: those of input images, which keep the order of their pixels.
    options : UnitOptions, optional
    progress : callable, optional
        Told (iterations done, iterations planned), over all layers.

    Raises
    ------
    InvalidInputError
        When profiles do not fit the units, or a layer has more than MAX_UNITS units.
    LayerNotFoundError
        When a fixed layer does not exist.

    Notes
    -----
    nn_vis moves the units of all layers in one density, out of their layers, and collapses large layers; this does
    not. Cost: O(n^2) per iteration for a layer of n units.
    """
    options = options or UnitOptions()
    classes = unit_values("profiles", profiles, layout, by_class=True)
    moving = _moving_layers(layout, fixed)
    positions = layout.positions.copy()
    bandwidths = options.bandwidths
    for number, layer in enumerate(moving):
        members = np.flatnonzero(layout.layer_of_unit == layer)
        _require_size(layout.layers[layer], members.size)
        crowd = _Crowd(layout, layer, members, classes[members])
        for done, bandwidth in enumerate(bandwidths, start=1):
            share = class_share(bandwidth, bandwidths, options.class_separation)
            crowd.move(bandwidth / KERNEL_DEVIATIONS * (layout.width or 1.0), share)
            progress(number * len(bandwidths) + done, len(moving) * len(bandwidths))
        positions[members, :2] = crowd.pushed_apart()
    return replace(layout, positions=positions)


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


class _Crowd:
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
