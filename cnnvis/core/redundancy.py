"""Channels that say the same: what was proposed, what the maps say to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.checks import frozen_array, frozen_integers, frozen_mapping, require_shape
from cnnvis.core.errors import InvalidInputError

ALONE = -1
"""Partner of a constant channel: what it gives is a constant, and no other channel is needed to say it."""

_CONSTANT = 1e-6
"""Standard deviation up to which a channel is constant, per unit of its mean and of the layer's largest deviation."""

_RIDGE = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class ChannelMoments:
    """Means and covariances of channels over images and positions, in each value in which they are read.

    Parameters
    ----------
    values : tuple of str
        Names of the R values.
    mean : (R, C) ndarray of float64
    covariance : (R, C, C) ndarray of float64
        Population covariance. Channels that were NaN or infinite have NaN.
    count : (R,) ndarray of int64
        Observations: images times positions.
    """

    values: tuple[str, ...]
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    count: NDArray[np.int64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.values))
        for name in ("mean", "covariance"):
            object.__setattr__(self, name, frozen_array(getattr(self, name), dtype=np.float64))
        require_shape("ChannelMoments.mean", self.mean, (len(self.values), None))
        n = self.n_channels
        require_shape("ChannelMoments.covariance", self.covariance, (len(self.values), n, n))
        object.__setattr__(self, "count", frozen_integers("ChannelMoments.count", self.count))
        require_shape("ChannelMoments.count", self.count, (len(self.values),))

    @property
    def n_channels(self) -> int:
        """Number of channels C."""
        return int(self.mean.shape[1])

    @property
    def variance(self) -> NDArray[np.float64]:
        """(R, C) population variance."""
        return np.diagonal(self.covariance, axis1=1, axis2=2)

    @property
    def is_broken(self) -> NDArray[np.bool_]:
        """(C,) whether a channel was NaN or infinite in any value."""
        return np.asarray(np.isnan(self.mean).any(axis=0))

    @property
    def is_constant(self) -> NDArray[np.bool_]:
        """(R, C) whether a channel did not vary, but for rounding; dead channels among them."""
        deviation = np.sqrt(np.nan_to_num(self.variance))
        scale = np.maximum(np.abs(np.nan_to_num(self.mean)), deviation.max(axis=1, keepdims=True, initial=0.0))
        constant: NDArray[np.bool_] = (deviation <= _CONSTANT * scale) & ~self.is_broken
        return constant

    def explained(self) -> NDArray[np.float64]:
        """Return (R, C, C): the share of the variance of channel j that x_j ~ a x_i + b explains, at [:, i, j].

        A constant j is explained by any i (its share is 1), a constant i explains no j that varies. NaN for channels
        that were NaN.
        """
        variance, constant = self.variance, self.is_constant
        products = variance[:, :, None] * variance[:, None, :]
        varies = ~(constant[:, :, None] | constant[:, None, :])
        share = np.divide(np.square(self.covariance), products, out=np.zeros(products.shape), where=varies)
        share = np.where(constant[:, None, :], 1.0, np.minimum(share, 1.0))
        broken = self.is_broken
        return np.where(broken[:, None] | broken[None, :], np.nan, share)

    def fit(self, kept: int, merged: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return a and b of x_merged ~ a x_kept + b by least squares in each value; a = 0 where either is constant.

        Parameters
        ----------
        kept : int
            A channel, or `ALONE`: then b is the mean of the channel merged.
        merged : int
        """
        if kept == ALONE:
            return (0.0,) * len(self.values), tuple(self.mean[:, merged].tolist())
        constant = self.is_constant
        varies = ~(constant[:, kept] | constant[:, merged])
        scale = np.zeros(len(self.values))
        np.divide(self.covariance[:, kept, merged], self.variance[:, kept], out=scale, where=varies)
        shift = self.mean[:, merged] - scale * self.mean[:, kept]
        return tuple(scale.tolist()), tuple(shift.tolist())

    def joint_fit(
        self, kept: NDArray[np.int64], merged: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return a and b of x_j ~ sum of a_kj x_k + b_j over all channels kept, by ridge regression in each value.

        The ridge is that many times the mean variance of the channels kept: a tenth of their number per observation. It
        is felt where there are few observations, as of maps of one position.

        Parameters
        ----------
        kept, merged : (K,), (M,) ndarray of int64
            Channels, none of them NaN.

        Returns
        -------
        scale : (R, K, M) ndarray of float64
        shift : (R, M) ndarray of float64
        """
        scale = np.zeros((len(self.values), kept.size, merged.size))
        for place, covariance in enumerate(self.covariance):
            between = covariance[np.ix_(kept, kept)]
            ridge = _RIDGE * kept.size / max(1, self.count[place]) * np.trace(between) / max(1, kept.size)
            if ridge > 0:
                shrunk = between + ridge * np.eye(kept.size)
                scale[place] = np.linalg.solve(shrunk, covariance[np.ix_(kept, merged)])
        shift = self.mean[:, merged] - np.einsum("rk,rkm->rm", self.mean[:, kept], scale)
        return scale, shift


class ChannelPair(NamedTuple):
    """Two channels of one layer that were proposed to say the same, and what their maps say to it.

    Parameters
    ----------
    layer : str
        First layer of the channel space.
    first, second : int
        Channels; first is `ALONE` for a constant one.
    correlation : float
        Of the averages; NaN where groups proposed the pair.
    explained : float
        Share of the variance of one that a straight line in the other explains over all positions: in the value in
        which this is least, and of the better direction.
    reason : str
        Why they are not redundant; "" where they are.
    """

    layer: str
    first: int
    second: int
    correlation: float
    explained: float
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Redundancy:
    """Which channels say the same as another one, verified on the maps that the layers behind receive.

    Parameters
    ----------
    pairs : tuple of ChannelPair
        Every pair proposed, with its figure.
    moments : mapping of str to ChannelMoments
        By channel space with pairs.
    left_whole : mapping of str to str
        Spaces that nothing can be removed from, and why.
    n_images : int
        Images over whose maps the pairs were verified.
    options : mapping
        Of `RedundancyOptions`.
    """

    pairs: tuple[ChannelPair, ...]
    moments: Mapping[str, ChannelMoments]
    left_whole: Mapping[str, str] = field(default_factory=dict)
    n_images: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pairs", tuple(self.pairs))
        for name in ("moments", "left_whole", "options"):
            object.__setattr__(self, name, frozen_mapping(getattr(self, name)))
        for pair in self.pairs:
            size = self.moments[pair.layer].n_channels if pair.layer in self.moments else 0
            if not (ALONE <= pair.first < size and 0 <= pair.second < size):
                raise InvalidInputError(
                    f"The pair {pair.first}, {pair.second} of {pair.layer!r} is not one of its {size} channels."
                )

    @property
    def verified(self) -> tuple[ChannelPair, ...]:
        """Pairs whose maps agree."""
        return tuple(pair for pair in self.pairs if not pair.reason)

    @property
    def refused(self) -> tuple[ChannelPair, ...]:
        """Pairs that averages or groups proposed and maps do not bear out."""
        return tuple(pair for pair in self.pairs if pair.reason)

    def disagreeing(self, correlation: float = 0.9) -> tuple[ChannelPair, ...]:
        """Return the pairs refused whose averages correlate above `correlation`: alike on average, not in space."""
        return tuple(pair for pair in self.refused if pair.correlation > correlation)
