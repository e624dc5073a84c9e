"""Everything a survey knows of one layer, in a form that grows and can be merged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.capture.accumulator import Accumulator
from cnnvis.capture.statistics import RunningCovariance, RunningStatistics
from cnnvis.capture.surveying.averages import QuantileSketch, RunningClasses, TopImages, Window
from cnnvis.capture.surveying.map_values import RunningMaps
from cnnvis.capture.surveying.options import SurveyOptions
from cnnvis.core import ClassStatistics, LayerSurvey
from cnnvis.core.survey import LEVELS

PARTS = ("averages", "pairs", "quantiles", "top", "window", "maps", "classes", "space")

AT_A_TIME = 2**21
"""Values whose products are taken at a time: they are copied in float64."""


class LayerAccumulator:
    """Statistics of one layer.

    Parameters
    ----------
    value : str
        The layer whose values are read.
    n_channels : int
    n_classes : int
        0 without labels.
    options : SurveyOptions
    """

    def __init__(self, value: str, n_channels: int, n_classes: int, options: SurveyOptions) -> None:
        self.value = value
        self.averages = RunningStatistics(n_channels)
        self.pairs = RunningCovariance(n_channels)
        self.quantiles = QuantileSketch(n_channels)
        self.top = TopImages(n_channels, options.n_top)
        self.window = Window(n_channels, options.window)
        self.maps = RunningMaps(n_channels) if options.maps else None
        self.classes = RunningClasses(n_channels, n_classes) if n_classes else None
        self.space = RunningCovariance(n_channels) if options.space else None

    @property
    def parts(self) -> dict[str, Accumulator]:
        """What there is to merge and to keep, by name."""
        named = {name: getattr(self, name) for name in PARTS}
        return {name: part for name, part in named.items() if part is not None}

    def take(self, values: Tensor) -> NDArray[np.float64]:
        """Take in all values (n, C, *S) of the maps, as far as they are asked for, and return the (n, C) averages."""
        if values.dtype in (torch.float16, torch.bfloat16) or not values.is_floating_point():
            values = values.float()
        if self.space is not None:
            for part in values.split(max(1, AT_A_TIME // max(values[0].numel(), 1))):
                self.space.update(torch.nan_to_num(part.double(), 0.0, 0.0, 0.0).cpu().numpy())
        if self.maps is not None:
            return self.maps.take(values)
        if values.ndim > 2:
            values = values.mean(dim=tuple(range(2, values.ndim)))
        return np.asarray(values.double().cpu().numpy(), np.float64)

    def update(
        self, averages: NDArray[np.float64], images: NDArray[np.int64], labels: NDArray[np.int64] | None
    ) -> None:
        """Take in (n, C) averages, the (n,) numbers of their images and their classes; `maps` takes in by itself."""
        self.averages.update(averages)
        # A missing average leaves the correlation of its own channel undefined, and no other's.
        self.pairs.update(np.where(np.isfinite(averages), averages, 0.0))
        self.quantiles.update(averages)
        self.top.update(averages, images)
        self.window.update(averages)
        if labels is not None and self.classes is not None:
            self.classes.update(averages, labels)

    def merge(self, other: LayerAccumulator) -> None:
        """Take in what `other` has seen, which comes behind what was seen here."""
        for name, part in self.parts.items():
            part.merge(other.parts[name])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the whole state as arrays by name."""
        return {f"{name}/{key}": array for name, part in self.parts.items() for key, array in part.arrays().items()}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Put a state back that `arrays` gave."""
        for name, part in self.parts.items():
            part.restore({key: arrays[f"{name}/{key}"] for key in part.STATE})

    def correlation(self) -> NDArray[np.float64]:
        """Return the (C, C) correlation of the averages; NaN where a channel is constant or misses values."""
        return _correlation(self.pairs, self.averages.n_missing > 0)

    def early_correlation(self, n_images: int) -> NDArray[np.float64]:
        """Return what `correlation` was after so many images, which the window must begin with."""
        first = self.window.values[:n_images].astype(np.float64)
        finite = np.isfinite(first)
        pairs = RunningCovariance(first.shape[1])
        pairs.update(np.where(finite, first, 0.0))
        return _correlation(pairs, ~finite.all(axis=0))

    def result(self) -> LayerSurvey:
        """Return what was seen."""
        quantiles = self.quantiles.quantiles(LEVELS)
        quantiles[:, 0], quantiles[:, -1] = self.averages.minimum, self.averages.maximum
        np.clip(quantiles, quantiles[:, :1], quantiles[:, -1:], out=quantiles)
        classes = self.classes
        return LayerSurvey(
            value=self.value,
            mean=self.averages.mean,
            std=self.averages.std,
            correlation=self.correlation(),
            quantiles=quantiles,
            window=self.window.values,
            top_images=self.top.images,
            top_averages=np.where(self.top.images >= 0, self.top.values, np.nan),
            n_missing=self.averages.n_missing,
            maps=self.maps and self.maps.statistics(),
            spatial=None if self.space is None else _correlation(self.space, self.averages.n_missing > 0),
            by_class=classes and ClassStatistics(classes.n_images, classes.means, classes.std),
        )


def _correlation(pairs: RunningCovariance, is_missing: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the correlation; NaN where values miss, or vary by rounding only: a part in a million of their mean."""
    with np.errstate(invalid="ignore"):
        correlation: NDArray[np.float64] = pairs.correlation
        std = np.sqrt(np.diag(pairs.covariance))
        undefined = ~(std > 1e-6 * np.abs(pairs.mean)) | is_missing
    correlation[undefined] = np.nan
    correlation[:, undefined] = np.nan
    return correlation
