"""What a study is asked for and what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.analysis import NormalizeName, OrderMethod, OrderMethodName, StabilityReport
from cnnvis.core import FeatureMaps, Importance, Ordering, Recording, Volume
from cnnvis.core.checks import parse_choice
from cnnvis.core.errors import InvalidInputError
from cnnvis.models import Network, Prediction
from cnnvis.scene import TransferFunction

DEFAULT_ORDERS: tuple[OrderMethodName, ...] = ("kmeans", "pca")

MIN_SIDE, MAX_SIDE = 64, 8192
"""Limits of a picture's sides in pixels, so that the smaller film and the larger comparison can be made as well."""


@dataclass(frozen=True)
class ActivationVolumes:
    """What to look at and how; `run` does it.

    Parameters
    ----------
    model : str, path, nn.Module or Network
        As for `cnnvis.models.load`.
    layers : tuple of str
        Names or globs; empty: the network's `default_layers`, else its first convolution.
    image : path, sample name or array
        As for `cnnvis.models.read_image`.
    orders : tuple of str
        Ordering methods beside the network's own order.
    n_groups : int, optional
        Groups of k-means.
    normalize : {"zscore", "none"}
        "zscore" puts channels together by their pattern; "none", as CNN-VIS did, also by their brightness.
    row : int, optional
        Row of the row-slice picture and of the methods on rows; default as in `cnnvis.order`, row 15 or the middle.
    after_activation : bool
        Look at the values after the activation that follows each layer, rather than the layer's own.
    weights : path, optional
        State dict, as for `load`.
    random_state : int
    device : str
    size : (width, height)
        Of the pictures, in pixels, 64 to 8192 each; the comparison is wider, the film smaller.
    film_frames : int
        Pictures of the turntable; 0 leaves the film out.
    command : str
        Command line that repeats the study, for the report.
    """

    model: Any = "efficientnet-lite0"
    layers: tuple[str, ...] = ()
    image: Any = "chelsea"
    orders: tuple[OrderMethodName, ...] = DEFAULT_ORDERS
    n_groups: int | None = None
    normalize: NormalizeName = "zscore"
    row: int | None = None
    after_activation: bool = False
    weights: str | Path | None = None
    random_state: int = 0
    device: str = "auto"
    size: tuple[int, int] = (1280, 800)
    film_frames: int = 20
    command: str = ""

    def __post_init__(self) -> None:
        for method in self.orders:
            parse_choice(OrderMethod, method, what="ordering method")
        require_size(self.size)


def require_size(size: tuple[int, int]) -> None:
    """Raise InvalidInputError unless both sides of a picture are within what a study can draw."""
    if not all(MIN_SIDE <= side <= MAX_SIDE for side in size):
        raise InvalidInputError(
            f"A picture of the study is {MIN_SIDE} to {MAX_SIDE} pixels on each side, got {size[0]} x {size[1]}."
        )


@dataclass(frozen=True)
class LayerStudy:
    """What was found for one layer.

    Parameters
    ----------
    maps : FeatureMaps
    orderings, volumes : mapping by method, "original" first
    importance : Importance
        Drives the opacity of one of the pictures.
    weights : (C, inputs, kh, kw) ndarray or None
        Filters of a convolution.
    folder : Path
        Where its files lie.
    """

    maps: FeatureMaps
    orderings: Mapping[str, Ordering]
    volumes: Mapping[str, Volume]
    importance: Importance
    weights: NDArray[np.float32] | None
    folder: Path

    @cached_property
    def transfer(self) -> TransferFunction:
        """One transfer function for all orders, its range fixed."""
        values = self.volumes["original"].values
        return TransferFunction.preset("linear", values=values).with_span(values)

    @property
    def layer(self) -> str:
        """Dotted name of the layer."""
        return self.maps.layer

    @property
    def main(self) -> str:
        """Method of the single pictures: the first that was asked for, or the network's own order."""
        return next((method for method in self.volumes if method != "original"), "original")


@dataclass(frozen=True)
class StudyResult:
    """All that a study found and wrote.

    Parameters
    ----------
    network : Network
    recording : Recording
    photo : (H, W, 3) ndarray of uint8
        The image as it was given.
    predictions : tuple of Prediction
        Empty where the network gives no class scores.
    layers : tuple of LayerStudy
    stability : mapping of layer to tuple of StabilityReport
        How far orders depend on the row they look at, or on the seed.
    files : mapping of Path to str
        What was written, and what it is.
    seconds : mapping of str to float
        Wall time by stage; figures are drawn while volumes are rendered.
    total_seconds : float
        Wall time of all.
    """

    network: Network
    recording: Recording
    photo: NDArray[np.uint8]
    predictions: tuple[Prediction, ...]
    layers: tuple[LayerStudy, ...]
    stability: Mapping[str, tuple[StabilityReport, ...]] = field(default_factory=dict)
    files: Mapping[Path, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    total_seconds: float = 0.0
