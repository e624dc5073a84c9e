"""How deep in the data flow each layer of units lies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import EdgeSet, ModelGraph, Units
from cnnvis.core.unit_layers import unit_layers


def depths_by_links(edges: EdgeSet, units: Units) -> NDArray[np.int64]:
    """Return the longest path of links that leads to each layer, (L,); only links to a later layer count.

    A layer that no link leads to, and that holds no input, follows the layer before it: its links were left out.
    """
    source, target = units.layer_of(edges.source), units.layer_of(edges.target)
    n_layers = len(units.layers)
    pairs = np.unique(source * n_layers + target)
    feeds = [(pair // n_layers, pair % n_layers) for pair in pairs.tolist()]
    return _longest(units, [[one for one, other in feeds if other == layer > one] for layer in range(n_layers)])


def depths_in_a_row(units: Units) -> NDArray[np.int64]:
    """Return the depth of layers of which nothing but the order is known, (L,): all inputs first, then one by one."""
    return _longest(units, [[] for _ in units.layers])


def _longest(units: Units, fed_by: list[list[int]]) -> NDArray[np.int64]:
    depths: list[int] = []
    for layer, sources in enumerate(fed_by):
        if sources:
            depths.append(1 + max(depths[source] for source in sources))
        else:
            depths.append(0 if layer < max(units.n_inputs, 1) else 1 + depths[-1])
    return np.array(depths, dtype=np.int64)


def depths_by_graph(graph: ModelGraph, units: Units) -> NDArray[np.int64]:
    """Return the number of layers with units on the longest way from an input to each layer, itself included, (L,).

    Inputs themselves are at 0.
    """
    with_units = {layer.name for layer in unit_layers(graph)}
    sources: dict[str, list[str]] = {name: [] for name in graph.names}
    for link in graph.links:
        sources[link.target].append(link.source)
    depth: dict[str, int] = {}
    for name in graph.names:  # in order of execution: sources come first
        depth[name] = max((depth[source] for source in sources[name]), default=0) + (name in with_units)
    inputs = units.layers[: units.n_inputs]
    return np.array([0 if name in inputs else depth[name] for name in units.layers], dtype=np.int64)
