"""How good an order is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cnnvis.analysis._values import MapsLike, as_values
from cnnvis.analysis.moments import ChannelMoments, channel_moments
from cnnvis.core import Ordering, OrderQuality
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.ranks import rank_correlations

N_RANDOM = 100
"""Random orders that an order is measured against."""


def order_quality(
    maps: MapsLike, ordering: Ordering, *, n_random: int = N_RANDOM, random_state: int = 0, held_out: bool = False
) -> OrderQuality:
    """Return how smooth `ordering` is on `maps`, beside the original and random orders.

    Smoothness is the mean Pearson correlation of channels that are neighbours in the order.
    Channels that are constant, in the ordering or on these maps, are left out and the rest
    moves together.

    Parameters
    ----------
    maps : FeatureMaps or array
        As for `order`. NaN and infinite values count as their channel's mean.
    ordering : Ordering
        Of as many channels as the maps have.
    n_random : int, default: 100
    random_state : int, default: 0
    held_out : bool, default: False
        Whether these are images that were not used for the ordering; only noted in the result.

    Returns
    -------
    OrderQuality
        Smoothness is NaN with under two live channels or one value per channel; brightness
        also where all channels are equally bright.

    Raises
    ------
    InvalidInputError
        When channel counts differ, or the maps are empty.
    """
    moments = channel_moments(as_values(maps))
    return measure(moments, ordering, n_random=n_random, random_state=random_state, held_out=held_out)


def with_quality(
    ordering: Ordering, maps: MapsLike, *, n_random: int = N_RANDOM, random_state: int = 0, held_out: bool = True
) -> Ordering:
    """Return `ordering` with its quality measured on `maps`, other images than it was made on; see `order_quality`."""
    quality = order_quality(maps, ordering, n_random=n_random, random_state=random_state, held_out=held_out)
    return replace(ordering, quality=quality)


def measure(
    moments: ChannelMoments,
    ordering: Ordering,
    *,
    n_random: int = N_RANDOM,
    random_state: int = 0,
    held_out: bool = False,
) -> OrderQuality:
    """Return the quality of `ordering` from moments that are already there; see `order_quality`."""
    if moments.mean.size != len(ordering):
        raise InvalidInputError(
            f"The {ordering.method} order has {len(ordering)} channels, the maps {moments.mean.size}; "
            "measure an order on the layer it was made for."
        )
    if n_random < 1:
        raise InvalidInputError(f"n_random must be at least 1, got {n_random}.")
    live = ~(np.asarray(ordering.constant) | moments.constant)
    path = ordering.permutation[live[ordering.permutation]]
    nan = float("nan")
    smoothness = original = random_mean = random_std = nan
    if path.size >= 2 and moments.n_values >= 2:
        correlation = moments.pearson()
        generator = np.random.default_rng(random_state)
        live_channels = np.sort(path)  # every order of these maps meets the same random ones
        drawn = [_smoothness(correlation, generator.permutation(live_channels)) for _ in range(n_random)]
        smoothness, original = _smoothness(correlation, path), _smoothness(correlation, live_channels)
        random_mean, random_std = float(np.mean(drawn)), float(np.std(drawn))
    return OrderQuality(
        smoothness=smoothness,
        original=original,
        random_mean=random_mean,
        random_std=random_std,
        brightness=abs(float(rank_correlations([np.arange(path.size), moments.mean[path]])[0, 1])),
        held_out=held_out,
    )


def _smoothness(correlation: NDArray[np.float64], path: NDArray[np.int64]) -> float:
    """Return the mean correlation along a path of at least two channels."""
    return float(correlation[path[:-1], path[1:]].mean())
