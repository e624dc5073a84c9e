"""Which units each convolution and dense layer reads, from the graph alone: by roles and numbers of channels."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from cnnvis.capture.channel_rules import Kind, kind_of_operation
from cnnvis.capture.wiring import Reading, Wiring
from cnnvis.core import LayerNode, LayerRole, ModelGraph
from cnnvis.core.unit_layers import input_units

Rows = tuple[NDArray[np.int64], ...]
"""Along the channel axis, the number of one unit per entry, -1 for none; one array per layer that feeds it."""

_CONCATENATIONS = ("cat", "hstack", "vstack")
_SHUFFLES = ("channelshuffle", "channel_shuffle", "native_channel_shuffle", "flip", "roll")
_BROADCAST = (LayerRole.MERGE, LayerRole.OTHER)


def graph_wiring(graph: ModelGraph) -> Wiring:
    """Return which units each convolution and dense layer reads, as far as the graph tells.

    Returns
    -------
    Wiring
        Without weights. A layer with as many channels as what feeds it hands each channel on; a flatten hands on
        blocks; a concatenation whose parts add up lays them side by side. Anything else is an obstacle, also a split,
        chunk or shuffle: the graph does not say what it takes from where, the network itself does (see `wiring`).
        Convolutions that are no modules are taken to have one group.
    """
    nodes = {layer.name: layer for layer in graph.layers}
    units = graph.units
    opened: dict[str, tuple[int, int]] = {
        name: (units.range(name).start, units.range(name).stop) for name in units.layers[units.n_inputs :]
    }
    for entry in input_units(graph):
        span = units.range(entry.name)
        opens_at_base = entry.size == nodes[entry.base].channels
        opened |= dict.fromkeys((entry.base,) if opens_at_base else entry.values, (span.start, span.stop))
    rows: dict[str, Rows] = {}
    readings, obstacles = [], {}
    for name, node in nodes.items():
        sources = [nodes[source] for source in graph.sources(name)]
        fed = [rows[source.name] for source in sources]
        if name in units.layers[units.n_inputs :] and len(fed) == 1:
            readings.append(_reading(node, sources[0], fed[0]))
        if name in opened:
            rows[name] = (_blocks(*opened[name], node.channels),)
            continue
        handed_on = _handed_on(node, sources, fed)
        if handed_on is None and any(fed):
            obstacles[name] = node.type
        rows[name] = handed_on or ()
    return Wiring(tuple(readings), obstacles)


def _blocks(start: int, stop: int, n_entries: int) -> NDArray[np.int64]:
    """Return the units along the channel axis; where an axis of other length is read (tokens), all of them in order."""
    n_units = stop - start
    return np.repeat(np.arange(start, stop), n_entries // n_units if not n_entries % n_units else 1)


def _reading(node: LayerNode, source: LayerNode, rows: Rows) -> Reading:
    n_entries = rows[0].size if rows else source.channels
    pairs = [(np.flatnonzero(row >= 0), row[row >= 0]) for row in rows]
    entries = np.concatenate([np.zeros(0, dtype=np.int64), *(entries for entries, _ in pairs)])
    found = np.concatenate([np.zeros(0, dtype=np.int64), *(units for _, units in pairs)])
    return Reading(node.name, n_entries, entries, found, groups=int(node.attributes.get("groups", 1)))


def _handed_on(node: LayerNode, sources: list[LayerNode], fed: list[Rows]) -> Rows | None:
    """Return the units along the channel axis of a layer; None where the graph does not say."""
    operation = node.type.lower()
    if operation in _CONCATENATIONS and sum(source.channels for source in sources) == node.channels:
        return _side_by_side(sources, fed)
    if operation in _SHUFFLES:
        return None
    is_known = node.role is not LayerRole.OTHER or kind_of_operation(operation) not in (Kind.UNKNOWN, Kind.VIEW)
    if not is_known or (node.role is LayerRole.MERGE and kind_of_operation(operation) is Kind.UNKNOWN):
        return None
    found = []
    for source, rows in zip(sources, fed, strict=True):
        block = node.channels // source.channels if source.channels else 0
        if block < 1 or block * source.channels != node.channels:
            return None
        is_flattened = node.role is LayerRole.RESHAPE and prod(source.shape) == prod(node.shape)
        is_broadcast = node.role in _BROADCAST and source.channels == 1
        if block > 1 and not (is_flattened or is_broadcast):
            return None
        found += [np.repeat(row, block) for row in rows]
    return tuple({row.tobytes(): row for row in found}.values())


def _side_by_side(sources: list[LayerNode], fed: list[Rows]) -> Rows:
    """Return what the parts of a concatenation hold, one behind the other."""
    n_rows = max(map(len, fed))
    return tuple(
        np.concatenate(
            [
                rows[index] if index < len(rows) else np.full(source.channels, -1)
                for source, rows in zip(sources, fed, strict=True)
            ]
        )
        for index in range(n_rows)
    )
