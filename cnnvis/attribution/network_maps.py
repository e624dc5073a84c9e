"""A network as the maps that its layers make of one input, and the strongest links between these."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.attribution.connections import connect
from cnnvis.attribution.link_signs import link_signs
from cnnvis.attribution.pixel_links import pixel_links
from cnnvis.capture import record, trace
from cnnvis.capture.explaining import explain_layers
from cnnvis.capture.inputs import as_call, as_example, as_module, with_images
from cnnvis.capture.surveying.plan import signal_of
from cnnvis.core import EdgeSet, LayerNode, LayerRole, ModelGraph, NetworkMaps, Recording
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.pixel_links import PixelLinks
from cnnvis.core.survey import Signal
from cnnvis.core.unit_layers import unit_layers

NO_VALUES = np.full((1, 1, 1), np.nan)
"""Of a layer that makes nothing that can be recorded: drawn as a plain box."""

N_ENTRIES = 1000
"""Weights of each layer by default: of links from pixel to pixel more would hide each other."""

N_LINKS = 600
"""Links between maps by default: more hide each other, and the maps."""


def network_maps(
    model: Any,
    image: Any = None,
    layers: str | Iterable[str] | None = None,
    *,
    top_k: int = N_LINKS,
    n_entries: int = N_ENTRIES,
    limits: NDArray[np.float64] | None = None,
) -> NetworkMaps:
    """Return what every layer of a network makes of one input: what `Scene.of_tiles` draws.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
    image : image file, or tensor or ndarray (1, ...), optional
        As for `record`; of several images the first. Default: the Network's own example.
    layers : str or iterable of str, optional
        Names or globs. Default: inputs, convolutions and dense layers behind their activation, poolings, where branches
        merge, and modules of no known kind, which are plain boxes where they make nothing that can be recorded.
    top_k : int
        Links at most, the strongest between each two layers.
    n_entries : int
        Weights of each layer at most, the strongest, that are kept for links between pixels; 0 for none.
    limits : (L,) ndarray of float, optional
        |value| that has the full colour, by layer: those of another input or epoch, so that both compare.

    Returns
    -------
    NetworkMaps
        Layers have their own names, whatever gives the values. Tokens (C, T) are maps of one row; of volumes (C, D,
        H, W) the middle slice is taken.

    Raises
    ------
    InvalidInputError
        When no layer has maps.
    LayerNotFoundError
        For a name or glob that fits no layer.

    Notes
    -----
    Two forward passes more than `connect`, and two for links between pixels. Links between maps that start in single
    pixels of an input are drawn from its map: of those between two maps the strongest counts.
    """
    call, names = _first(model, image)
    example = call.kwargs or call.args
    graph = trace(model, example)
    chosen = _chosen(graph, layers)
    boxes = {value for value in chosen.values() if not _has_values(graph[value])}
    recording = record(model, example, sorted(set(chosen.values()) - _inputs(graph) - boxes), names=names)
    inputs = _input_values(graph, call)
    values = {
        layer: _as_maps(
            NO_VALUES if value in boxes else inputs[value] if value in inputs else recording[value].activations[0]
        )
        for layer, value in chosen.items()
    }
    shown = {layer: stack for layer, stack in values.items() if stack is not None}
    if not shown:
        raise InvalidInputError("network_maps: none of these layers has maps or units to show. Name others.")
    depths, flow = _flow(graph, {chosen[layer]: place for place, layer in enumerate(shown)})
    sizes = {layer: len(stack) for layer, stack in shown.items()}
    edges = _edges(model, example, top_k)
    ends, weights = np.empty((0, 2), np.int64), np.empty(0)
    if edges is not None:
        ends, weights = _links(edges, edges.weight * link_signs(model, edges, example=example), sizes, flow)
    return NetworkMaps(
        layers=tuple(shown),
        roles=tuple(graph[layer].role for layer in shown),
        values=tuple(shown.values()),
        depths=depths,
        flow=flow,
        limits=limits,
        link_ends=ends,
        link_weights=weights,
        pixel_links=_pixel_links(model, example, graph, chosen, shown, n_entries),
        caption=edges.caption.replace("edges", "links") if edges is not None and len(ends) else "",
        provenance=recording.provenance,
    )


def _pixel_links(
    model: Any,
    example: Any,
    graph: ModelGraph,
    chosen: dict[str, str],
    shown: dict[str, NDArray[np.float32]],
    n_entries: int,
) -> tuple[PixelLinks, ...]:
    """Return what the shown layers read of each other, pixel by pixel."""
    roles = (LayerRole.CONVOLUTION, LayerRole.DENSE, LayerRole.POOLING)
    reading = [layer for layer in shown if graph[layer].role in roles]
    if not n_entries or not reading:
        return ()
    shown_by = {chosen[layer]: layer for layer in shown}
    shapes = [stack.shape for stack in shown.values()]
    return pixel_links(explain_layers(model, example, reading), shown_by, list(shown), shapes, n_entries)


def recorded_maps(
    graph: ModelGraph, recording: Recording, image: int = 0, *, input_values: NDArray[Any] | None = None
) -> NetworkMaps:
    """Return the maps of one image that were recorded before: what there is of a network whose code is not at hand.

    Parameters
    ----------
    graph : ModelGraph
        Of the network that was recorded.
    recording : Recording
    image : int
        Which of its images.
    input_values : (...) ndarray, optional
        What the network was given, of this image; the network's own input is shown then.

    Returns
    -------
    NetworkMaps
        The recorded layers as they are, before their activations where these were not recorded; no links.

    Raises
    ------
    InvalidInputError
        When no recorded layer has maps or units.
    """
    found = {name: np.array(maps.activations[image]) for name, maps in recording.maps.items() if name in graph}
    inputs = [layer.name for layer in graph.layers if layer.role is LayerRole.INPUT]
    if input_values is not None and len(inputs) == 1:
        found[inputs[0]] = input_values
    stacks = {name: _as_maps(found[name]) for name in graph.names if name in found}
    shown = {name: stack for name, stack in stacks.items() if stack is not None}
    if not shown:
        raise InvalidInputError("None of the recorded layers has maps or units to show.")
    depths, flow = _flow(graph, {name: place for place, name in enumerate(shown)})
    names = recording.inputs[image : image + 1]
    return NetworkMaps(
        layers=tuple(shown),
        roles=tuple(graph[name].role for name in shown),
        values=tuple(shown.values()),
        depths=depths,
        flow=flow,
        provenance=replace(recording.provenance, inputs=names),
    )


def _first(model: Any, image: Any) -> tuple[Any, tuple[str, ...]]:
    """Return the forward pass of the first image alone, and its name."""
    if image is None:
        return next(iter(as_example(model, None, "network_maps").images())), ()
    inputs, names = with_images(model, image, ())
    return next(iter(as_call(as_module(model), inputs).images())), names[:1]


def _chosen(graph: ModelGraph, layers: str | Iterable[str] | None) -> dict[str, str]:
    """Return which value stands for which layer, in order of execution."""
    if layers is not None:
        patterns = [layers] if isinstance(layers, str) else list(layers)
        named = {name for pattern in patterns for name in graph.match(pattern)}
        wanted = [layer.name for layer in graph.layers if layer.name in named]
    else:
        roles = (LayerRole.INPUT, LayerRole.POOLING, LayerRole.MERGE)
        with_units = {layer.name for layer in unit_layers(graph)}
        wanted = [
            layer.name
            for layer in graph.layers
            if layer.role in roles or layer.name in with_units or _is_of_no_known_kind(layer)
        ]
    values = {layer: signal_of(graph, layer, Signal.POST) for layer in wanted}
    return {
        layer: value
        for layer, value in values.items()
        if _has_values(graph[value]) or (value == layer and _is_of_no_known_kind(graph[layer]))
    }


def _has_values(layer: LayerNode) -> bool:
    return layer.recordable and bool(layer.shape)


def _is_of_no_known_kind(layer: LayerNode) -> bool:
    """Whether a layer is a module of which nothing is known but what it makes; shown all the same."""
    return layer.role is LayerRole.OTHER and layer.module is not None


def _inputs(graph: ModelGraph) -> set[str]:
    return {layer.name for layer in graph.layers if layer.role is LayerRole.INPUT}


def _input_values(graph: ModelGraph, call: Any) -> dict[str, NDArray[Any]]:
    """Return the values of the network's inputs, each by its name, without the batch axis."""
    given = [*call.args, *call.kwargs.values()]
    tensors = [value for value in given if hasattr(value, "detach")]
    names = [layer.name for layer in graph.layers if layer.role is LayerRole.INPUT]
    return {name: tensor[0].detach().cpu().float().numpy() for name, tensor in zip(names, tensors, strict=False)}


def _as_maps(values: NDArray[Any]) -> NDArray[np.float32] | None:
    """Return the values of one image as (C, H, W); None where they are none of that kind."""
    values = np.asarray(values, np.float32)
    if not values.size or not 1 <= values.ndim <= 4:
        return None
    if values.ndim == 4:
        values = values[:, values.shape[1] // 2]
    return values.reshape(len(values), *{1: (1, 1), 2: (1, values.shape[-1])}.get(values.ndim, values.shape[1:]))


def _flow(graph: ModelGraph, place: dict[str, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the depth of each shown value, and the pairs between which data flow with no other on the way."""
    nearest: dict[str, set[int]] = {}
    depth: dict[str, int] = {}
    flow = set()
    for name in graph.names:  # in order of execution: sources come first
        sources = graph.sources(name)
        before = set().union(*(nearest[source] for source in sources)) if sources else set()
        below = max((depth[source] for source in sources), default=-1)
        nearest[name], depth[name] = before, below
        if name in place:
            flow |= {(source, place[name]) for source in before}
            nearest[name], depth[name] = {place[name]}, below + 1
    depths = np.zeros(len(place), np.int64)
    for name, number in place.items():
        depths[number] = depth[name]
    return depths, np.array(sorted(flow), np.int64).reshape(-1, 2)


def _edges(model: Any, example: Any, top_k: int) -> EdgeSet | None:
    """Return the strongest links of the network; None where none can be followed."""
    try:
        return connect(model, top_k=top_k, per_gap=True, example=example)
    except InvalidInputError:
        return None


def _links(
    edges: EdgeSet, weights: NDArray[np.float64], sizes: dict[str, int], flow: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return links between maps, numbered through, (E, 2), and their signed weights, (E,)."""
    units = edges.units
    assert units is not None
    shown = list(sizes)
    first = dict(zip(shown, np.cumsum([0, *sizes.values()])[:-1], strict=True))
    layer_names = np.array(units.layers)
    sources, targets = (units.layer_of(ends) for ends in (edges.source, edges.target))
    ends, signed = [], []
    for source, target in np.unique(np.stack([sources, targets], axis=1), axis=0):
        to = str(layer_names[target])
        start = _start(str(layer_names[source]), units.sizes[source], to, sizes, flow, units.n_inputs > source)
        if to not in sizes or start is None or sizes[to] != units.sizes[target]:
            continue
        own = (sources == source) & (targets == target)
        channel = (edges.source[own] - units.offsets[source]) // (units.sizes[source] // sizes[start])
        pairs = np.stack([first[start] + channel, first[to] + edges.target[own] - units.offsets[target]], axis=1)
        strongest = np.argsort(-np.abs(weights[own]), kind="stable")
        pairs, kept = np.unique(pairs[strongest], axis=0, return_index=True)
        ends.append(pairs)
        signed.append(weights[own][strongest][kept])
    return np.concatenate([np.empty((0, 2), np.int64), *ends]), np.concatenate([np.empty(0), *signed])


def _start(
    source: str, size: int, target: str, sizes: dict[str, int], flow: NDArray[np.int64], is_input: bool
) -> str | None:
    """Return the shown layer in which links from a layer to another start: the last before the target with its maps."""
    shown = list(sizes)
    before = [shown[one] for one, other in flow.tolist() if target in sizes and other == shown.index(target)]
    alike = [name for name in before if sizes[name] == size]
    if alike:
        return source if source in alike else alike[0]
    if source in sizes and sizes[source] == size:
        return source
    return next((name for name in before if is_input and size % sizes[name] == 0), None)
