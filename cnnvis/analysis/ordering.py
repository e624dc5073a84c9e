"""Putting the channels of a layer in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.analysis._values import MapsLike, as_values, row_slices
from cnnvis.analysis.methods import METHODS, OrderMethod, OrderMethodName, OrderOptions
from cnnvis.analysis.moments import ChannelMoments, NormalizeName, channel_moments
from cnnvis.analysis.quality import measure
from cnnvis.core import FeatureMaps, Importance, Ordering
from cnnvis.core.checks import parse_choice, require_finite, require_shape
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.progress import Progress, silent


def order(  # noqa: PLR0913 - the public call is flat; everything below it takes OrderOptions
    maps: MapsLike,
    method: OrderMethodName = "pca",
    *,
    n_groups: int | None = None,
    random_state: int = 0,
    normalize: NormalizeName = "none",
    row: int | None = None,
    n_init: int | None = None,
    importance: Importance | ArrayLike | None = None,
    holdout: float = 0.25,
    progress: Progress = silent,
) -> Ordering:
    """Return the channels of a layer in an order that puts similar ones side by side.

    Parameters
    ----------
    maps : FeatureMaps, or (C, H, W), (N, C, H, W) or, of a dense layer, (N, C) array
        All values of a channel, over images and positions, are its features. NaN and infinite
        values count as their channel's mean; how many there were is in ``options["n_missing"]``.
    method : {"original", "pca", "pca_rows", "kmeans", "kmeans_rows", "leaf", "importance"}
        See `OrderMethod`.
    n_groups : int, optional
        Groups of the k-means methods; default: rounded square root of the live channels, at most 20.
    random_state : int, default: 0
        Seed of k-means and of the random orders behind the quality.
    normalize : {"none", "zscore"}
        "zscore" compares patterns only; with "none" brightness counts as well.
    row : int, optional
        Row that the methods on rows look at; default 15 as in CNN-VIS, or the middle row of maps without a row 15.
    n_init : int, optional
        Starts of k-means, of which the best is kept; default 200, fewer above 100 channels, 10 above 2000.
    importance : Importance or (C,) array, optional
        What the method "importance" sorts by, largest first.
    holdout : float, default: 0.25
        Part of several images, at least one and evenly spread, on which only the quality is measured
        and which the order never sees. 0, or one single image: both use all images.
    progress : callable, optional
        Called as progress(done, total) with groups; only k-means and leaf order take long.

    Returns
    -------
    Ordering
        With groups (k-means methods), scores (pca, importance), constant channels, quality and options.

    Raises
    ------
    InvalidInputError
        No images or channels, an unknown method or option, more groups than live channels, no
        such row, an importance that does not fit; z-scores of one value per channel.
    NoSpatialMapsError
        A method on rows, but the values have no rows.

    Notes
    -----
    Rules that make results repeat. Orders that may be read both ways run from dark to bright: scores or
    positions correlate positively with the mean activation; where that says nothing, the end with the
    lower channel number comes first. Ties: the lower channel first. Groups are numbered by size, 0 the
    largest (ties: the group of the lowest channel first), but placed by likeness. Constant (dead)
    channels come last in the network's order and in no group; only "original" leaves them in their place.

    Maps of fewer than two live channels are in order as they are, and their smoothness is NaN.

    Cost: C^2 x values per channel, C^2 float64 numbers of memory, then O(C^3) for pca and k-means. The maps are
    read in chunks and never copied whole.
    """
    chosen = parse_choice(OrderMethod, method, what="ordering method")
    values = as_values(maps)
    options = OrderOptions(
        n_groups=n_groups,
        random_state=random_state,
        normalize=normalize,
        row=row,
        n_init=n_init,
        importance=_scores(importance, maps, values.shape[1]),
        progress=progress,
    )
    used, held = split_images(len(values), holdout)
    moments = channel_moments(values, images=used)
    ordering = order_images(values, chosen, options, images=used, moments=moments)
    measured = channel_moments(values, images=held) if held else moments
    return replace(ordering, quality=measure(measured, ordering, random_state=random_state, held_out=bool(held)))


def split_images(n_images: int, holdout: float) -> tuple[list[int], list[int]]:
    """Return which images an order is made on, and which are held out for its quality."""
    if not 0 <= holdout < 1:
        raise InvalidInputError(f"holdout is the part of the images kept aside, from 0 to under 1; got {holdout}.")
    if n_images < 2 or holdout == 0:
        return list(range(n_images)), []
    n_held = min(max(1, int(n_images * holdout)), n_images - 1)
    held = [(index + 1) * n_images // n_held - 1 for index in range(n_held)]
    return sorted(set(range(n_images)) - set(held)), held


def order_images(
    values: NDArray[Any],
    method: OrderMethod,
    options: OrderOptions,
    *,
    images: Sequence[int],
    moments: ChannelMoments | None = None,
) -> Ordering:
    """Return the order of the channels on some images, without its quality.

    Parameters
    ----------
    values : (N, C, *S) ndarray
    method : OrderMethod
    options : OrderOptions
    images : sequence of int
    moments : ChannelMoments, optional
        Of the whole maps of these images, where the caller has them already.
    """
    whole = channel_moments(values, images=images) if moments is None else moments
    if not METHODS[method].rows:
        return arrange(whole, whole, method, options)
    rows, row = row_slices(values, options.row)
    return arrange(whole, channel_moments(rows, images=images), method, replace(options, row=row))


def arrange(whole: ChannelMoments, seen: ChannelMoments, method: OrderMethod, options: OrderOptions) -> Ordering:
    """Return the order from moments: `whole` tells the constant channels, `seen` is what the method looks at."""
    registered, live = METHODS[method], whole.live
    n_channels = whole.mean.size
    groups = np.full(n_channels, -1) if registered.groups else None
    scores, permutation = None, np.arange(n_channels)
    used: dict[str, Any] = {
        "normalize": str(options.normalize),
        "random_state": options.random_state,
        "n_missing": whole.n_missing,
    }
    if registered.rows:
        used["row"] = options.row
    if live.size:
        importance = None if options.importance is None else options.importance[live]
        arrangement = registered.arrange(seen.take(live), replace(options, importance=importance))
        if method is not OrderMethod.ORIGINAL:
            permutation = np.concatenate([live[arrangement.permutation], np.flatnonzero(whole.constant)])
        if groups is not None and arrangement.groups is not None:
            groups[live] = arrangement.groups
        if arrangement.scores is not None:
            scores = np.full(n_channels, np.nan)
            scores[live] = arrangement.scores
        used.update(arrangement.options)
    return Ordering(
        permutation=permutation,
        method=method.value,
        groups=groups,
        constant=whole.constant,
        scores=scores,
        options=used,
    )


def _scores(importance: Importance | ArrayLike | None, maps: MapsLike, n_channels: int) -> NDArray[np.float64] | None:
    """Return one finite number per channel, or None."""
    if importance is None:
        return None
    if isinstance(importance, Importance):
        importance = importance[maps.layer if isinstance(maps, FeatureMaps) else ""]
    scores = np.asarray(importance, dtype=np.float64)
    require_shape("importance", scores, (n_channels,))
    require_finite("importance", scores)
    return scores
