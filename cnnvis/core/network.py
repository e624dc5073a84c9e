"""The drawn network: links between units, where units stand, and polylines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.checks import frozen_array, frozen_integers, frozen_mapping, require_finite, require_shape
from cnnvis.core.errors import InvalidInputError


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
    """

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    weight: NDArray[np.float64]
    layer: NDArray[np.int64] | None = None
    n_total: int | None = None
    weight_total: float | None = None

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
        for name, array in arrays.items():
            require_shape(name, array, (n,))
            object.__setattr__(self, name, array)
        require_finite("weight", self.weight)
        if n and (self.weight.min() < 0 or self.source.min() < 0 or self.target.min() < 0):
            raise InvalidInputError("EdgeSet: weights and unit numbers must not be negative.")

    def __len__(self) -> int:
        return int(self.source.size)


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where units stand.

    Parameters
    ----------
    positions : (U, 3) ndarray of float
        Scene units; finite.
    layer_of_unit : (U,) ndarray of int
        Layer index of each unit.
    """

    positions: NDArray[np.float64]
    layer_of_unit: NDArray[np.int64]

    def __post_init__(self) -> None:
        positions = frozen_array(self.positions, dtype=np.float64)
        require_shape("positions", positions, (None, 3))
        require_finite("positions", positions)
        layer_of_unit = frozen_integers("layer_of_unit", self.layer_of_unit)
        require_shape("layer_of_unit", layer_of_unit, (positions.shape[0],))
        object.__setattr__(self, "positions", positions)
        object.__setattr__(self, "layer_of_unit", layer_of_unit)

    def __len__(self) -> int:
        return int(self.positions.shape[0])


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
            arrays = {key: frozen_array(array) for key, array in getattr(self, name).items()}
            for key, array in arrays.items():
                if array.ndim == 0 or array.shape[0] != length:
                    raise InvalidInputError(f"{name}[{key!r}] has shape {array.shape}; its length must be {length}.")
            object.__setattr__(self, name, frozen_mapping(arrays))

    def __len__(self) -> int:
        return int(self.offsets.size - 1)
