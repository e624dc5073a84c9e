"""Statistics of channels over many images, batch by batch: what was seen can be updated and merged."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from cnnvis.capture.accumulator import Accumulator
from cnnvis.core.errors import InvalidInputError


class RunningStatistics(Accumulator):
    """Count, mean, variance, minimum and maximum of each channel.

    Mutable, unlike result types: it grows with `update` and `merge`. Both give the same as one pass
    over all values, in any order, up to rounding [1]_.

    Parameters
    ----------
    n_channels : int

    Attributes
    ----------
    count : (C,) ndarray of int
        Finite values seen.
    n_missing : (C,) ndarray of int
        NaN and infinite values seen; they count nowhere else.
    mean, minimum, maximum : (C,) ndarray of float64
        NaN for a channel without values.
    m2 : (C,) ndarray of float64
        Sum of squared distances from the mean.

    References
    ----------
    .. [1] T. F. Chan, G. H. Golub, R. J. LeVeque, "Algorithms for computing the sample variance: analysis and
       recommendations", The American Statistician 37 (1983).
    """

    STATE = ("count", "n_missing", "mean", "minimum", "maximum", "m2")

    def __init__(self, n_channels: int) -> None:
        self.count = np.zeros(n_channels, dtype=np.int64)
        self.n_missing = np.zeros(n_channels, dtype=np.int64)
        self.mean = np.full(n_channels, np.nan)
        self.minimum = np.full(n_channels, np.nan)
        self.maximum = np.full(n_channels, np.nan)
        self.m2 = np.zeros(n_channels)

    @property
    def variance(self) -> NDArray[np.float64]:
        """(C,) population variance; NaN for a channel without values."""
        return np.divide(self.m2, self.count, out=np.full(self.m2.shape, np.nan), where=self.count > 0)

    @property
    def std(self) -> NDArray[np.float64]:
        """(C,) population standard deviation."""
        return np.sqrt(self.variance)

    def update(self, values: ArrayLike) -> None:
        """Take in (N, C, *S) values. Cost: a few passes over them in float64."""
        rows = _by_channel(values, self.count.size)
        finite = np.isfinite(rows)
        batch = RunningStatistics(self.count.size)
        batch.count = finite.sum(axis=1)
        batch.n_missing = rows.shape[1] - batch.count
        seen = batch.count > 0
        total = np.where(finite, rows, 0.0).sum(axis=1)
        batch.mean[seen] = total[seen] / batch.count[seen]
        batch.m2 = np.where(finite, rows - np.where(seen, batch.mean, 0.0)[:, None], 0.0)
        batch.m2 = np.square(batch.m2).sum(axis=1)
        batch.minimum[seen] = np.where(finite, rows, np.inf).min(axis=1, initial=np.inf)[seen]
        batch.maximum[seen] = np.where(finite, rows, -np.inf).max(axis=1, initial=-np.inf)[seen]
        self.merge(batch)

    def merge(self, other: RunningStatistics) -> None:
        """Take in what `other` has seen of the same channels."""
        if other.count.size != self.count.size:
            raise InvalidInputError(
                f"Statistics of {other.count.size} channels cannot be merged into those of {self.count.size}."
            )
        count = self.count + other.count
        share = np.divide(other.count, count, out=np.zeros(count.shape), where=count > 0)
        mine, theirs = np.nan_to_num(self.mean, nan=0.0), np.nan_to_num(other.mean, nan=0.0)
        self.m2 = self.m2 + other.m2 + np.square(theirs - mine) * self.count * share
        self.mean = np.where(count > 0, mine * (1 - share) + theirs * share, np.nan)
        self.minimum = np.fmin(self.minimum, other.minimum)
        self.maximum = np.fmax(self.maximum, other.maximum)
        self.n_missing = self.n_missing + other.n_missing
        self.count = count


class RunningCovariance(Accumulator):
    """Mean and covariance of channels; each position of each image is one observation.

    Mutable, unlike result types: it grows with `update` and `merge`. An observation with a NaN or an
    infinite value in any channel is left out and counted.

    Parameters
    ----------
    n_channels : int

    Attributes
    ----------
    count, n_missing : int
        Observations taken in, and left out.
    mean : (C,) ndarray of float64
        Zero before the first observation.
    comoment : (C, C) ndarray of float64
        Sum of products of distances from the means.
    """

    STATE = ("count", "n_missing", "mean", "comoment")

    def __init__(self, n_channels: int) -> None:
        self.count = 0
        self.n_missing = 0
        self.mean = np.zeros(n_channels)
        self.comoment = np.zeros((n_channels, n_channels))

    @property
    def covariance(self) -> NDArray[np.float64]:
        """(C, C) population covariance; NaN without observations."""
        return self.comoment / self.count if self.count else np.full(self.comoment.shape, np.nan)

    @property
    def correlation(self) -> NDArray[np.float64]:
        """(C, C) Pearson correlation; NaN in rows and columns of constant channels."""
        covariance = self.covariance
        scale = np.sqrt(np.diag(covariance))
        scale = np.where(scale > 0, scale, np.nan)
        return np.clip(covariance / np.outer(scale, scale), -1.0, 1.0)

    def update(self, values: ArrayLike) -> None:
        """Take in (N, C, *S) values. Cost: O(N |S| C^2)."""
        rows = _by_channel(values, self.mean.size)
        finite = np.isfinite(rows).all(axis=0)
        kept = rows if finite.all() else rows[:, finite]
        self.n_missing += rows.shape[1] - kept.shape[1]
        if kept.shape[1]:
            mean = kept.mean(axis=1)
            centred = kept - mean[:, None]
            self._add(kept.shape[1], mean, _product(centred, centred.T))

    def merge(self, other: RunningCovariance) -> None:
        """Take in what `other` has seen of the same channels."""
        if other.mean.size != self.mean.size:
            raise InvalidInputError(
                f"Statistics of {other.mean.size} channels cannot be merged into those of {self.mean.size}."
            )
        self.n_missing += other.n_missing
        if other.count:
            self._add(other.count, other.mean, other.comoment)

    def _add(self, n: int, mean: NDArray[np.float64], comoment: NDArray[np.float64]) -> None:
        """Take in n observations. Large arrays are not made where none is needed: new memory costs more than sums."""
        count = self.count + n
        self.comoment += comoment
        if self.count:
            difference = mean - self.mean
            between = np.outer(difference, difference)
            between *= self.count * n / count
            self.comoment += between
            self.mean = self.mean + difference * (n / count)
        else:
            self.mean = mean.copy()
        self.count = count


def _product(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the matrix product, by torch: threads of another library wait busily beside the network's next layers."""
    found: NDArray[np.float64] = (torch.from_numpy(first) @ torch.from_numpy(second)).numpy()
    return found


def _by_channel(values: ArrayLike, n_channels: int) -> NDArray[Any]:
    """Return (N, C, *S) values as (C, N * |S|) in float64."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim < 2 or array.shape[1] != n_channels:
        raise InvalidInputError(f"Values must be (N, {n_channels}, *S), got shape {array.shape}.")
    return np.moveaxis(array, 1, 0).reshape(n_channels, -1)
