"""Accumulators of a survey, of one number per image and channel: quantiles, the largest, classes, the last ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.capture.accumulator import Accumulator


class QuantileSketch(Accumulator):
    """Quantiles of each channel from counts of values in bins of rising width [1]_.

    A quantile is right to ACCURACY of its own size; values nearer to 0 than SMALLEST count as 0. Only bins with
    values are kept, so memory is bounded by the bins there are and not by the number of values.

    Parameters
    ----------
    n_channels : int

    Attributes
    ----------
    keys : (M,) int64
        Ascending: channel times the number of bins, plus the bin.
    counts : (M,) int64

    References
    ----------
    .. [1] C. Masson, J. E. Rim, H. K. Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error
       guarantees", Proceedings of the VLDB Endowment 12 (2019).
    """

    ACCURACY = 0.01
    SMALLEST, LARGEST = 1e-9, 1e12
    STATE = ("keys", "counts")

    _RATIO = np.log((1 + ACCURACY) / (1 - ACCURACY))
    _HALF = int(np.ceil(np.log(LARGEST / SMALLEST) / _RATIO))
    _N_BINS = 2 * _HALF + 1

    def __init__(self, n_channels: int) -> None:
        self.n_channels = n_channels
        self.keys = np.empty(0, np.int64)
        self.counts = np.empty(0, np.int64)

    def update(self, values: ArrayLike) -> None:
        """Take in (n, C) values; those that are not finite are left out."""
        values = np.asarray(values, np.float64)
        bins = np.full((self.n_channels, len(values)), -1, np.int16)
        finite = np.isfinite(values)
        bins.T[finite] = self._bins(values[finite])
        bins.sort(axis=1)
        keys = (np.arange(self.n_channels)[:, None] * self._N_BINS + bins)[bins >= 0]
        self._add(keys, np.ones(keys.size, np.int64))

    def merge(self, other: QuantileSketch) -> None:
        """Take in the counts of `other`."""
        self._add(other.keys, other.counts)

    def _bins(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        size = np.clip(np.abs(values), self.SMALLEST, self.LARGEST)
        order = np.ceil(np.log(size / self.SMALLEST) / self._RATIO).astype(np.int64)
        order[np.abs(values) < self.SMALLEST] = 0
        return self._HALF + np.sign(values).astype(np.int64) * np.minimum(order, self._HALF)

    def _add(self, keys: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
        """Add counts of ascending keys, of which some may be equal."""
        if self.keys.size:
            keys, counts = np.concatenate([self.keys, keys]), np.concatenate([self.counts, counts])
            order = np.argsort(keys, kind="stable")  # two ascending parts: merged in one pass
            keys, counts = keys[order], counts[order]
        is_first = np.ones(keys.size, dtype=bool)
        is_first[1:] = keys[1:] != keys[:-1]
        upto = np.cumsum(counts)[np.append(is_first[1:], True)] if keys.size else counts
        self.keys, self.counts = keys[is_first], np.diff(upto, prepend=0)

    def quantiles(self, levels: ArrayLike) -> NDArray[np.float64]:
        """Return (C, L) values: of n values in order, that with the number floor(level * (n - 1)), from 0."""
        levels = np.asarray(levels, np.float64)
        edges = np.searchsorted(self.keys, np.arange(self.n_channels + 1) * self._N_BINS)
        upto = np.concatenate([[0], np.cumsum(self.counts)])
        before, total = upto[edges[:-1], None], np.diff(upto[edges])[:, None]
        rank = np.floor(levels * (total - 1)).astype(np.int64)
        place = np.searchsorted(upto[1:], np.where(total > 0, before + rank, 0), side="right")
        found = np.full((self.n_channels, levels.size), np.nan)
        seen = total[:, 0] > 0
        found[seen] = self._values(self.keys[place[seen]] % self._N_BINS)
        return found

    def _values(self, bins: NDArray[np.int64]) -> NDArray[np.float64]:
        order = bins - self._HALF
        # the value that is equally far, in its own size, from both edges of the bin
        upper = self.SMALLEST * np.exp(np.abs(order) * self._RATIO)
        values: NDArray[np.float64] = np.sign(order) * upper * 2 / (1 + np.exp(self._RATIO))
        return values


class TopImages(Accumulator):
    """The images with the largest values of each channel; of equal values the earlier image comes first.

    Parameters
    ----------
    n_channels, n_top : int

    Attributes
    ----------
    images : (C, n_top) int64
        -1 where there were fewer.
    values : (C, n_top) float64
        Falling; -inf where there were fewer.
    """

    STATE = ("images", "values")

    def __init__(self, n_channels: int, n_top: int) -> None:
        self.n_top = n_top
        self.images = np.full((n_channels, n_top), -1, np.int64)
        self.values = np.full((n_channels, n_top), -np.inf)

    def update(self, values: ArrayLike, images: NDArray[np.int64]) -> None:
        """Take in (n, C) values and the (n,) numbers of their images; NaN never is among the largest."""
        values = np.asarray(values, np.float64).T
        missing = ~np.isfinite(values)
        self._take(np.where(missing, -1, images), np.where(missing, -np.inf, values))

    def merge(self, other: TopImages) -> None:
        """Take in the largest of `other`."""
        self._take(other.images, other.values)

    def _take(self, images: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        images = np.concatenate([self.images, images], axis=1)
        values = np.concatenate([self.values, values], axis=1)
        if values.shape[1] > self.n_top:
            places = self._largest(values)
            images, values = np.take_along_axis(images, places, axis=1), np.take_along_axis(values, places, axis=1)
        best = np.lexsort((images, -values), axis=1)
        self.images = np.take_along_axis(images, best, axis=1)
        self.values = np.take_along_axis(values, best, axis=1)

    def _largest(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the places (C, n_top) of the largest of each channel, of equal ones the first; not in order."""
        least = np.partition(values, -self.n_top, axis=1)[:, -self.n_top, None]
        larger, equal = values > least, values == least
        room = self.n_top - larger.sum(axis=1, keepdims=True)
        wanted = larger | (equal & (np.cumsum(equal, axis=1, dtype=np.int32) <= room))
        return np.nonzero(wanted)[1].reshape(len(values), self.n_top)


class RunningClasses(Accumulator):
    """Count, mean and variance of each channel by class.

    Parameters
    ----------
    n_channels, n_classes : int

    Attributes
    ----------
    n_images : (K,) int64
        Images of each class.
    count : (C, K) int64
        Those with a finite value.
    mean, m2 : (C, K) float64
        Mean, 0 without values, and sum of squared distances from it.
    """

    STATE = ("n_images", "count", "mean", "m2")

    def __init__(self, n_channels: int, n_classes: int) -> None:
        self.n_images = np.zeros(n_classes, np.int64)
        self.count = np.zeros((n_channels, n_classes), np.int64)
        self.mean = np.zeros((n_channels, n_classes))
        self.m2 = np.zeros((n_channels, n_classes))

    @property
    def means(self) -> NDArray[np.float64]:
        """(C, K) means; NaN for a class without values."""
        return np.where(self.count > 0, self.mean, np.nan)

    @property
    def std(self) -> NDArray[np.float64]:
        """(C, K) population standard deviations; NaN for a class without values."""
        variance = np.divide(self.m2, self.count, out=np.full(self.m2.shape, np.nan), where=self.count > 0)
        return np.sqrt(variance)

    def update(self, values: ArrayLike, labels: NDArray[np.int64]) -> None:
        """Take in (n, C) values and the (n,) classes of their images."""
        order = np.argsort(labels, kind="stable")
        values, labels = np.asarray(values, np.float64)[order], labels[order]
        finite = np.isfinite(values)
        batch = RunningClasses(*self.mean.shape)
        batch.n_images = np.bincount(labels, minlength=self.n_images.size)
        batch.count = self._sums(finite.astype(np.int64), labels)
        batch.mean = self._sums(np.where(finite, values, 0.0), labels) / np.maximum(batch.count, 1)
        distance = np.where(finite, values - batch.mean[:, labels].T, 0.0)
        batch.m2 = self._sums(np.square(distance), labels)
        self.merge(batch)

    def _sums(self, values: NDArray[Any], labels: NDArray[np.int64]) -> NDArray[Any]:
        """Return the sums (C, K) over the images of each class of (n, C) values, whose labels ascend."""
        sums = np.zeros((self.n_images.size, values.shape[1]), values.dtype)
        present, first = np.unique(labels, return_index=True)
        if present.size:
            sums[present] = np.add.reduceat(values, first, axis=0)
        return sums.T

    def merge(self, other: RunningClasses) -> None:
        """Take in what `other` has seen of the same channels and classes."""
        count = self.count + other.count
        share = np.divide(other.count, count, out=np.zeros(count.shape), where=count > 0)
        difference = other.mean - self.mean
        self.m2 = self.m2 + other.m2 + np.square(difference) * self.count * share
        self.mean = self.mean + difference * share
        self.count = count
        self.n_images = self.n_images + other.n_images


class Window(Accumulator):
    """The values of the last images.

    Parameters
    ----------
    n_channels : int
    length : int
        Images to keep at most.

    Attributes
    ----------
    values : (W, C) float32
    """

    STATE = ("values",)

    def __init__(self, n_channels: int, length: int) -> None:
        self.length = length
        self.values = np.empty((0, n_channels), np.float32)

    def update(self, values: ArrayLike) -> None:
        """Take in (n, C) values."""
        joined = np.concatenate([self.values, np.asarray(values, np.float32)])
        self.values = joined[max(0, len(joined) - self.length) :]

    def merge(self, other: Window) -> None:
        """Take in the window of `other`."""
        self.update(other.values)
