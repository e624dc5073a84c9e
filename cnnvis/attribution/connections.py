"""A network as units and the weighted links between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.attribution._folding import fold_blocks
from cnnvis.attribution._layer_links import Links, joined, links_of
from cnnvis.attribution.unit_importance import unit_importance
from cnnvis.capture import channel_spaces, trace
from cnnvis.capture.graph_wiring import graph_wiring
from cnnvis.capture.wiring import Wiring, wiring
from cnnvis.core import ChannelSpaces, EdgeSet, Importance, ModelGraph, Units
from cnnvis.core.errors import InvalidInputError

_NAMED = 5
"""Obstacles that a note lists by name."""

Scores = Importance | Mapping[str, NDArray[Any]]


def connect(
    graph_or_model: Any,
    importance: Scores | None = None,
    *,
    top_k: int | None = None,
    prune_percentage: float = 0.0,
    per_gap: bool = False,
    fold: str | Iterable[str] = (),
    example: Any = None,
) -> EdgeSet:
    """Return the weighted links between the units of a network: what is drawn of it.

    Units are the channels of convolutions, the neurons of dense layers and the inputs (`ModelGraph.units`). A link
    weighs |weight|, or the L2 norm of its kernel, or of the block through which a flattened channel is read, divided
    by the largest of all that end in the same layer.

    A layer has links from all units that it sees, on the way back up to the first layer with units: norms,
    activations, pooling, dropout and reshapes are passed; behind an addition these are all layers that were added;
    behind a concatenation, chunk or shuffle each entry leads to its own unit; depthwise and grouped convolutions link
    what they connect. Where layers cannot be followed (attention, recurrent layers) there are no links through them,
    and `notes` names them; the rest is drawn.

    Parameters
    ----------
    graph_or_model : ModelGraph, nn.Module or cnnvis.models.Network
        A graph has no weights: all its links weigh 1. It does not say what a split or shuffle does to channels;
        there, too, links are left out and named.
    importance : Importance, or mapping of layer to (C,) array, optional
        A link is as important as its weight times the importance of the unit in which it starts (`unit_importance`);
        without it, as its weight.
    top_k : int, optional
        At most so many links, the most important ones; of equals, the first. None for all.
    prune_percentage : float, default: 0
        Share of the links that is left out over all layers, the least important ones, 0 to 1 (not 0 to 100; the name
        is that of nn_vis).
    per_gap : bool, default: False
        Choose in each gap between two layers by itself, so that none loses all its links to others: `prune_percentage`
        is a share of each, and `top_k` is shared out evenly, those with fewer links keep them all.
    fold : str or iterable of str
        Dotted names or globs of blocks, each to be one slab: see Notes.
    example : tensor or ndarray, tuple or dict of these, optional
        As for `trace`; a Network brings its own.

    Returns
    -------
    EdgeSet
        Grouped by target layer in order of execution, then by source layer; inside by source, then target. `units`
        number them; `layer` is the source's; `caption` says how many are kept; `notes` say what is not drawn: behind
        layers that are not followed, and links whose weight or importance is NaN or infinite.

    Raises
    ------
    InvalidInputError
        When nothing can be followed, naming layer and obstacle; when a hidden layer has no importance; for options
        out of range; for a folded block that data leaves and enters again.
    LayerNotFoundError
        For a name to fold that fits no block; near matches are listed.

    Notes
    -----
    Folding: the slab of a block, called like it, holds the units of the block's layers that are read outside it (or
    nowhere). Links inside vanish. A link into the slab stands for all ways through the block from its source to its
    target: the sum over these of the products of the weights along them, divided by the slab's largest. Of
    nested blocks that were named, the outermost is folded; so "blocks.*" makes a slab of each block, "blocks" one
    of all.

    Costs two forward passes, three with importance, and about 0.2 microseconds per link; 32 bytes per link are kept,
    40 with importance.
    """
    _check_options(top_k, prune_percentage)
    if isinstance(graph_or_model, ModelGraph):
        graph, spaces = graph_or_model, None
        wires = graph_wiring(graph)
    else:
        graph = trace(graph_or_model, example)
        wires = wiring(graph_or_model, graph, example)
        spaces = None if importance is None else channel_spaces(graph_or_model, example)
    units = graph.units
    parts, notes = _by_layer(units, wires)
    n_broken = sum(int(np.count_nonzero(np.isnan(links.weight))) for links in parts.values())
    parts = {layer: links.take(np.isfinite(links.weight)) for layer, links in parts.items()} if n_broken else parts
    if blocks := [fold] if isinstance(fold, str) else list(fold):
        units, parts = fold_blocks(units, parts, blocks)
        notes.append(f"Folded to one slab each: {', '.join(units.members)}.")
    links = joined(list(parts.values()))
    n_total = links.source.size + n_broken
    values = None
    if importance is not None:
        starts, named = _starts(units, importance, spaces)
        notes += named
        values = links.weight * starts[links.source]
        links, values = links.take(np.isfinite(values)), values[np.isfinite(values)]
    layer = units.layer_of(links.source)
    edges = EdgeSet(*links, layer, n_total, units=units, importance=values, notes=tuple(notes))
    return most_important(edges, top_k, prune_percentage, per_gap=per_gap)


def _check_options(top_k: int | None, prune_percentage: float) -> None:
    is_whole = isinstance(top_k, Integral) and not isinstance(top_k, bool)
    if top_k is not None and not (is_whole and top_k >= 0):
        raise InvalidInputError(f"top_k must be a whole number of at least 0, or None for all links; got {top_k!r}.")
    if not (isinstance(prune_percentage, Real) and 0 <= prune_percentage <= 1):
        raise InvalidInputError(
            f"prune_percentage is a share of the links from 0 to 1, got {prune_percentage!r}; 0.9 leaves out 90 %."
        )


def _by_layer(units: Units, wires: Wiring) -> tuple[dict[str, Links], list[str]]:
    """Return the links to each layer, divided by the largest; NaN where a weight is not finite; and what to say."""
    parts: dict[str, Links] = {}
    notes = []
    for reading in wires.readings:
        span = units.range(reading.layer)
        links = links_of(reading, range(span.start, span.stop))
        is_finite = np.isfinite(links.weight)
        n_broken = int(np.count_nonzero(~is_finite))
        if n_broken:
            notes.append(f"{n_broken} links to {reading.layer!r} have weights that are NaN or infinite: not drawn.")
        top = links.weight[is_finite].max(initial=0.0) or 1.0
        parts[reading.layer] = links._replace(weight=np.where(is_finite, links.weight / top, np.nan))
    obstacles = [f"{layer} ({kind})" for layer, kind in wires.obstacles.items()]
    if obstacles and not any(links.source.size for links in parts.values()):
        raise InvalidInputError(
            f"No link can be followed: the way is lost in {obstacles[0]}. Pass the network itself where this was its "
            "graph; else a part of it that is made of convolutions and dense layers."
        )
    if obstacles:
        more = f" and {len(obstacles) - _NAMED} more" if len(obstacles) > _NAMED else ""
        notes.append(f"Not followed, so no links lead through: {', '.join(obstacles[:_NAMED])}{more}.")
    return parts, notes


def _starts(units: Units, importance: Scores, spaces: ChannelSpaces | None) -> tuple[NDArray[np.float64], list[str]]:
    """Return the importance of every unit as the start of links; NaN where it is not finite, and what to say."""
    if isinstance(importance, Importance):
        return unit_importance(units, importance, spaces=spaces)[0], []
    given = {layer: np.asarray(scores, dtype=np.float64) for layer, scores in importance.items()}
    is_broken = {layer: ~np.isfinite(scores) for layer, scores in given.items()}
    cleaned = {layer: np.where(is_broken[layer], 0.0, scores) for layer, scores in given.items()}
    starts = unit_importance(units, cleaned, spaces=spaces)[0]
    notes, place = [], 0
    for layer, size in units.parts:
        if layer in is_broken and is_broken[layer].any():
            starts[place : place + size][is_broken[layer]] = np.nan
            n_broken = np.count_nonzero(is_broken[layer])
            notes.append(
                f"The importance of {n_broken} units of {layer!r} is NaN or infinite: their links are not drawn."
            )
        place += size
    return starts, notes


def most_important(
    edges: EdgeSet, top_k: int | None = None, prune_percentage: float = 0.0, *, per_gap: bool = False
) -> EdgeSet:
    """Return the links that are kept, in their order; of equally important ones the first. Options as for `connect`.

    Raises
    ------
    InvalidInputError
        For options out of range; for `per_gap` where links do not know their units.
    """
    _check_options(top_k, prune_percentage)
    gap = _gap_of_link(edges) if per_gap else np.zeros(len(edges), dtype=np.int64)
    sizes = np.bincount(gap)
    room = _shared_out(sizes - (prune_percentage * sizes + 1e-9).astype(np.int64), top_k)
    if room.sum() == len(edges):
        return edges
    ranked = edges.weight if edges.importance is None else edges.importance
    order = np.lexsort((-ranked, gap))
    place = np.arange(len(edges)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return edges.take(np.sort(order[place < np.repeat(room, sizes)]))


def _gap_of_link(edges: EdgeSet) -> NDArray[np.int64]:
    """Return the number of the gap between two layers that each link crosses, (E,), from 0."""
    if edges.units is None:
        raise InvalidInputError("Links that do not know their units have no gaps between layers; set EdgeSet.units.")
    layers = edges.units.layer_of(np.stack([edges.source, edges.target]))
    pair = layers[0] * len(edges.units.layers) + layers[1]
    return np.unique(pair, return_inverse=True)[1].ravel()


def _shared_out(limits: NDArray[np.int64], total: int | None) -> NDArray[np.int64]:
    """Return how many links each gap keeps: at most its limit, as evenly as that allows, all together at most total."""
    if total is None:
        return limits
    counts = np.zeros_like(limits)
    for done, gap in enumerate(np.argsort(limits, kind="stable")):
        counts[gap] = min(limits[gap], total // (limits.size - done))
        total -= counts[gap]
    return counts
