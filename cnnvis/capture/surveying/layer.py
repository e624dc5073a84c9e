"""Everything a survey knows of one layer, in a form that grows and can be merged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.capture.accumulator import Accumulator
from cnnvis.capture.statistics import RunningCovariance, RunningStatistics
from cnnvis.capture.surveying.averages import QuantileSketch, RunningClasses, TopImages, Window
from cnnvis.capture.surveying.map_values import RunningMaps
from cnnvis.capture.surveying.options import SurveyOptions
from cnnvis.core import ClassStatistics, LayerSurvey
from cnnvis.core.survey import LEVELS

PARTS = ("averages", "pairs", "quantiles", "top", "window", "maps", "classes")


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

    @property
    def parts(self) -> dict[str, Accumulator]:
        """What there is to merge and to keep, by name."""
        named = {name: getattr(self, name) for name in PARTS}
        return {name: part for name, part in named.items() if part is not None}

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
        with np.errstate(invalid="ignore"):
            correlation: NDArray[np.float64] = self.pairs.correlation
        undefined = ~_varies(self.averages) | (self.averages.n_missing > 0)
        correlation[undefined] = np.nan
        correlation[:, undefined] = np.nan
        return correlation

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
            by_class=classes and ClassStatistics(classes.n_images, classes.means, classes.std),
        )


def _varies(averages: RunningStatistics) -> NDArray[np.bool_]:
    """Return which channels vary by more than rounding: a part in a million of their own mean."""
    with np.errstate(invalid="ignore"):
        varies: NDArray[np.bool_] = averages.std > 1e-6 * np.abs(averages.mean)
    return varies
