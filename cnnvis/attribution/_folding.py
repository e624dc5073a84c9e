"""Blocks of layers folded to one slab each."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cnnvis.attribution._layer_links import Links, joined
from cnnvis.core import Units
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, did_you_mean


def fold_blocks(units: Units, links: Links, fold: Iterable[str]) -> tuple[Units, Links]:
    """Return units and links with blocks folded, see `cnnvis.connect`.

    Raises
    ------
    LayerNotFoundError
        For a name or glob that fits no block; near matches are listed.
    InvalidInputError
        For a block that data leaves and enters again.
    """
    block_of = _chosen_blocks(units, fold)
    exits: dict[str, list[str]] = {}
    for block in dict.fromkeys(block_of.values()):
        layers = [units.index(layer) for layer, name in block_of.items() if name == block]
        links, found = _without_inside(units, links, layers)
        exits[block] = [units.layers[index] for index in found]
    folded = _slabs(units, links, block_of, exits)
    numbers = np.full(len(units), -1)
    for layer, size in folded.parts:
        numbers[units.range(layer)] = np.arange(size)
    place = 0
    for layer, size in folded.parts:
        numbers[units.range(layer)] += place
        place += size
    links = Links(numbers[links.source], numbers[links.target], links.weight)
    return folded, links.take(np.lexsort((links.target, links.source, folded.layer_of(links.target))))


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


def _without_inside(units: Units, links: Links, layers: list[int]) -> tuple[Links, list[int]]:
    """Return the links with those inside a block replaced by ways through it, and the layers that are read outside."""
    starts_in = np.isin(units.layer_of(links.source), layers)
    ends_in = np.isin(units.layer_of(links.target), layers)
    read_inside = units.layer_of(links.source[starts_in & ends_in])
    read_outside = units.layer_of(links.source[starts_in & ~ends_in])
    exits = [index for index in layers if index in read_outside or index not in read_inside]
    into = _ways_through(links.take(~starts_in & ends_in), links.take(starts_in & ends_in), len(units))
    into = into.take(np.isin(units.layer_of(into.target), exits))
    largest = into.weight.max(initial=0.0) or 1.0
    return joined([links.take(~ends_in), into._replace(weight=into.weight / largest)]), exits


def _ways_through(into: Links, inside: Links, n_units: int) -> Links:
    """Return links from outside to every unit inside that can be reached: products along ways, summed over ways."""

    def matrix(links: Links, weight: NDArray[np.float64]) -> sparse.csr_matrix:
        return sparse.csr_matrix((weight, (links.source, links.target)), shape=(n_units, n_units))

    step, is_step = matrix(inside, inside.weight), matrix(inside, np.ones_like(inside.weight))
    way, is_way = matrix(into, into.weight), matrix(into, np.ones_like(into.weight))
    total, reached = way, is_way
    while is_way.nnz:  # as often as there are layers in a row
        way, is_way = way @ step, is_way @ is_step
        is_way.data[:] = 1.0  # a way of weight 0 is one as well
        total, reached = total + way, reached + is_way
    source, target = reached.nonzero()
    return Links(source.astype(np.int64), target.astype(np.int64), np.asarray(total[source, target]).reshape(-1))


def _slabs(units: Units, links: Links, block_of: dict[str, str], exits: dict[str, list[str]]) -> Units:
    """Return the units of layers and slabs, each behind all that feed it; of several, in order of execution."""
    name_of = [block_of.get(layer, layer) for layer in units.layers]
    fed_by: dict[str, set[str]] = {name: set() for name in name_of}
    pairs = np.unique(np.stack([units.layer_of(links.source), units.layer_of(links.target)], axis=1), axis=0)
    for source, target in pairs.tolist():
        fed_by[name_of[target]].add(name_of[source])
    waiting = list(dict.fromkeys(reversed(name_of)))[::-1]  # a slab stands where its last layer stood
    sizes: dict[str, int] = {}
    members: dict[str, dict[str, int]] = {}
    of_layer = dict(zip(units.layers, units.sizes, strict=True))
    while waiting:
        name = next((name for name in waiting if fed_by[name] <= sizes.keys()), None)
        if name is None:
            block = next(name for name in waiting if name in exits)
            raise InvalidInputError(
                f"Block {block!r} cannot be folded: data leaves it and enters it again, by way of "
                f"{', '.join(sorted(fed_by[block] - sizes.keys()))}. Fold a block around all of these, or one inside."
            )
        waiting.remove(name)
        if name in exits:
            members[name] = {layer: of_layer[layer] for layer in exits[name]}
        sizes[name] = sum(members.get(name, {name: of_layer.get(name, 0)}).values())
    return Units(tuple(sizes), tuple(sizes.values()), units.n_inputs, members)
