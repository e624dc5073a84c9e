"""A survey: how every channel of a network behaves over many images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.checks import frozen_array, frozen_integers, frozen_mapping, parse_choice, require_shape
from cnnvis.core.communities import Grouping
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, did_you_mean
from cnnvis.core.provenance import Provenance

LEVELS = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
"""Levels of the quantiles of a channel's averages."""


class Signal(StrEnum):
    """Which values of a layer count as its channels: those before its activation function, or those behind it.

    `pre` is behind the layer's norm, where it has one; a layer without an activation has one signal only.
    """

    PRE = "pre"
    POST = "post"


SignalName = Literal["pre", "post"]

MOST_GROUPED = 2000
"""Channels of a layer up to which studies and the window look for groups: the graph has a link for every two."""


@dataclass(frozen=True, slots=True, eq=False)
class MapStatistics:
    """All values of each channel, over images and positions; NaN for a channel without finite values.

    Parameters
    ----------
    mean, std, minimum, maximum : (C,) float64
        Of the finite values.
    zero_share : (C,) float64
        Share of the finite values that are exactly zero.
    count, n_missing : (C,) int64
        Finite values, and NaN or infinite ones.
    """

    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    minimum: NDArray[np.float64]
    maximum: NDArray[np.float64]
    zero_share: NDArray[np.float64]
    count: NDArray[np.int64]
    n_missing: NDArray[np.int64]

    def __post_init__(self) -> None:
        for name in ("mean", "std", "minimum", "maximum", "zero_share"):
            object.__setattr__(self, name, frozen_array(getattr(self, name), dtype=np.float64))
        for name in ("count", "n_missing"):
            object.__setattr__(self, name, frozen_integers(name, getattr(self, name)))
        for name in self.__slots__:
            require_shape(f"MapStatistics.{name}", getattr(self, name), self.mean.shape)


@dataclass(frozen=True, slots=True, eq=False)
class ClassStatistics:
    """Averages of each channel by the class of the image.

    Parameters
    ----------
    count : (K,) int64
        Images of each class.
    mean, std : (C, K) float64
        Population standard deviation; NaN for a class without images.
    """

    count: NDArray[np.int64]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", frozen_integers("count", self.count))
        for name in ("mean", "std"):
            array = frozen_array(getattr(self, name), dtype=np.float64)
            require_shape(f"ClassStatistics.{name}", array, (None, self.count.size))
            object.__setattr__(self, name, array)


@dataclass(frozen=True, slots=True, eq=False)
class LayerSurvey:
    """What the channels of one layer did. An *average* is the mean of a channel's map: one number per image.

    Parameters
    ----------
    value : str
        The layer whose values were read: the activation behind a convolution, for instance.
    mean, std : (C,) float64
        Of the averages; population standard deviation. NaN for a channel without finite averages.
    correlation : (C, C) float64
        Pearson correlation of the averages; NaN in row and column of a constant channel, and everywhere with
        fewer than two images.
    quantiles : (C, len(LEVELS)) float64
        Of the averages, to 1 % of their own size; the outermost are exact.
    window : (W, C) float32
        Averages of the last W images, in order.
    top_images : (C, T) int64
        The images with the largest averages, largest first; -1 where there were fewer than T.
    top_averages : (C, T) float64
        NaN where there were fewer.
    n_missing : (C,) int64
        Images whose average is NaN or infinite; they count nowhere else.
    maps : MapStatistics or None
        None where only averages were asked for.
    by_class : ClassStatistics or None
        None without labels.
    spatial : (C, C) float64 or None
        Pearson correlation of the maps over all images and positions, where it was asked for; NaN as in `correlation`.
    value_type : str
        What gave the values, such as "ReLU"; "" where that is not known.
    """

    value: str
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    correlation: NDArray[np.float64]
    quantiles: NDArray[np.float64]
    window: NDArray[np.float32]
    top_images: NDArray[np.int64]
    top_averages: NDArray[np.float64]
    n_missing: NDArray[np.int64]
    maps: MapStatistics | None = None
    by_class: ClassStatistics | None = None
    spatial: NDArray[np.float64] | None = None
    value_type: str = ""

    def __post_init__(self) -> None:
        for name in ("mean", "std", "correlation", "quantiles", "top_averages"):
            object.__setattr__(self, name, frozen_array(getattr(self, name), dtype=np.float64))
        object.__setattr__(self, "window", frozen_array(self.window, dtype=np.float32))
        for name in ("top_images", "n_missing"):
            object.__setattr__(self, name, frozen_integers(name, getattr(self, name)))
        n = self.n_channels
        if self.spatial is not None:
            object.__setattr__(self, "spatial", frozen_array(self.spatial, dtype=np.float64))
            require_shape("LayerSurvey.spatial", self.spatial, (n, n))
        n_top = self.top_images.shape[-1]
        shapes: dict[str, tuple[int | None, ...]] = {
            "mean": (n,),
            "std": (n,),
            "correlation": (n, n),
            "quantiles": (n, len(LEVELS)),
            "window": (None, n),
            "top_images": (n, n_top),
            "top_averages": (n, n_top),
            "n_missing": (n,),
        }
        for name, shape in shapes.items():
            require_shape(f"LayerSurvey.{name}", getattr(self, name), shape)

    @property
    def n_channels(self) -> int:
        """Number of channels C."""
        return int(self.mean.size)


SETTLED = 0.05
"""Change of correlations, root mean square, below which they count as settled when the number of images doubles.

Of channels that have nothing to do with each other it is 1 / sqrt(images): 0.05 at 400.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Convergence:
    """How far the correlations still moved while images were added.

    Parameters
    ----------
    n_images : (P,) int64
        Rising.
    change : mapping of str to (P,) float64
        By layer: root mean square of (correlation now - correlation at the point before) over pairs of channels that
        vary; the first is NaN.
    """

    n_images: NDArray[np.int64]
    change: Mapping[str, NDArray[np.float64]]

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_images", frozen_integers("n_images", self.n_images))
        change = {layer: frozen_array(array, dtype=np.float64) for layer, array in self.change.items()}
        for layer, array in change.items():
            require_shape(f"change of {layer!r}", array, self.n_images.shape)
        object.__setattr__(self, "change", frozen_mapping(change))

    @property
    def settled(self) -> int | None:
        """Number of images from which on no layer's correlations changed by `SETTLED` or more; None where they did."""
        still = [array >= SETTLED for array in self.change.values()]  # False for NaN: nothing there can change
        moving = np.any([*still, np.zeros(self.n_images.size, bool)], axis=0)
        first = int(moving.size - np.argmax(moving[::-1])) if moving.any() else 1
        return int(self.n_images[first]) if first < self.n_images.size else None


@dataclass(frozen=True, slots=True)
class SkippedImage:
    """An image that could not be read, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Survey(Mapping[str, LayerSurvey]):
    """How every channel of a network behaves over many images; a mapping of layer name to LayerSurvey.

    Parameters
    ----------
    layers : mapping of str to LayerSurvey
        In order of execution.
    signal : Signal
    n_images : int
        Images taken in.
    confusion : (K, K) int64 or None
        Images of class (row) that were answered as class (column); None without labels or class scores.
    window_images : (W,) int64
        Numbers of the images that the windows of all layers hold. An image's number is its place in the data.
    window_labels, window_answers : (W,) int64
        Their classes, and what the network answered; -1 where that is not known.
    image_names : mapping of int to str
        Names of the images that `top_images` and `window_images` speak of, where they have names.
    n_skipped : int
        Images that could not be read.
    skipped : tuple of SkippedImage
        The first of them, by name.
    convergence : Convergence or None
    class_names : tuple of str, or None
    grouping : Grouping
        How its channels are grouped, by whoever shows it.
    provenance : Provenance
    """

    layers: Mapping[str, LayerSurvey]
    signal: Signal
    n_images: int
    confusion: NDArray[np.int64] | None = None
    window_images: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    window_labels: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    window_answers: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    image_names: Mapping[int, str] = field(default_factory=dict)
    n_skipped: int = 0
    skipped: tuple[SkippedImage, ...] = ()
    convergence: Convergence | None = None
    class_names: tuple[str, ...] | None = None
    grouping: Grouping = field(default_factory=Grouping)
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", frozen_mapping(self.layers))
        object.__setattr__(self, "signal", parse_choice(Signal, self.signal, what="signal"))
        for name in ("window_images", "window_labels", "window_answers"):
            array = frozen_integers(name, getattr(self, name))
            require_shape(name, array, self.window_images.shape)
            object.__setattr__(self, name, array)
        object.__setattr__(self, "image_names", MappingProxyType(dict(self.image_names)))
        object.__setattr__(self, "skipped", tuple(self.skipped))
        if self.n_images < 1:
            raise InvalidInputError(f"A survey needs at least one image, got {self.n_images}.")
        if self.confusion is not None:
            confusion = frozen_integers("confusion", self.confusion)
            require_shape("confusion", confusion, (confusion.shape[0], confusion.shape[0]))
            object.__setattr__(self, "confusion", confusion)

    def __getitem__(self, layer: str) -> LayerSurvey:
        try:
            return self.layers[layer]
        except KeyError:
            hint = did_you_mean(layer, self.layers, what="layers of the survey")
            raise LayerNotFoundError(f"The survey has no layer {layer!r}. {hint}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    __eq__ = object.__eq__  # identity, as of every result with arrays
    __hash__ = object.__hash__

    @property
    def n_channels(self) -> int:
        """Channels of all layers."""
        return sum(layer.n_channels for layer in self.layers.values())

    @property
    def last_hidden(self) -> str:
        """Name of the last layer before the class scores, which are the last of all; of a single layer, that."""
        return list(self.layers)[-2:][0]

    @property
    def accuracy(self) -> float | None:
        """Share of the labelled images that were answered rightly; None where that is not known."""
        if self.confusion is None or not self.confusion.sum():
            return None
        return float(np.trace(self.confusion) / self.confusion.sum())
