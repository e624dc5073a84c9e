"""The drawn network: links between units, where units stand, polylines and points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.checks import frozen_array, frozen_integers, frozen_mapping, require_finite, require_shape
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.units import Units


@dataclass(frozen=True, slots=True, eq=False)
class EdgeSet:
    """Weighted links between units.

    Parameters
    ----------
    source, target : (E,) ndarray of int
        Unit numbers.
    weight : (E,) ndarray of float
        Finite and non-negative.
    layer : (E,) ndarray of int or None
        Index of the source's layer; None: all links belong to layer 0.
    n_total : int or None
        Number of links before any were left out; None: none were.
    weight_total : float or None
        Summed weight before any were left out.
    units : Units or None
        The numbering that `source` and `target` refer to; None for a graph of plain numbers.
    importance : (E,) ndarray of float or None
        By which links were left out, finite and non-negative; None: their weight.
    importance_total : float or None
        Summed importance before any were left out.
    notes : tuple of str
        What is not drawn and why, a sentence each.
    """

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    weight: NDArray[np.float64]
    layer: NDArray[np.int64] | None = None
    n_total: int | None = None
    weight_total: float | None = None
    units: Units | None = None
    importance: NDArray[np.float64] | None = None
    importance_total: float | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        source = frozen_integers("source", self.source)
        require_shape("source", source, (None,))
        n = source.size
        object.__setattr__(self, "source", source)
        layer = np.zeros(n, dtype=np.int64) if self.layer is None else self.layer
        arrays = {
            "target": frozen_integers("target", self.target),
            "weight": frozen_array(self.weight, dtype=np.float64),
            "layer": frozen_integers("layer", layer),
        }
        if self.importance is not None:
            arrays["importance"] = frozen_array(self.importance, dtype=np.float64)
        for name, array in arrays.items():
            require_shape(name, array, (n,))
            require_finite(name, array)
            if array.min(initial=0) < 0 or source.min(initial=0) < 0:
                raise InvalidInputError("EdgeSet: weights, importance and numbers must not be negative.")
            object.__setattr__(self, name, array)
        object.__setattr__(self, "notes", tuple(self.notes))
        if n and self.units is not None and max(self.source.max(), self.target.max()) >= len(self.units):
            raise InvalidInputError(
                f"EdgeSet: units are numbered 0 to {len(self.units) - 1}, "
                f"got a link to unit {max(self.source.max(), self.target.max())}."
            )

    def __len__(self) -> int:
        return int(self.source.size)

    @property
    def caption(self) -> str:
        """What is drawn of the network, in words: "edges 500 of 67,963, importance kept 41.2 %"."""
        importance = self.weight if self.importance is None else self.importance
        total = self.weight_total if self.importance is None else self.importance_total
        kept = float(importance.sum())
        total = kept if total is None else total
        share = kept / total if total else float(len(self) == self._n_total)
        what = "weight" if self.importance is None else "importance"
        return f"edges {len(self):,} of {self._n_total:,}, {what} kept {100 * share:.1f} %"

    @property
    def _n_total(self) -> int:
        return len(self) if self.n_total is None else self.n_total

    def take(self, kept: NDArray[Any]) -> EdgeSet:
        """Return the links that `kept` (numbers or a mask) selects; what was there before stays noted.

        Parameters
        ----------
        kept : (K,) ndarray of int, or (E,) ndarray of bool
        """
        return replace(
            self,
            source=self.source[kept],
            target=self.target[kept],
            weight=self.weight[kept],
            layer=None if self.layer is None else self.layer[kept],
            importance=None if self.importance is None else self.importance[kept],
            n_total=self._n_total,
            weight_total=_total(self.weight, self.weight_total),
            importance_total=_total(self.importance, self.importance_total),
        )


def _total(values: NDArray[Any] | None, before: float | None) -> float | None:
    """Return the sum of the values; that from before any were left out, where it is known."""
    return float(values.sum()) if before is None and values is not None else before


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where units stand.

    Parameters
    ----------
    positions : (U, 3) ndarray of float
        Scene units; finite.
    layer_of_unit : (U,) ndarray of int
        Layer index of each unit, 0 to L - 1.
    slabs : (L, 2, 3) ndarray of float or None
        Lowest and highest corner of the room of each layer; None: the boxes around their units.
    layers : tuple of str
        Names of the layers; empty: numbers.
    """

    positions: NDArray[np.float64]
    layer_of_unit: NDArray[np.int64]
    slabs: NDArray[np.float64] | None = None
    layers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        positions = frozen_array(self.positions, dtype=np.float64)
        require_shape("positions", positions, (None, 3))
        require_finite("positions", positions)
        layer_of_unit = frozen_integers("layer_of_unit", self.layer_of_unit)
        require_shape("layer_of_unit", layer_of_unit, (positions.shape[0],))
        if layer_of_unit.size and layer_of_unit.min() < 0:
            raise InvalidInputError(f"layer_of_unit: layers are numbered from 0, got {layer_of_unit.min()}.")
        n_layers = int(layer_of_unit.max(initial=-1)) + 1
        if self.layers and len(self.layers) < n_layers:
            raise InvalidInputError(f"Layout has units of {n_layers} layers, got {len(self.layers)} names for them.")
        n_layers = max(n_layers, len(self.layers))
        slabs = _boxes(positions, layer_of_unit, n_layers) if self.slabs is None else self.slabs
        slabs = frozen_array(slabs, dtype=np.float64)
        require_shape("slabs", slabs, (n_layers, 2, 3))
        require_finite("slabs", slabs)
        object.__setattr__(self, "positions", positions)
        object.__setattr__(self, "layer_of_unit", layer_of_unit)
        object.__setattr__(self, "slabs", slabs)
        object.__setattr__(self, "layers", tuple(self.layers) or tuple(map(str, range(n_layers))))

    def __len__(self) -> int:
        return int(self.positions.shape[0])

    @property
    def width(self) -> float:
        """Longest side of a slab across the layers (x or y), scene units; of units in one line along z, its length."""
        if not len(self):
            return 0.0
        sides = (self.slabs[:, 1] - self.slabs[:, 0])[:, :2]  # type: ignore[index]
        return float(sides.max()) or float(np.ptp(self.positions, axis=0).max())

    @property
    def distance(self) -> float:
        """Smallest distance along z of two layers that do not stand side by side, scene units; 0 for one layer."""
        depths = np.unique(np.round(self.slabs.mean(axis=1)[:, 2], 9))  # type: ignore[union-attr]
        return float(np.diff(depths).min()) if depths.size > 1 else 0.0


def _boxes(positions: NDArray[np.float64], layer_of_unit: NDArray[np.int64], n_layers: int) -> NDArray[np.float64]:
    """Return the box around the units of each layer; one without units is a point at 0."""
    slabs = np.zeros((n_layers, 2, 3))
    slabs[:, 0], slabs[:, 1] = np.inf, -np.inf
    np.minimum.at(slabs[:, 0], layer_of_unit, positions)
    np.maximum.at(slabs[:, 1], layer_of_unit, positions)
    slabs[~np.isfinite(slabs).all(axis=(1, 2))] = 0.0
    return slabs


@dataclass(frozen=True, slots=True, eq=False)
class PolylineSet:
    """Polylines as one array of points with offsets, VTK's idea of a cell array.

    Parameters
    ----------
    points : (P, 3) ndarray of float32
        Scene units.
    offsets : (E + 1,) ndarray of int
        Line e owns points[offsets[e]:offsets[e + 1]]; starts at 0, ends at P, never falls.
    point_arrays : mapping of str to (P, ...) ndarray
    line_arrays : mapping of str to (E, ...) ndarray
    """

    points: NDArray[np.float32]
    offsets: NDArray[np.int64]
    point_arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    line_arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        points = frozen_array(self.points, dtype=np.float32)
        require_shape("points", points, (None, 3))
        require_finite("points", points)
        offsets = frozen_integers("offsets", self.offsets)
        require_shape("offsets", offsets, (None,))
        if offsets.size == 0 or offsets[0] != 0 or offsets[-1] != len(points) or np.any(np.diff(offsets) < 0):
            raise InvalidInputError(
                f"offsets must start at 0, never fall, and end at the number of points {len(points)}."
            )
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "offsets", offsets)
        for name, length in (("point_arrays", len(points)), ("line_arrays", offsets.size - 1)):
            object.__setattr__(self, name, _frozen_arrays(name, getattr(self, name), length))

    def __len__(self) -> int:
        return int(self.offsets.size - 1)

    def take(self, kept: NDArray[Any]) -> PolylineSet:
        """Return the lines that `kept` (numbers or a mask) selects, in its order, with their arrays.

        Parameters
        ----------
        kept : (K,) ndarray of int, or (E,) ndarray of bool
        """
        counts = np.diff(self.offsets)[kept]
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        points = np.arange(offsets[-1]) + np.repeat(self.offsets[:-1][kept] - offsets[:-1], counts)
        return PolylineSet(
            self.points[points],
            offsets,
            {name: array[points] for name, array in self.point_arrays.items()},
            {name: array[kept] for name, array in self.line_arrays.items()},
        )

    def blended(self, amount: float) -> PolylineSet:
        """Return the lines between straight (0) and as they are (1); end points stay.

        Raises
        ------
        InvalidInputError
            When there is no point array "t": the place of each point on its line, 0 to 1.
        """
        if "t" not in self.point_arrays:
            raise InvalidInputError("Blending towards straight lines needs the point array 't'; bundled lines have it.")
        if amount == 1 or not len(self.points):
            return self
        t = self.point_arrays["t"][:, None]
        counts = np.diff(self.offsets)
        full = counts > 0
        starts = np.repeat(self.points[self.offsets[:-1][full]], counts[full], axis=0)
        ends = np.repeat(self.points[self.offsets[1:][full] - 1], counts[full], axis=0)
        straight = (1 - t) * starts + t * ends
        points = (straight + amount * (self.points - straight)).astype(np.float32)
        return replace(self, points=points)


@dataclass(frozen=True, slots=True, eq=False)
class PointSet:
    """Points with arrays: the units of a drawn network.

    Parameters
    ----------
    points : (N, 3) ndarray of float32
        Scene units.
    arrays : mapping of str to (N, ...) ndarray
    """

    points: NDArray[np.float32]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        points = frozen_array(self.points, dtype=np.float32)
        require_shape("points", points, (None, 3))
        require_finite("points", points)
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "arrays", _frozen_arrays("arrays", self.arrays, len(points)))

    def __len__(self) -> int:
        return len(self.points)


def _frozen_arrays(what: str, arrays: Mapping[str, NDArray[Any]], length: int) -> Mapping[str, NDArray[Any]]:
    """Return read-only arrays by name, each with one entry per point or line."""
    frozen = {name: frozen_array(array) for name, array in arrays.items()}
    for name, array in frozen.items():
        if array.ndim == 0 or len(array) != length:
            raise InvalidInputError(f"{what}[{name!r}] has shape {array.shape}; its length must be {length}.")
    return frozen_mapping(frozen)
