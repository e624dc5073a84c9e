"""Cut channels out of the tensors of a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from cnnvis.core import ChannelSpace, ChannelSpaces, LayerNode, LayerRole, ModelGraph

Removed = Mapping[str, NDArray[np.int64]]
"""By name of a channel space: its channels that are to go, in rising order."""


def obstacles(module: nn.Module, graph: ModelGraph, spaces: ChannelSpaces) -> dict[str, str]:
    """Return why the channels of a space cannot be cut out, by its name; only spaces with such a reason."""
    found = {}
    for space in spaces:
        if not space.layers:
            found[space.name] = "an input of the network"
        elif space.is_output:
            found[space.name] = "its classes"
        elif space.obstacle:
            found[space.name] = space.obstacle
        elif space.groups == space.size > 1:
            found[space.name] = "a grouped convolution takes each channel for a group, and groups must stay alike"
        else:
            reasons = (_obstacle(module, node) for node in _touching(graph, space))
            found[space.name] = next(filter(None, reasons), "")
    return {name: reason for name, reason in found.items() if reason}


def remove_channels(module: nn.Module, graph: ModelGraph, spaces: ChannelSpaces, removed: Removed) -> None:
    """Cut channels out of `module`, in place.

    Parameters
    ----------
    module : nn.Module
        Gets new, smaller parameters and buffers with the gradient flags of the old ones.
    graph, spaces : ModelGraph, ChannelSpaces
        Of this module.
    removed : mapping of str to (R,) ndarray of int
        Of spaces without `obstacles`; of a space in G groups, as many of each, and not all.
    """
    kept = _Kept(graph, spaces, removed)
    done: set[str] = set()
    made: dict[int, nn.Parameter] = {}
    for node in graph.layers:
        if node.module is None or node.module in done:
            continue
        layer = module.get_submodule(node.module)
        if isinstance(layer, _ConvNd | nn.Linear):
            _cut_weights(layer, kept.given(node), kept.read(node), made)
        else:
            _cut_vectors(layer, kept.given(node), made)
        done.add(node.module)


class _Kept:
    """Which entries of each value stay."""

    def __init__(self, graph: ModelGraph, spaces: ChannelSpaces, removed: Removed) -> None:
        self._graph = graph
        self._gone: dict[str, list[NDArray[np.int64]]] = {}
        for space in spaces:
            for place in space.held if space.name in removed else ():
                self._gone.setdefault(place.value, []).append(place.entries(removed[space.name]))

    def given(self, node: LayerNode) -> NDArray[np.bool_]:
        """Return whether each entry of the value of a layer stays."""
        stays = np.ones(node.channels, dtype=bool)
        for entries in self._gone.get(node.name, ()):
            stays[entries] = False
        return stays

    def read(self, node: LayerNode) -> NDArray[np.bool_]:
        """Return whether each entry of the value that a layer reads stays."""
        return self.given(self._graph[self._graph.sources(node.name)[0]])


def _touching(graph: ModelGraph, space: ChannelSpace) -> list[LayerNode]:
    """Return the layers that hold the channels of a space, and those they feed."""
    values = dict.fromkeys(place.value for place in space.held)
    return [graph[name] for value in values for name in (value, *graph.targets(value))]


def _obstacle(module: nn.Module, node: LayerNode) -> str:
    """Return why a layer that holds or reads the channels cannot be made smaller; "" where it can."""
    layer = None if node.module is None else module.get_submodule(node.module)
    if isinstance(layer, _ConvNd | nn.Linear):
        is_plain = isinstance(layer._parameters.get("weight"), nn.Parameter)
        return "" if is_plain else f"the weight of {node.name} is computed from other parameters"
    if node.role in (LayerRole.CONVOLUTION, LayerRole.DENSE) or (layer is None and node.parameters):
        return f"the weights of {node.name} ({node.type}) are not those of a torch.nn layer"
    tensors = [] if layer is None else [*layer.parameters(), *layer.buffers()]
    if all(tensor.numel() == 1 or tensor.shape == (node.channels,) for tensor in tensors):
        return ""
    return f"{node.name} ({node.type}) has weights that are not one per channel"


def _cut_weights(
    layer: nn.Module, given: NDArray[np.bool_], read: NDArray[np.bool_], made: dict[int, nn.Parameter]
) -> None:
    """Cut a convolution or dense layer, group by group; a depthwise one loses whole groups."""
    if given.all() and read.all():
        return
    groups = getattr(layer, "groups", 1)
    is_transposed = isinstance(layer, _ConvTransposeNd)  # its weights are (in, out of a group, *kernel)
    rows, columns = (np.split(stays, groups) for stays in ((read, given) if is_transposed else (given, read)))

    def cut(weight: Tensor) -> Tensor:
        parts = zip(weight.chunk(groups), rows, columns, strict=True)
        return torch.cat([part[_numbers(row)][:, _numbers(column)] for part, row, column in parts if row.any()])

    _replace(layer, "weight", cut, made)
    _replace(layer, "bias", lambda bias: bias[_numbers(given)], made)
    if isinstance(layer, nn.Linear):
        layer.out_features, layer.in_features = int(given.sum()), int(read.sum())
    else:
        layer.out_channels, layer.in_channels = int(given.sum()), int(read.sum())
        layer.groups = sum(bool(row.any()) for row in rows)


def _cut_vectors(layer: nn.Module, given: NDArray[np.bool_], made: dict[int, nn.Parameter]) -> None:
    """Cut what a norm or activation holds per channel."""
    if given.all():
        return
    for part in layer.modules():
        for name in [*part._parameters, *part._buffers]:
            tensor = getattr(part, name)
            if tensor is not None and tensor.shape == given.shape:
                _replace(part, name, lambda vector: vector[_numbers(given)], made)
        for name in ("num_features", "num_parameters"):
            if getattr(part, name, None) == given.size:
                setattr(part, name, int(given.sum()))


def _replace(layer: nn.Module, name: str, cut: Callable[[Tensor], Tensor], made: dict[int, nn.Parameter]) -> None:
    """Put the cut tensor in place; layers that shared a parameter share the smaller one."""
    tensor = getattr(layer, name)
    if not isinstance(tensor, nn.Parameter):
        if tensor is not None:
            setattr(layer, name, cut(tensor).clone())
        return
    if id(tensor) not in made:
        made[id(tensor)] = nn.Parameter(cut(tensor.detach()).clone(), requires_grad=tensor.requires_grad)
    setattr(layer, name, made[id(tensor)])


def _numbers(stays: NDArray[np.bool_]) -> Tensor:
    return torch.from_numpy(np.flatnonzero(stays))
