"""An order of channels, its groups, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.checks import frozen_array, frozen_integers, frozen_mapping, require_permutation, require_shape
from cnnvis.core.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class OrderQuality:
    """How smooth an order is, measured by the mean similarity of neighbouring channels.

    Parameters
    ----------
    smoothness : float
        Mean Pearson correlation of the maps of neighbouring channels, -1 to 1; NaN with under two live channels.
    original : float
        The same for the network's own order.
    random_mean, random_std : float
        Mean and standard deviation of the same over seeded random orders.
    brightness : float
        |Spearman| correlation of the position with the mean activation, 0 to 1: near 1 means that
        the order merely sorts by brightness.
    held_out : bool
        Whether it was measured on images that were not used for the ordering.
    """

    smoothness: float
    original: float
    random_mean: float
    random_std: float
    brightness: float
    held_out: bool = False

    @property
    def gain(self) -> float:
        """Smoothness gained over random orders, in standard deviations of the random orders."""
        if not self.random_std > 0:
            return float("nan")
        return (self.smoothness - self.random_mean) / self.random_std


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Ordering:
    """A permutation of channels with group labels, quality and the method that made it.

    Parameters
    ----------
    permutation : (C,) ndarray of int
        `permutation[i]` is the original channel shown at position i.
    method : str
        Name of the ordering method.
    groups : (C,) ndarray of int, or None
        Group of each *original* channel; groups are numbered by size, 0 the largest
        (ties: the group of the lowest channel first). -1: constant channels, in no group.
    constant : (C,) ndarray of bool
        Original channels whose maps are constant (dead) on the images used; they stand last, but in "original".
    scores : (C,) ndarray of float, or None
        What the channels were sorted by, where there is such a number (PCA: projection).
    quality : OrderQuality or None
    options : mapping
        Options the method ran with: n_groups, row, normalize, random_state ...
    """

    permutation: NDArray[np.int64]
    method: str
    groups: NDArray[np.int64] | None = None
    constant: NDArray[np.bool_] | None = None
    scores: NDArray[np.float64] | None = None
    quality: OrderQuality | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        permutation = frozen_integers("permutation", self.permutation)
        require_shape("permutation", permutation, (None,))
        require_permutation("permutation", permutation)
        n = permutation.size
        constant = np.zeros(n, dtype=bool) if self.constant is None else self.constant
        object.__setattr__(self, "permutation", permutation)
        object.__setattr__(self, "constant", frozen_array(constant, dtype=bool))
        require_shape("constant", self.constant, (n,))  # type: ignore[arg-type]
        if self.groups is not None:
            object.__setattr__(self, "groups", frozen_integers("groups", self.groups))
            require_shape("groups", self.groups, (n,))
        if self.scores is not None:
            object.__setattr__(self, "scores", frozen_array(self.scores, dtype=np.float64))
            require_shape("scores", self.scores, (n,))
        object.__setattr__(self, "options", frozen_mapping(self.options))

    def __repr__(self) -> str:
        groups = f", {self.n_groups} groups" if self.n_groups else ""
        smooth = "" if self.quality is None else f", smoothness {self.quality.smoothness:.3f}"
        return f"Ordering({self.method!r}, {len(self)} channels{groups}{smooth})"

    def __len__(self) -> int:
        return int(self.permutation.size)

    @property
    def inverse(self) -> NDArray[np.int64]:
        """(C,) array: `inverse[c]` is the position at which original channel c is shown."""
        inverse = np.empty_like(self.permutation)
        inverse[self.permutation] = np.arange(len(self))
        return inverse

    @property
    def n_groups(self) -> int:
        """Number of groups, constant channels not counted."""
        return 0 if self.groups is None else int(self.groups.max(initial=-1)) + 1

    def apply(self, values: NDArray[Any], *, axis: int = 0) -> NDArray[Any]:
        """Return `values` with `axis` put into this order: how a frozen order meets other images or epochs.

        Raises
        ------
        InvalidInputError
            When the axis does not have as many channels as the order.
        """
        if hasattr(values, "provenance"):
            raise InvalidInputError(
                f"apply orders an array, got {type(values).__name__}; "
                "use maps.volume(ordering) or volume.reordered(ordering)."
            )
        values = np.asarray(values)
        if not -values.ndim <= axis < values.ndim or values.shape[axis] != len(self):
            raise InvalidInputError(
                f"The {self.method} order has {len(self)} channels, the values have shape {values.shape}, "
                f"taken along axis {axis}. Name the channel axis (axis=1 for (N, C, H, W)); "
                "an order fits only the layer it was made for."
            )
        return np.take(values, self.permutation, axis=axis)


METHOD_TITLES = {
    "original": "original",
    "pca": "PCA",
    "pca_rows": "PCA of rows",
    "kmeans": "k-means",
    "kmeans_rows": "k-means of rows",
    "leaf": "optimal leaf",
    "importance": "importance",
}


def method_title(method: str) -> str:
    """Return the name of an ordering method as a picture or a table shows it."""
    return METHOD_TITLES.get(method, method)
