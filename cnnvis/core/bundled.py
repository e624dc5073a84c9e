"""A drawn network with everything that belongs to it, and how far its bundles can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.checks import frozen_array, frozen_mapping, require_finite, require_not_negative, require_shape
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.graph import ModelGraph
from cnnvis.core.network import EdgeSet, Layout, PointSet, PolylineSet
from cnnvis.core.provenance import Provenance


@dataclass(frozen=True, slots=True)
class BundleQuality:
    """What bundling saved and what it cost.

    Parameters
    ----------
    ink_before, ink_after : int
        Voxels (longest side of the box / `voxels_per_side`) that the straight and the bundled lines pass through.
    displacement_mean, displacement_max : float, scene units
        Distance of a point from its place on the straight line.
    length_ratio_mean, length_ratio_95 : float
        Length / straight length; mean, and the 95th percentile over lines.
    monotone_share : float
        Lines that never turn back along the axis from their source's layer to their target's.
    ambiguity : float
        0 to 1, see `cnnvis.layout.measure`.
    voxels_per_side : int
    separation : float or None
        By class, at most 1, see `cnnvis.layout.measure`; None without classes, and where no lines run together.
    """

    ink_before: int
    ink_after: int
    displacement_mean: float
    displacement_max: float
    length_ratio_mean: float
    length_ratio_95: float
    monotone_share: float
    ambiguity: float
    voxels_per_side: int = 128
    separation: float | None = None

    @property
    def ink_ratio(self) -> float:
        """Share of the straight lines' ink that is left; 1 where there was none."""
        return self.ink_after / self.ink_before if self.ink_before else 1.0


@dataclass(frozen=True, slots=True, eq=False)
class BundledNetwork:
    """A network as it is drawn: its links, where its units stand, and its bundled lines.

    Parameters
    ----------
    edges : EdgeSet
        With `units`.
    layout : Layout
    lines : PolylineSet
        One line per link, in the same order.
    importance : (U,) ndarray of float or None
        Of the units, finite and non-negative.
    profiles : (U, K) ndarray of float or None
        The same by class.
    class_names : tuple of str
        Names of the K classes; empty where unknown.
    graph : ModelGraph or None
        The network as data; None for random networks and graphs of one's own.
    parameters : mapping
        How it was made, JSON-able: options of placing and bundling, method of importance, links left out.
    quality : BundleQuality or None
    provenance : Provenance
    """

    edges: EdgeSet
    layout: Layout
    lines: PolylineSet
    importance: NDArray[np.float64] | None = None
    profiles: NDArray[np.float64] | None = None
    class_names: tuple[str, ...] = ()
    graph: ModelGraph | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    quality: BundleQuality | None = None
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        if len(self.lines) != len(self.edges):
            raise InvalidInputError(f"A bundled network of {len(self.edges)} links has {len(self.lines)} lines.")
        units = self.edges.units
        if units is not None and len(units) != len(self.layout):
            raise InvalidInputError(f"The links join {len(units)} units, but {len(self.layout)} have a place.")
        object.__setattr__(self, "class_names", tuple(self.class_names))
        object.__setattr__(self, "parameters", frozen_mapping(self.parameters))
        n_classes = len(self.class_names) or None
        for name, shape in (("importance", (len(self.layout),)), ("profiles", (len(self.layout), n_classes))):
            if getattr(self, name) is None:
                continue
            array = frozen_array(getattr(self, name), dtype=np.float64)
            require_shape(name, array, shape)
            require_finite(name, array)
            require_not_negative(name, array)
            object.__setattr__(self, name, array)

    @property
    def points(self) -> PointSet:
        """The units: arrays "unit", "layer", "importance" (largest 1, all where unknown); if known "class_shares"."""
        n = len(self.layout)
        importance = np.ones(n) if self.importance is None else self.importance
        arrays: dict[str, NDArray[Any]] = {
            "unit": np.arange(n),
            "layer": self.layout.layer_of_unit,
            "importance": (importance / (importance.max(initial=0.0) or 1.0)).astype(np.float32),
        }
        if self.profiles is not None:
            arrays["class_shares"] = class_shares(self.profiles).astype(np.float32)
        return PointSet(self.layout.positions.astype(np.float32), arrays)


def class_shares(profiles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each row of (N, K) importance by class divided by its sum; equal shares where there is none."""
    totals = profiles.sum(axis=1, keepdims=True)
    equal = np.full(profiles.shape, 1 / max(profiles.shape[1], 1))
    np.divide(profiles, totals, out=equal, where=totals > 0)
    return equal
