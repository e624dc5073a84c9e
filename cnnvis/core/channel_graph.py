"""The channels of a layer as a graph: who is like whom."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.checks import frozen_array, frozen_integers, require_finite, require_shape
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.network import EdgeSet
from cnnvis.core.provenance import Provenance


@dataclass(frozen=True, slots=True, eq=False)
class ChannelGraph:
    """The channels of a layer in space, their groups, and the links between those that are most alike.

    Parameters
    ----------
    layer : str
    places : (C, 3) ndarray of float
        Of the channels, scene units; finite.
    labels : (C,) ndarray of int
        The group of each, from 0, as `cnnvis.communities` numbers them: by size, so that groups of one come last.
    sizes : (C,) ndarray of float
        How large each is drawn, 0 to 1.
    links : EdgeSet
        Of channels, each pair once.
    measured : str
        What `sizes` are of.
    provenance : Provenance
    """

    layer: str
    places: NDArray[np.float64]
    labels: NDArray[np.int64]
    sizes: NDArray[np.float64]
    links: EdgeSet
    measured: str = "size"
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        labels = frozen_integers("labels", self.labels)
        object.__setattr__(self, "labels", labels)
        for name, shape in (("places", (labels.size, 3)), ("sizes", (labels.size,))):
            array = frozen_array(getattr(self, name), dtype=np.float64)
            require_shape(name, array, shape)
            require_finite(name, array)
            object.__setattr__(self, name, array)
        if labels.min(initial=0) < 0 or (np.diff(np.bincount(labels)) > 0).any():
            raise InvalidInputError("labels must number groups from 0, the largest first; cnnvis.communities does.")
        if self.sizes.min(initial=0) < 0 or self.sizes.max(initial=0) > 1:
            raise InvalidInputError(f"sizes must be 0 to 1, got {self.sizes.min():.3g} to {self.sizes.max():.3g}.")
        last = max(self.links.source.max(initial=-1), self.links.target.max(initial=-1))
        if last >= labels.size:
            raise InvalidInputError(f"There are channels 0 to {labels.size - 1}, got a link to channel {last}.")

    def __len__(self) -> int:
        return int(self.labels.size)

    @property
    def n_groups(self) -> int:
        """Groups of two channels and more."""
        return int((np.bincount(self.labels) > 1).sum())

    @property
    def group_names(self) -> tuple[str, ...]:
        """Names of these groups: number, and how many channels each has."""
        return tuple(f"{label} ({size})" for label, size in enumerate(np.bincount(self.labels)[: self.n_groups]))

    @property
    def shares(self) -> NDArray[np.float32]:
        """(C, n_groups) of 1 for the group of each channel, 0 for others; a channel by itself has none."""
        shares: NDArray[np.float32] = (self.labels[:, None] == np.arange(self.n_groups)).astype(np.float32)
        return shares
