"""All values of the maps of a layer: their moments, extremes and zeros, plane by plane."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.capture.statistics import RunningStatistics
from cnnvis.core import MapStatistics

CACHED = 2**18
"""Values that a processor's cache holds, of 4 bytes."""


class RunningMaps(RunningStatistics):
    """Statistics of all values of each channel, zeros counted too.

    Parameters
    ----------
    n_channels : int

    Attributes
    ----------
    n_zeros : (C,) int64
    """

    STATE = (*RunningStatistics.STATE, "n_zeros")

    def __init__(self, n_channels: int) -> None:
        super().__init__(n_channels)
        self.n_zeros = np.zeros(n_channels, np.int64)

    def take(self, values: Tensor) -> NDArray[np.float64]:
        """Take in (n, C, *S) values, and return the (n, C) averages of the maps.

        Cost: six passes over them, in their own precision; the sums over maps are in float64.
        """
        if values.dtype in (torch.float16, torch.bfloat16) or not values.is_floating_point():
            values = values.float()
        planes = values.flatten(2) if values.ndim > 2 else values[..., None]
        mean = planes.mean(dim=2)
        variance = _variance(planes, mean)
        finite = torch.isfinite(variance) & torch.isfinite(mean)
        self._take_missing(planes, finite)
        self._take_planes(planes, mean, variance, finite)
        return np.asarray(mean.double().cpu().numpy(), np.float64)

    def _take_missing(self, planes: Tensor, finite: Tensor) -> None:
        """Take in the few planes with values that are not finite, value by value."""
        for image, channel in (~finite).nonzero().tolist():
            plane = planes[image, channel].reshape(1, 1, -1).double().cpu().numpy()
            single = RunningMaps(1)
            single.update(plane)
            single.n_zeros[:] = np.count_nonzero(plane == 0)
            whole = RunningMaps(self.count.size)
            for name in self.STATE:
                getattr(whole, name)[channel] = getattr(single, name)[0]
            self.merge(whole)

    def _take_planes(self, planes: Tensor, mean: Tensor, variance: Tensor, finite: Tensor) -> None:
        batch = RunningMaps(self.count.size)
        n_values = planes[0, 0].numel()
        used = finite.cpu().numpy()
        n_planes = used.sum(axis=0)
        means = np.where(used, mean.double().cpu().numpy(), 0.0)
        batch.count = n_planes * n_values
        seen = n_planes > 0
        centre = means.sum(axis=0) / np.maximum(n_planes, 1)
        spread = np.where(used, variance.double().cpu().numpy() + np.square(means - centre), 0.0)
        batch.mean[seen] = centre[seen]
        batch.m2 = spread.sum(axis=0) * n_values
        low = np.where(used, planes.amin(dim=2).double().cpu().numpy(), np.inf).min(axis=0)
        high = np.where(used, planes.amax(dim=2).double().cpu().numpy(), -np.inf).max(axis=0)
        batch.minimum[seen], batch.maximum[seen] = low[seen], high[seen]
        zeros = np.count_nonzero((planes == 0).cpu().numpy(), axis=2)
        batch.n_zeros = np.where(used, zeros, 0).sum(axis=0)
        self.merge(batch)

    def merge(self, other: RunningStatistics) -> None:
        """Take in what `other` has seen of the same channels."""
        super().merge(other)
        if isinstance(other, RunningMaps):
            self.n_zeros = self.n_zeros + other.n_zeros

    def statistics(self) -> MapStatistics:
        """Return what was seen."""
        share: NDArray[np.float64] = np.full(self.count.shape, np.nan)
        np.divide(self.n_zeros, self.count, out=share, where=self.count > 0)
        return MapStatistics(self.mean, self.std, self.minimum, self.maximum, share, self.count, self.n_missing)


def _variance(planes: Tensor, mean: Tensor) -> Tensor:
    """Return the (n, C) variances of the planes (n, C, P) around their means.

    Distances are taken of as many images at a time as the cache holds: torch.var_mean takes ten times as long.
    """
    n_images = max(1, CACHED // planes[0].numel())
    parts = zip(planes.split(n_images), mean.split(n_images), strict=True)
    sums = [(part - centre[..., None]).square_().sum(dim=2) for part, centre in parts]
    return torch.cat(sums) / planes.shape[2]
