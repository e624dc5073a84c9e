"""Blocks of layers folded to one slab each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import NDArray

from cnnvis.attribution._layer_links import Links, joined
from cnnvis.core import Units
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, did_you_mean


def fold_blocks(units: Units, parts: Mapping[str, Links], fold: Iterable[str]) -> tuple[Units, dict[str, Links]]:
    """Return units, and links by the layer or slab in which they end, with blocks folded; see `cnnvis.connect`.

    Raises
    ------
    LayerNotFoundError
        For a name or glob that fits no block; near matches are listed.
    InvalidInputError
        For a block that data leaves and enters again.
    """
    block_of = _chosen_blocks(units, fold)
    fed_by = {
        layer: {units.layers[index] for index in np.unique(units.layer_of(links.source))}
        for layer, links in parts.items()
    }
    read_outside = {
        source
        for layer, sources in fed_by.items()
        for source in sources
        if block_of.get(layer, "") != block_of.get(source, "")
    }
    read = {source for sources in fed_by.values() for source in sources}
    exits: dict[str, list[str]] = {block: [] for block in block_of.values()}
    for layer, block in block_of.items():
        if layer in read_outside or layer not in read:
            exits[block].append(layer)
    folded = _with_slabs(units, fed_by, block_of, exits)
    found = {layer: links for layer, links in parts.items() if layer not in block_of}
    for block, read_layers in exits.items():
        inside = {layer: parts.get(layer, joined([])) for layer, name in block_of.items() if name == block}
        found[block] = _ways_through(units, inside, read_layers)
    numbers = _new_numbers(units, folded)
    return folded, {
        layer: _sorted(Links(numbers[links.source], numbers[links.target], links.weight))
        for layer in folded.layers
        if (links := found.get(layer)) is not None
    }


def _chosen_blocks(units: Units, fold: Iterable[str]) -> dict[str, str]:
    """Return the outermost block that was named, of each layer that is in one."""
    layers = units.layers[units.n_inputs :]
    prefixes = {layer: [layer[:end] for end, sign in enumerate(layer + ".") if sign == "."] for layer in layers}
    known = dict.fromkeys(prefix for names in prefixes.values() for prefix in names)
    wanted: set[str] = set()
    for pattern in fold:
        found = [name for name in known if name == pattern or fnmatchcase(name, pattern)]
        if not found:
            raise LayerNotFoundError(f"No block {pattern!r} to fold. {did_you_mean(pattern, known, what='blocks')}")
        wanted.update(found)
    chosen = {layer: next((name for name in names if name in wanted), "") for layer, names in prefixes.items()}
    return {layer: block for layer, block in chosen.items() if block}


def _with_slabs(
    units: Units, fed_by: Mapping[str, set[str]], block_of: Mapping[str, str], exits: Mapping[str, list[str]]
) -> Units:
    """Return the units of layers and slabs, each behind all that feed it; of several, in order of execution."""
    of_layer = dict(zip(units.layers, units.sizes, strict=True))
    members = {block: {layer: of_layer[layer] for layer in layers} for block, layers in exits.items()}
    name_of = [block_of.get(layer, layer) for layer in units.layers]
    needed: dict[str, set[str]] = {name: set() for name in name_of}
    for layer, sources in fed_by.items():
        name = block_of.get(layer, layer)
        needed[name] |= {block_of.get(source, source) for source in sources} - {name}
    waiting = list(dict.fromkeys(reversed(name_of)))[::-1]  # a slab stands where its last layer stood
    sizes: dict[str, int] = {}
    while waiting:
        name = next((name for name in waiting if needed[name] <= sizes.keys()), "")
        if not name:
            block = next(name for name in waiting if name in exits)
            raise InvalidInputError(
                f"Block {block!r} cannot be folded: data leaves it and enters it again, by way of "
                f"{', '.join(sorted(needed[block] - sizes.keys()))}. Fold a block around all of these, or one inside."
            )
        waiting.remove(name)
        sizes[name] = sum(members[name].values()) if name in members else of_layer[name]
    return Units(tuple(sizes), tuple(sizes.values()), units.n_inputs, members)


def _ways_through(units: Units, inside: Mapping[str, Links], exits: list[str]) -> Links:
    """Return links from all units outside a block to those of its exits: products along ways, summed over ways.

    Layer by layer in order of execution, each adds what comes from outside to what comes through the layers before.
    """
    layer_of_source = {layer: units.layer_of(links.source) for layer, links in inside.items()}
    is_outside = {layer: ~np.isin(layer_of_source[layer], [units.index(name) for name in inside]) for layer in inside}
    starts = np.unique(joined([inside[layer].take(is_outside[layer]) for layer in inside]).source)
    ways: dict[int, NDArray[np.float64]] = {}
    is_way: dict[int, NDArray[np.float64]] = {}
    found = []
    for layer, links in inside.items():
        span, index = units.range(layer), units.index(layer)
        own = links.take(is_outside[layer])
        ways[index] = np.zeros((starts.size, span.stop - span.start))
        is_way[index] = np.zeros_like(ways[index])
        place = np.searchsorted(starts, own.source), own.target - span.start
        ways[index][place], is_way[index][place] = own.weight, 1.0
        for source in np.unique(layer_of_source[layer][~is_outside[layer]]):
            step = links.take(layer_of_source[layer] == source)
            place = step.source - units.offsets[source], step.target - span.start
            weights, is_link = np.zeros((2, units.sizes[source], span.stop - span.start))
            weights[place], is_link[place] = step.weight, 1.0
            ways[index] += ways[source] @ weights
            is_way[index] += is_way[source] @ is_link  # a way of weight 0 is one as well
        is_way[index] = (is_way[index] > 0).astype(np.float64)
        if layer in exits:
            row, column = np.nonzero(is_way[index])
            found.append(Links(starts[row], column + span.start, ways[index][row, column]))
    return _scaled(found)


def _scaled(found: list[Links]) -> Links:
    """Return all links, divided by the largest."""
    links = joined(found)
    return links._replace(weight=links.weight / (links.weight.max(initial=0.0) or 1.0))


def _new_numbers(units: Units, folded: Units) -> NDArray[np.int64]:
    """Return the number of each unit after folding, -1 for one that is inside a slab."""
    numbers = np.full(len(units), -1)
    place = 0
    for layer, size in folded.parts:
        numbers[units.range(layer)] = np.arange(place, place + size)
        place += size
    return numbers


def _sorted(links: Links) -> Links:
    return links.take(np.lexsort((links.target, links.source)))
