"""A stack of maps in the order it is shown: what becomes a VTK image."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.core.axes import axis_names
from cnnvis.core.checks import frozen_array, frozen_integers, require_finite, require_permutation, require_shape
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.importance import Importance
from cnnvis.core.ordering import Ordering, method_title
from cnnvis.core.provenance import Provenance


class GroupSpan(NamedTuple):
    """A run of neighbouring positions whose channels belong to one group.

    Parameters
    ----------
    group : int
        Group number; -1 for constant channels.
    start, stop : int
        Positions `start` to `stop - 1`.
    """

    group: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Volume:
    """Maps of one layer and one image as (channel, row, column), channels in the order shown.

    Parameters
    ----------
    values : (C, H, W) ndarray of float
        NaN and infinity are allowed: they are counted, and drawn as missing.
    layer : str
        Dotted name of the layer.
    channels : (C,) ndarray of int
        Original channel at each position, each once; default 0 .. C-1. Of a whole layer, its permutation.
    groups : (C,) ndarray of int or None
        Group of the channel at each position; -1 for constant channels.
    weights : (C,) ndarray of float or None
        Non-negative weight of the channel at each position (importance); drives opacity.
    spacing : (x, y, z) of float
        Scene units per column, row, channel.
    method : str
        Ordering method behind `channels`.
    quantity : str
        What the values are, for legends: "activation", "gradient" ...
    provenance : Provenance
    """

    values: NDArray[Any]
    layer: str = ""
    channels: NDArray[np.int64] = None  # type: ignore[assignment]  # filled in below
    groups: NDArray[np.int64] | None = None
    weights: NDArray[np.float64] | None = None
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    method: str = "original"
    quantity: str = "activation"
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        values = frozen_array(self.values)
        if values.dtype not in (np.float32, np.float64):
            values = frozen_array(values, dtype=np.float32)
        require_shape(f"values of the volume {self.layer!r}", values, (None, None, None))
        if 0 in values.shape:
            raise InvalidInputError(f"The volume {self.layer!r} is empty: shape {values.shape}.")
        n = values.shape[0]
        channels = frozen_integers("channels", np.arange(n) if self.channels is None else self.channels)
        require_shape("channels", channels, (n,))
        if channels.min() < 0 or len(np.unique(channels)) < n:
            raise InvalidInputError(f"channels of the volume {self.layer!r} must be distinct and not negative.")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "channels", channels)
        if self.groups is not None:
            groups = frozen_integers("groups", self.groups)
            require_shape("groups", groups, (n,))
            object.__setattr__(self, "groups", groups)
        if self.weights is not None:
            weights = frozen_array(self.weights, dtype=np.float64)
            require_shape("weights", weights, (n,))
            require_finite("weights", weights)
            if weights.min() < 0:
                raise InvalidInputError(f"weights must not be negative, got {weights.min():g}.")
            object.__setattr__(self, "weights", weights)
        spacing = tuple(float(step) for step in self.spacing)
        if len(spacing) != 3 or not all(np.isfinite(step) and step > 0 for step in spacing):
            raise InvalidInputError(f"spacing must be three positive numbers (x, y, z), got {self.spacing}.")
        object.__setattr__(self, "spacing", spacing)

    def __repr__(self) -> str:
        return f"Volume(layer={self.layer!r}, values={self.shape} {self.values.dtype}, method={self.method!r})"

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        return self.values.shape

    @property
    def axis_names(self) -> tuple[str, str, str]:
        """What the three axes are called, by the quantity."""
        return axis_names(self.quantity)

    @property
    def subject(self) -> str:
        """What a picture of it shows of the layer, for headlines: the order of maps, the quantity of all else."""
        order = f"{method_title(self.method)} order"
        if self.quantity == "activation":
            return order
        return self.quantity if self.method == "original" else f"{self.quantity}, {order}"

    @property
    def n_missing(self) -> int:
        """Number of values that are NaN or infinite."""
        return int(np.count_nonzero(~np.isfinite(self.values)))

    @property
    def finite_range(self) -> tuple[float, float]:
        """Smallest and largest finite value; (nan, nan) when there is none."""
        finite = self.values[np.isfinite(self.values)]
        return (float(finite.min()), float(finite.max())) if finite.size else (float("nan"), float("nan"))

    @property
    def inverse(self) -> NDArray[np.int64]:
        """(C,) position of each original channel.

        Raises
        ------
        InvalidInputError
            When the volume holds only some channels of its layer.
        """
        require_permutation(f"channels of the volume {self.layer!r}", self.channels)
        inverse = np.empty(self.shape[0], dtype=np.int64)
        inverse[self.channels] = np.arange(self.shape[0])
        return inverse

    @property
    def group_spans(self) -> tuple[GroupSpan, ...]:
        """Runs of equal group along the channels, in the order shown; none without groups.

        A group occurs more than once where the order does not keep it together.
        """
        if self.groups is None:
            return ()
        edges = np.concatenate([[0], np.flatnonzero(np.diff(self.groups)) + 1, [self.groups.size]])
        return tuple(GroupSpan(int(self.groups[start]), int(start), int(stop)) for start, stop in pairwise(edges))

    def weighted(self, importance: Importance | ArrayLike) -> Volume:
        """Return the volume with weights: an Importance that has this layer, or a score per channel of the network.

        Parameters
        ----------
        importance : Importance or (C,) array_like
            In the network's own channel order, whatever order is shown.
        """
        scores = np.asarray(importance[self.layer] if isinstance(importance, Importance) else importance, float)
        require_shape("importance", scores, (self.shape[0],))
        return replace(self, weights=scores[self.channels])

    def reordered(self, ordering: Ordering) -> Volume:
        """Return the volume with its channels in the order of `ordering` (of the network's own channels).

        One copy of the values. Applies from any current order; groups are those of `ordering`.
        """
        if len(ordering) != self.shape[0]:
            raise InvalidInputError(
                f"The {ordering.method} order has {len(ordering)} channels, layer {self.layer!r} {self.shape[0]}."
            )
        take = self.inverse[ordering.permutation]
        return replace(
            self,
            values=self.values[take],
            channels=ordering.permutation,
            groups=None if ordering.groups is None else ordering.groups[ordering.permutation],
            weights=None if self.weights is None else self.weights[take],
            method=ordering.method,
        )

    def in_order_of(self, other: Volume) -> Volume:
        """Return the volume with its channels in the order, and the groups, that `other` shows."""
        ordering = Ordering(other.channels, method=other.method)
        groups = None if other.groups is None else other.groups[other.inverse]
        return self.reordered(replace(ordering, groups=groups))
