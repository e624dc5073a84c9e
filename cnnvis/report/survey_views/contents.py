"""What the linked views of a survey show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import EdgeSet
from cnnvis.core.checks import frozen_mapping, require_shape
from cnnvis.core.errors import InvalidInputError

MOST_CHANNELS = 2**16
"""Channels of a layer with groups: the page stores the ends of links in 16 bits."""


@dataclass(frozen=True, slots=True, eq=False)
class GroupView:
    """The groups of a layer of C channels.

    Parameters
    ----------
    labels : (C,) int64
        Groups by size, the largest is 0.
    matrix : (S, S) float64
        Similarity, -1 to 1, of the channels in `order`; with S < C means of neighbours, row i from i C // S on.
    places : (C, 2) float64
        Of the graph.
    links : EdgeSet
        Those of the graph that are drawn.
    """

    labels: NDArray[np.int64]
    matrix: NDArray[np.float64]
    places: NDArray[np.float64]
    links: EdgeSet

    def __post_init__(self) -> None:
        n = self.labels.size
        if n > MOST_CHANNELS:
            raise InvalidInputError(f"Groups of up to {MOST_CHANNELS:,} channels can be shown, got {n:,}.")
        require_shape("GroupView.labels", self.labels, (n,))
        require_shape("GroupView.matrix", self.matrix, (len(self.matrix), len(self.matrix)))
        require_shape("GroupView.places", self.places, (n, 2))
        ends = np.concatenate([self.links.source, self.links.target])
        if len(self.matrix) > n or ends.max(initial=-1) >= n:
            raise InvalidInputError(f"There are {n} channels: the matrix has more rows, or a link another end.")

    @property
    def order(self) -> NDArray[np.int64]:
        """The channels (C,) group by group."""
        return np.argsort(self.labels, kind="stable")


@dataclass(frozen=True, slots=True, eq=False)
class LayerView:
    """One layer.

    Parameters
    ----------
    name : str
    mean, std : (C,) float64
        Of the averages over all images.
    groups : GroupView or None
        None where none were looked for.
    """

    name: str
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    groups: GroupView | None = None

    def __post_init__(self) -> None:
        n = self.mean.size
        require_shape("LayerView.std", self.std, (n,))
        if self.groups is not None:
            require_shape(f"groups of {self.name!r}", self.groups.labels, (n,))


@dataclass(frozen=True, slots=True, eq=False)
class ImageView:
    """One image and what the network makes of it.

    Parameters
    ----------
    name : str
    picture : (H, W, 3) uint8
        May be made small.
    probabilities : (K,) float64
        Empty where the network gives no class scores.
    label : int or None
        The true class, where it is known.
    averages : mapping of str to (C,) float64
        By layer.
    maps : mapping of str to (C, H, W) float32
        By layer; made small. Empty where there is no room for them.
    """

    name: str
    picture: NDArray[np.uint8]
    probabilities: NDArray[np.float64]
    label: int | None
    averages: Mapping[str, NDArray[np.float64]]
    maps: Mapping[str, NDArray[np.float32]]

    def __post_init__(self) -> None:
        require_shape("ImageView.picture", self.picture, (None, None, 3))
        object.__setattr__(self, "averages", frozen_mapping(self.averages))
        object.__setattr__(self, "maps", frozen_mapping(self.maps))


@dataclass(frozen=True, slots=True, eq=False)
class SurveyViews:
    """Everything that the page shows.

    Parameters
    ----------
    title : str
    n_images : int
        Images of the survey.
    layers : tuple of LayerView
        In order of execution.
    images : tuple of ImageView
        Some images to look at; may be empty.
    class_names : tuple of str
    note : str
        Which images these are, and what is not on the page.
    """

    title: str
    n_images: int
    layers: tuple[LayerView, ...]
    images: tuple[ImageView, ...] = ()
    class_names: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if not self.layers:
            raise InvalidInputError("The survey has no layer to show.")
        for image in self.images:
            for layer in self.layers:
                averages = image.averages.get(layer.name)
                if averages is None or averages.shape != layer.mean.shape:
                    raise InvalidInputError(f"Image {image.name!r} has no averages of the channels of {layer.name!r}.")
