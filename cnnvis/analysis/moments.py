"""First and second moments of channels: computed once, shared by every order and every quality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.checks import parse_choice
from cnnvis.core.errors import InvalidInputError

CHUNK_BYTES = 32 * 2**20
"""Size of the float64 copy that is held at a time; the maps themselves are never copied whole."""

CONSTANT_TOLERANCE = 1e-6
"""A channel is constant when its standard deviation is below this part of its own |mean| or of the
layer's largest standard deviation: above float32 rounding (float16 uses its own epsilon, 1e-3),
below anything that a picture can show."""


class Normalize(StrEnum):
    """What is done to each channel before channels are compared.

    `none` compares the maps as they are, so brightness counts; `zscore` gives every channel mean 0
    and standard deviation 1, so only the pattern counts.
    """

    NONE = "none"
    ZSCORE = "zscore"


NormalizeName = Literal["none", "zscore"]


@dataclass(frozen=True, slots=True, eq=False)
class ChannelMoments:
    """What orders and qualities need to know of the maps; float64 throughout.

    Parameters
    ----------
    n_values : int
        Number of values per channel, over all images and positions.
    mean : (C,) ndarray
        Mean of the finite values; 0 where there are none.
    gram : (C, C) ndarray
        Inner products of the maps after each channel's own mean was removed.
    constant : (C,) ndarray of bool
        Channels whose values do not vary (see CONSTANT_TOLERANCE). With one value per channel
        variation means nothing, and none is constant.
    n_missing : int
        NaN and infinite values met; each counts as its channel's mean.
    """

    n_values: int
    mean: NDArray[np.float64]
    gram: NDArray[np.float64]
    constant: NDArray[np.bool_]
    n_missing: int = 0

    @property
    def live(self) -> NDArray[np.int64]:
        """Channels that are not constant, ascending."""
        return np.flatnonzero(~self.constant)

    def take(self, channels: NDArray[np.int64]) -> ChannelMoments:
        """Return the moments of some channels, in the order given; a copy."""
        return ChannelMoments(
            n_values=self.n_values,
            mean=self.mean[channels],
            gram=self.gram[np.ix_(channels, channels)],
            constant=self.constant[channels],
            n_missing=self.n_missing,
        )

    def pearson(self) -> NDArray[np.float64]:
        """Return the (C, C) correlation of the maps; a constant channel correlates with itself only.

        Raises
        ------
        InvalidInputError
            With one value per channel, where no correlation is defined.
        """
        if self.n_values < 2:
            raise InvalidInputError(
                "Correlation needs at least two values per channel, got one: "
                "record several images, or choose a layer that has maps."
            )
        norm = np.sqrt(np.diag(self.gram))
        scale = np.divide(1.0, norm, out=np.zeros_like(norm), where=~self.constant & (norm > 0))
        correlation = self.gram * scale
        correlation *= scale[:, np.newaxis]
        np.clip(correlation, -1.0, 1.0, out=correlation)
        np.fill_diagonal(correlation, 1.0)
        return correlation

    def inner(self, normalize: str = "none") -> NDArray[np.float64]:
        """Return (C, C) inner products of the maps about their common mean level.

        Distances between maps follow from them: |x_i - x_j|^2 = b_ii + b_jj - 2 b_ij. With
        "zscore" they are the correlations, which is the same up to the factor `n_values`; a
        constant channel is the zero vector.
        """
        if parse_choice(Normalize, normalize, what="normalize") is Normalize.ZSCORE:
            correlation = self.pearson()
            np.fill_diagonal(correlation, ~self.constant)
            return correlation
        # A shift that all maps share changes no distance, and removing it keeps the digits.
        level = self.mean - self.mean.mean()
        products = np.outer(level, self.n_values * level)
        products += self.gram
        return products


def channel_moments(values: NDArray[Any], *, images: Sequence[int] | None = None) -> ChannelMoments:
    """Return the moments of the channels over some images.

    Parameters
    ----------
    values : (N, C, *S) ndarray of real numbers
        May be a memory map: it is read twice, image by image, in chunks of CHUNK_BYTES.
    images : sequence of int, optional
        Which images to use; default all.

    Notes
    -----
    Cost: C^2 x n_values multiplications and one C x C matrix of float64; two passes, so that
    nothing is lost when the mean is much larger than the variation.
    """
    chosen = range(len(values)) if images is None else images
    if values.ndim == 2:  # one value per image and channel: a plane each would be a matrix of C x C each
        planes = [values[list(chosen)].T]
    else:
        planes = [values[image].reshape(values.shape[1], -1) for image in chosen]
    n_values = sum(plane.shape[1] for plane in planes)
    mean, n_finite = _means(planes)
    gram = _gram(planes, mean, missing=n_finite < n_values)
    return ChannelMoments(
        n_values=n_values,
        mean=mean,
        gram=gram,
        constant=_constant(gram, mean, n_values, values.dtype),
        n_missing=int((n_values - n_finite).sum()),
    )


def _means(planes: Sequence[NDArray[Any]]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return mean and number of the finite values of each channel."""
    n_channels = planes[0].shape[0]
    total, n_finite = np.zeros(n_channels), np.zeros(n_channels, dtype=np.int64)
    for plane in planes:
        with np.errstate(invalid="ignore"):  # inf - inf; such channels are summed again below
            sums = plane.sum(axis=1, dtype=np.float64)
        counts = np.full(n_channels, plane.shape[1])
        holed = np.flatnonzero(~np.isfinite(sums))
        if holed.size:
            finite = np.isfinite(plane[holed])
            sums[holed] = np.where(finite, plane[holed], 0).sum(axis=1, dtype=np.float64)
            counts[holed] = np.count_nonzero(finite, axis=1)
        total += sums
        n_finite += counts
    return total / np.maximum(n_finite, 1), n_finite


def _gram(
    planes: Sequence[NDArray[Any]], mean: NDArray[np.float64], *, missing: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the inner products of the centred maps, accumulated chunk by chunk."""
    n_channels = mean.size
    width = max(1, CHUNK_BYTES // (8 * n_channels))
    holed = np.flatnonzero(missing)
    gram = np.zeros((n_channels, n_channels))
    for plane in planes:
        for start in range(0, plane.shape[1], width):
            chunk = plane[:, start : start + width].astype(np.float64)
            chunk -= mean[:, np.newaxis]
            if holed.size:
                chunk[holed] = np.where(np.isfinite(chunk[holed]), chunk[holed], 0.0)
            gram += chunk @ chunk.T
    return gram


def _constant(
    gram: NDArray[np.float64], mean: NDArray[np.float64], n_values: int, dtype: np.dtype[Any]
) -> NDArray[np.bool_]:
    """Return which channels do not vary, by the rule of CONSTANT_TOLERANCE."""
    if n_values < 2:
        return np.zeros(mean.size, dtype=bool)
    std = np.sqrt(np.diag(gram) / n_values)
    epsilon = float(np.finfo(dtype).eps) if dtype.kind == "f" else 0.0
    tolerance = max(CONSTANT_TOLERANCE, epsilon)
    constant: NDArray[np.bool_] = std <= tolerance * np.maximum(np.abs(mean), std.max())
    return constant
