"""Which channels of a survey behave oddly: dead, constant, saturated, missing values, images far outside the range."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import LayerSurvey, Survey
from cnnvis.core.anomalies import Anomaly, AnomalyKind
from cnnvis.core.survey import LEVELS

RARE = 0.999
"""Share of zeros from which a channel counts as rare."""

SATURATED = 0.01
"""A channel is saturated when its mean is nearer to an end than this share of the range: of that of the function that
gives its values, where this has one, else of its own."""

ENDS = {
    "sigmoid": (0.0, 1.0),
    "hardsigmoid": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "hardtanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
}
"""What activation functions give at the least and at the most, by name. Those of ReLU are no ends: it rests at zero."""

FAR = 10.0
"""An image is far outside a channel's range when its average is so many times as far from the median as is usual."""

FEW = 3
"""Images below which none can be called far from the others."""

MANY = 40
"""Images from which quantiles say what is usual: of 40, two lie above the level of 95 %."""

CONSTANT = 1e-6
"""Standard deviation of a constant channel, as a share of its own mean."""

KNOWN_TO = 0.02
"""What two quantiles may differ by where they are the same, as a share of their size: a survey knows each to 1 %."""


class _Far(NamedTuple):
    """An image whose average is far from the others'; `image` is -1 where its number is not known."""

    average: float
    times: float
    image: int


def anomalies(survey: Survey) -> tuple[Anomaly, ...]:
    """Return what is odd, by layer and channel.

    Parameters
    ----------
    survey : Survey
        With `maps`; one of averages only tells missing values, constant channels and images far outside the range.
        A single image shows missing values only: nothing is known of others.

    Notes
    -----
    A channel has one kind but `outlier`, which comes on top. Whether a channel may be dead depends on the images: one
    that answers to none of these may answer to others.

    Usual is the distance from the median to the level of 95 % of the images; where that is none, to that of 99 %, then
    to the next image, then to the farthest on the other side. Where there is none, all other images give the same.
    """
    several = survey.n_images > 1
    return tuple(found for name, layer in survey.layers.items() for found in _of_layer(survey, name, layer, several))


def _of_layer(survey: Survey, name: str, layer: LayerSurvey, several: bool) -> Iterator[Anomaly]:
    spread = _Spread.of(survey, layer)
    for channel in range(layer.n_channels):
        kind = _missing(layer, channel) or (_kind(layer, channel) if several else None)
        if kind is not None:
            yield Anomaly(name, channel, *kind)
        for far in (_above(layer, spread, channel), _below(survey, layer, spread, channel)):
            if far is not None and far.times >= FAR:
                yield Anomaly(name, channel, AnomalyKind.OUTLIER, _told(far), far.image)


def _missing(layer: LayerSurvey, channel: int) -> tuple[AnomalyKind, str] | None:
    missing = int(layer.n_missing[channel])
    return (AnomalyKind.MISSING, f"NaN or infinite in {missing:,} images") if missing else None


def _kind(layer: LayerSurvey, channel: int) -> tuple[AnomalyKind, str] | None:
    maps = layer.maps
    if maps is None:
        if layer.std[channel] <= CONSTANT * abs(layer.mean[channel]):
            return AnomalyKind.CONSTANT, f"average {layer.mean[channel]:.3g} for every image"
        return None
    low, high, mean = maps.minimum[channel], maps.maximum[channel], maps.mean[channel]
    if low == high == 0:
        return AnomalyKind.DEAD, "0 everywhere"
    if maps.std[channel] <= CONSTANT * abs(mean):
        return AnomalyKind.CONSTANT, f"{mean:.3g} everywhere"
    ends = ENDS.get(layer.value_type.lower())
    if ends is not None:
        near = SATURATED * (ends[1] - ends[0])
        if mean - ends[0] < near or ends[1] - mean < near:
            return AnomalyKind.SATURATED, f"mean {mean:.3g}, where {layer.value_type} gives {ends[0]:g} to {ends[1]:g}"
    elif high - mean < SATURATED * (high - low):
        return AnomalyKind.SATURATED, f"mean {mean:.3g} of at most {high:.3g}"
    if maps.zero_share[channel] >= RARE:
        return AnomalyKind.RARE, f"0 at {maps.zero_share[channel]:.2%} of the positions"
    return None


class _Spread(NamedTuple):
    """Where the averages of a layer lie.

    Parameters
    ----------
    n_images : int
    levels : (C, len(LEVELS)) float64
        Quantiles: exact where the window holds all images.
    same : float
        Difference, as a share of the median, that says nothing: what the levels are known to.
    complete : bool
        Whether the window holds all images.
    """

    n_images: int
    levels: NDArray[np.float64]
    same: float
    complete: bool

    @classmethod
    def of(cls, survey: Survey, layer: LayerSurvey) -> _Spread:
        complete = len(layer.window) == survey.n_images and bool(np.isfinite(layer.window).all())
        if not complete:
            return cls(survey.n_images, layer.quantiles, KNOWN_TO, complete)
        levels = np.quantile(layer.window.astype(np.float64), LEVELS, axis=0, method="nearest").T
        return cls(survey.n_images, levels, CONSTANT, complete)


def _above(layer: LayerSurvey, spread: _Spread, channel: int) -> _Far | None:
    """Return the image with the largest average."""
    top = layer.top_averages[channel]
    following = top[1] if top.size > 1 else np.nan
    return _far(spread, spread.levels[channel], following, int(layer.top_images[channel, 0]))


def _below(survey: Survey, layer: LayerSurvey, spread: _Spread, channel: int) -> _Far | None:
    """Return the image with the smallest average; which that is is known while the window holds all images."""
    image, following = -1, np.nan
    if spread.complete and spread.n_images > 1:
        first, second = np.argsort(layer.window[:, channel], kind="stable")[:2]
        image, following = int(survey.window_images[first]), float(layer.window[second, channel])
    far = _far(spread, -spread.levels[channel, ::-1], -following, image)
    return None if far is None else far._replace(average=-far.average)


def _far(spread: _Spread, levels: NDArray[np.float64], following: float, image: int) -> _Far | None:
    """Return how far the largest average lies out; of negated averages the smallest.

    Parameters
    ----------
    spread : _Spread
    levels : (len(LEVELS),) float64
    following : float
        The average next to the largest; NaN where that is not known.
    image : int
        That of the largest.
    """
    median, largest = levels[LEVELS.index(0.5)], levels[-1]
    same = spread.same * abs(median) + CONSTANT * abs(largest)
    if spread.n_images < FEW or not largest - median > same:  # NaN among them
        return None
    distance = next((each for each in _usual(spread.n_images, levels, following) if each > same), 0.0)
    return _Far(largest, (largest - median) / distance if distance else np.inf, image)


def _usual(n_images: int, levels: NDArray[np.float64], following: float) -> list[float]:
    """Return what may count as a usual distance from the median, what says most first."""
    lowest, median = levels[0], levels[LEVELS.index(0.5)]
    other_side = median - lowest
    next_one = other_side if np.isnan(following) else following - median
    if n_images < MANY:
        return [max(next_one, other_side)]
    of_most = levels[LEVELS.index(0.95)] - median
    of_nearly_all = levels[LEVELS.index(0.99)] - median if n_images >= 5 * MANY else of_most
    return [of_most, of_nearly_all, next_one, other_side]


def _told(far: _Far) -> str:
    if np.isinf(far.times):
        return f"an average of {far.average:.3g}, the same for all others"
    return f"an average of {far.average:.3g}, {far.times:.0f} times the usual distance"
