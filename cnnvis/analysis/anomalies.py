"""Which channels of a survey behave oddly: dead, constant, saturated, missing values, images far outside the range."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnnvis.core import LayerSurvey, Survey
from cnnvis.core.anomalies import Anomaly, AnomalyKind
from cnnvis.core.survey import LEVELS

RARE = 0.999
"""Share of zeros from which a channel counts as rare."""

SATURATED = 0.01
"""A channel is saturated when its mean is nearer to its largest value than this share of its range."""

FAR = 10.0
"""An image is far outside a channel's range when its average is so many times as far from the median as that of 95 % of
the images."""

CONSTANT = 1e-6
"""Standard deviation of a constant channel, as a share of its own mean."""


def anomalies(survey: Survey) -> tuple[Anomaly, ...]:
    """Return what is odd, by layer and channel.

    Parameters
    ----------
    survey : Survey
        With `maps`; one of averages only tells missing values, constant channels and images far outside the range.

    Notes
    -----
    A channel has one kind but `outlier`, which comes on top. Whether a channel may be dead depends on the images: one
    that answers to none of these may answer to others.
    """
    return tuple(found for name, layer in survey.layers.items() for found in _of_layer(name, layer))


def _of_layer(name: str, layer: LayerSurvey) -> Iterator[Anomaly]:
    far = _far(layer)
    for channel in range(layer.n_channels):
        kind = _kind(layer, channel)
        if kind is not None:
            yield Anomaly(name, channel, *kind)
        if far[channel] >= FAR:
            detail = f"an average of {layer.top_averages[channel, 0]:.3g}, {far[channel]:.0f} times the usual distance"
            yield Anomaly(name, channel, AnomalyKind.OUTLIER, detail, int(layer.top_images[channel, 0]))


def _kind(layer: LayerSurvey, channel: int) -> tuple[AnomalyKind, str] | None:
    maps = layer.maps
    missing = int(layer.n_missing[channel])
    if missing:
        return AnomalyKind.MISSING, f"NaN or infinite in {missing:,} images"
    if maps is None:
        if layer.std[channel] <= CONSTANT * abs(layer.mean[channel]):
            return AnomalyKind.CONSTANT, f"average {layer.mean[channel]:.3g} for every image"
        return None
    low, high, mean = maps.minimum[channel], maps.maximum[channel], maps.mean[channel]
    if low == high == 0:
        return AnomalyKind.DEAD, "0 everywhere"
    if maps.std[channel] <= CONSTANT * abs(mean):
        return AnomalyKind.CONSTANT, f"{mean:.3g} everywhere"
    if high - mean < SATURATED * (high - low):
        return AnomalyKind.SATURATED, f"mean {mean:.3g} of at most {high:.3g}"
    if maps.zero_share[channel] >= RARE:
        return AnomalyKind.RARE, f"0 at {maps.zero_share[channel]:.2%} of the positions"
    return None


def _far(layer: LayerSurvey) -> np.ndarray:
    """Return how far the largest average of each channel lies: in distances of 95 % of the images from the median."""
    median, usual = layer.quantiles[:, LEVELS.index(0.5)], layer.quantiles[:, LEVELS.index(0.95)]
    distance = usual - median
    with np.errstate(invalid="ignore", divide="ignore"):
        far = (layer.top_averages[:, 0] - median) / distance
    return np.where(distance > CONSTANT * np.abs(median), np.nan_to_num(far, nan=0.0, posinf=0.0), 0.0)
