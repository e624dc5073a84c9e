"""The rules by which layers compute: what is multiplied, chosen or mapped, and where windows lie.

Where windows lie is a table for each axis of the maps, its *taps*: entry (i, k) is the index along this axis of the
value that entry k of the window at output index i meets, or `OUTSIDE` where it meets padding. Stride, padding,
dilation, transposed convolutions and adaptive pooling are nothing but other tables.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.operation_workings import Chosen, Exponentials, Merged, Normalised, PointMap, Products

OUTSIDE = -1
"""In a table of taps: padding, or no entry of the window at all."""

Taps = tuple[NDArray[np.int64], ...]
Sources = Sequence[NDArray[np.float32]]


@dataclass(frozen=True, slots=True, eq=False)
class WeightedSum:
    """A convolution or dense layer: the sum of a window's values, each times a weight, and a bias.

    Parameters
    ----------
    weight : (K, C / groups, *window) float32
        A dense layer has no window, and (K, C); one that runs on tokens has windows of one.
    bias : (K,) float32 or None
    taps : tuple of (size, window) int64
        One table per axis.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32] | None
    taps: Taps

    def at(self, sources: Sources, channel: int, position: tuple[int, ...]) -> Products:
        """Return the working at one unit."""
        values = sources[0]
        n_read = self.weight.shape[1]
        if not self.taps:  # a dense layer; what it reads may be maps that were flattened
            values = values.reshape(n_read)
        group = channel * (values.shape[0] // n_read) // self.weight.shape[0]
        channels = np.arange(group * n_read, (group + 1) * n_read)
        taps = _met(self.taps, position)
        return Products(
            patch=_window(values[channels], taps),
            kernel=self.weight[channel].astype(np.float64),
            bias=0.0 if self.bias is None else float(self.bias[channel]),
            channels=channels,
            taps=taps,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Pooling:
    """The largest value of a window, or the mean.

    Parameters
    ----------
    rule : {"max", "mean"}
    taps : tuple of (size, window) int64
    divisors : tuple of (size,) int64
        Of a mean: its divisor is their product, one from each axis; padding may count or not.
    """

    rule: Literal["max", "mean"]
    taps: Taps
    divisors: Taps = ()

    def at(self, sources: Sources, channel: int, position: tuple[int, ...]) -> Chosen:
        """Return the working at one unit."""
        taps = _met(self.taps, position)
        divisor = math.prod(int(count) for count in _met(self.divisors, position)) if self.divisors else 1
        return Chosen(self.rule, _window(sources[0][channel : channel + 1], taps)[0], taps, divisor)


@dataclass(frozen=True, slots=True)
class Softmax:
    """The exponential of each channel's value as a share of their sum; its logarithm where `is_log`."""

    is_log: bool = False

    def at(self, sources: Sources, channel: int, position: tuple[int, ...]) -> Exponentials:
        """Return the working at one unit."""
        return Exponentials(np.asarray(np.moveaxis(sources[0], 0, -1)[position], np.float64), channel, self.is_log)


@dataclass(frozen=True, slots=True, eq=False)
class PointFunction:
    """A function of the value at the same place: ReLU, SiLU, tanh.

    Parameters
    ----------
    after : (K, *S) float32
        What came out, since which function it is, only the layer knows.
    """

    after: NDArray[np.float32]

    def at(self, sources: Sources, channel: int, position: tuple[int, ...]) -> PointMap:
        """Return the working at one unit."""
        place = (channel, *position)
        return PointMap(float(sources[0][place]), float(self.after[place]))


@dataclass(frozen=True, slots=True, eq=False)
class BatchNorm:
    """(value - mean) / sqrt(variance + eps) * scale + shift, with numbers of each channel, as trained.

    Parameters
    ----------
    mean, variance, scale, shift : (K,) float64
    eps : float
    """

    mean: NDArray[np.float64]
    variance: NDArray[np.float64]
    scale: NDArray[np.float64]
    shift: NDArray[np.float64]
    eps: float

    def at(self, sources: Sources, channel: int, position: tuple[int, ...]) -> Normalised:
        """Return the working at one unit."""
        return Normalised(
            before=float(sources[0][(channel, *position)]),
            mean=float(self.mean[channel]),
            deviation=float(np.sqrt(self.variance[channel] + self.eps)),
            scale=float(self.scale[channel]),
            shift=float(self.shift[channel]),
        )


@dataclass(frozen=True, slots=True)
class Merge:
    """Values of several layers at the same place, added, subtracted or multiplied.

    Parameters
    ----------
    sign : {"+", "-", "x"}
    """

    sign: Literal["+", "-", "x"]

    def at(self, sources: Sources, channel: int, position: tuple[int, ...]) -> Merged:
        """Return the working at one unit; a source with one row or column has its value everywhere."""
        place = (channel, *position)
        terms = []
        for values in sources:
            own = (0,) * (len(place) - values.ndim) + place[len(place) - values.ndim :]
            own = tuple(0 if size == 1 else index for index, size in zip(own, values.shape, strict=True))
            terms.append(float(values[own]))
        return Merged(self.sign, tuple(terms))


@dataclass(frozen=True, slots=True)
class Concatenation:
    """Channels of several layers, one layer's behind the other's."""

    def at(self, sources: Sources, channel: int, position: tuple[int, ...]) -> Merged:
        """Return the working at one unit: the one value that it is."""
        for values in sources:
            if channel < len(values):
                return Merged("+", (float(values[(channel, *position)]),))
            channel -= len(values)
        raise IndexError(channel)


Rule = WeightedSum | Pooling | Softmax | PointFunction | BatchNorm | Merge | Concatenation


def _met(tables: Taps, position: tuple[int, ...]) -> Taps:
    """Return the entry of each table at a position; a map that was pooled to one number without axes has one entry."""
    place = position or (0,) * len(tables)
    return tuple(np.asarray(table[index]) for table, index in zip(tables, place, strict=True))


def _window(values: NDArray[np.float32], taps: Taps) -> NDArray[np.float64]:
    """Return what a window meets, (C, *window); NaN where an entry lies outside."""
    met = np.asarray(values, np.float64)
    if not taps:
        return met
    met = met[np.ix_(np.arange(len(met)), *(np.maximum(tap, 0) for tap in taps))]
    for axis, tap in enumerate(taps):
        shape = [1] * met.ndim
        shape[axis + 1] = len(tap)
        met = np.where((tap != OUTSIDE).reshape(shape), met, np.nan)
    return met
