"""The channels of a layer in space: like ones near each other, and linked."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.core import ChannelGraph, EdgeSet, Units
from cnnvis.core.checks import as_numbers, require_not_negative, require_shape
from cnnvis.core.progress import Progress, silent
from cnnvis.layout.force import force_layout

LINKS_PER_CHANNEL = 3
"""Links that each channel keeps, its strongest: of all links only a ball is seen, of the strongest of all channels one
dense group."""


def channel_graph(
    weights: ArrayLike,
    labels: ArrayLike,
    values: ArrayLike | None = None,
    *,
    layer: str = "layer",
    random_state: int = 0,
    progress: Progress = silent,
) -> ChannelGraph:
    """Return the channels of a layer placed in space by `force_layout`, with their strongest links.

    Parameters
    ----------
    weights : (C, C) array_like
        Of the links, see `analysis.link_weights`.
    labels : (C,) array_like of int
        Groups, from `cnnvis.communities`.
    values : (C,) array_like, optional
        What channels are as large by, not negative, such as `survey[layer].std`. NaN counts as 0. Default: all alike.
    layer : str
        Its name, by which its channels are found in other views.
    random_state : int, default: 0
        Of the places to begin from.
    progress : callable
        As for `force_layout`.

    Returns
    -------
    ChannelGraph
        A link stays if it is one of the LINKS_PER_CHANNEL strongest of a channel, and its weight is not 0.

    Raises
    ------
    InvalidInputError
        As `force_layout`; for values that are negative, or not one for each channel.

    Notes
    -----
    Costs what `force_layout` does, and a sort of each row.
    """
    graph, groups = as_numbers("weights", weights), np.asarray(labels)
    places = force_layout(graph, groups, n_dimensions=3, random_state=random_state, progress=progress)
    return ChannelGraph(
        layer=layer,
        places=places,
        labels=groups,
        sizes=_sizes(values, len(places)),
        links=channel_links(graph, layer),
    )


def channel_links(weights: NDArray[np.float64], layer: str = "layer") -> EdgeSet:
    """Return the links of (C, C) weights that are drawn: the LINKS_PER_CHANNEL strongest of each channel."""
    n = len(weights)
    source, target = np.triu_indices(n, k=1)
    linked = weights[source, target] > 0
    source, target = source[linked], target[linked]
    every = EdgeSet(source, target, weights[source, target], units=Units((layer,), (n,)))
    others = weights * (1 - np.eye(n))
    strongest = np.argsort(-others, axis=1, kind="stable")[:, :LINKS_PER_CHANNEL]
    chosen = np.zeros((n, n), bool)
    np.put_along_axis(chosen, strongest, values=True, axis=1)
    return every.take((chosen | chosen.T)[source, target])


def _sizes(values: ArrayLike | None, n: int) -> NDArray[np.float64]:
    """Return the values as shares of the largest."""
    if values is None:
        return np.ones(n)
    sizes = np.nan_to_num(as_numbers("values", values), nan=0.0)
    require_shape("values", sizes, (n,))
    require_not_negative("values", sizes)
    return sizes / (sizes.max(initial=0.0) or 1.0)
