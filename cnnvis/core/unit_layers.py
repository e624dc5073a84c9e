"""Which layers of a graph have units, the network's inputs among them.

Units are the channels of convolutions, the neurons of dense layers, and what the first of these read: the pixels of a
perceptron, the colours of a convolutional network. A value that a convolution or dense layer reads, and none stands
before, holds input units, and the first such value of an input gives them their name: `flatten` behind an
``nn.Flatten``. These are the names that channel spaces give to inputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd, prod

from cnnvis.core.graph import LayerNode, LayerRole, ModelGraph

_PASSED = (LayerRole.NORM, LayerRole.ACTIVATION, LayerRole.POOLING, LayerRole.RESHAPE, LayerRole.IDENTITY)
_ARITHMETIC = ("add", "sub", "mul", "div")


@dataclass(frozen=True, slots=True)
class InputUnits:
    """The units of one input.

    Parameters
    ----------
    name : str
        The first value, in order of execution, in which a convolution or dense layer reads them.
    size : int
        Its channels; or its single entries, as far as they are read apart wherever it is read.
    base : str
        The value that all those values come from.
    values : tuple of str
        The values read.
    """

    name: str
    size: int
    base: str
    values: tuple[str, ...]


def unit_layers(graph: ModelGraph) -> tuple[LayerNode, ...]:
    """Return the convolutions and dense layers, in order of execution."""
    return tuple(layer for layer in graph.layers if _has_units(layer))


def _has_units(layer: LayerNode) -> bool:
    return layer.role in (LayerRole.CONVOLUTION, LayerRole.DENSE) and layer.channels > 0


def input_units(graph: ModelGraph) -> tuple[InputUnits, ...]:
    """Return the units of the inputs, in order of execution of the values that name them."""
    nodes = {layer.name: layer for layer in graph.layers}
    sources: dict[str, list[str]] = {name: [] for name in nodes}
    for link in graph.links:
        sources[link.target].append(link.source)
    origins = _origins(nodes, sources)
    by_base: dict[tuple[str, int], dict[str, int]] = {}
    for value, n_entries in _read_from_inputs(nodes, sources).items():
        base, block = origins[value]
        if n_entries != nodes[value].channels:  # tokens: the channels lie on another axis
            by_base[value, n_entries] = {value: 1}
            continue
        name = value if _is_whole(nodes[value], nodes[base], block) else base
        by_base.setdefault((base, nodes[base].channels), {})[name] = block
    return tuple(
        InputUnits(next(iter(blocks)), n_channels * gcd(*blocks.values()), base, tuple(blocks))
        for (base, n_channels), blocks in by_base.items()
    )


def _read_from_inputs(nodes: dict[str, LayerNode], sources: dict[str, list[str]]) -> dict[str, int]:
    """Return the values that layers with units read and none feeds, with the length of the axis that is read."""
    is_fed: dict[str, bool] = {}
    read: dict[str, int] = {}
    for name, node in nodes.items():
        is_fed[name] = any(is_fed[source] or _has_units(nodes[source]) for source in sources[name])
        if _has_units(node):
            for source in sources[name]:
                if not (is_fed[source] or _has_units(nodes[source])) and nodes[source].channels:
                    read.setdefault(source, _n_read(node, nodes[source]))
    return {name: read[name] for name in nodes if name in read}


def _n_read(layer: LayerNode, value: LayerNode) -> int:
    """Return how many entries of a value `layer` tells apart: those of tokens lie on another axis than channels."""
    setting = "in_features" if layer.role is LayerRole.DENSE else "in_channels"
    return int(layer.attributes.get(setting, value.channels))


def _origins(nodes: dict[str, LayerNode], sources: dict[str, list[str]]) -> dict[str, tuple[str, int]]:
    """Return for each value the earliest one that holds its channels, and how many of its entries hold one of them."""
    origins: dict[str, tuple[str, int]] = {}
    for name, node in nodes.items():
        known = {origins[source] for source in sources[name]}
        origins[name] = (name, 1)
        if len(known) != 1:
            continue
        base, block = known.pop()
        before = nodes[sources[name][0]]
        if node.channels == before.channels and (node.role in _PASSED or node.type in _ARITHMETIC):
            origins[name] = base, block
        elif node.role is LayerRole.RESHAPE and _is_flattened(before, node) and _is_whole(before, nodes[base], block):
            origins[name] = base, node.channels // nodes[base].channels
        elif block == 1 and (node.role is LayerRole.RESHAPE or node.type == "cat"):
            origins[name] = base, 1  # some of its channels, or some twice
    return origins


def _is_whole(value: LayerNode, base: LayerNode, block: int) -> bool:
    return value.channels == base.channels * block


def _is_flattened(before: LayerNode, after: LayerNode) -> bool:
    same_entries = before.shape and prod(before.shape) == prod(after.shape)
    return bool(same_entries) and after.channels % before.channels == 0
