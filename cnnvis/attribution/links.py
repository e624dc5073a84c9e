"""Importance of links: how strong a connection is, times how important the units are that it joins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from cnnvis.attribution.space_scores import space_scores
from cnnvis.capture import channel_spaces, trace
from cnnvis.capture.inputs import as_module
from cnnvis.core import ChannelSpaces, Importance, LayerNode, ModelGraph
from cnnvis.core.checks import parse_choice
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, did_you_mean
from cnnvis.core.links import LinkKind, LinkKindName

_SHARES = {
    LinkKind.INTERPOLATE: (0.5, 0.5),
    LinkKind.START: (1.0, 0.0),
    LinkKind.BOTH: (1.0, 1.0),
    LinkKind.END: (0.0, 1.0),
}
"""How much the start and the end count."""


def link_importance(
    model: Any,
    importance: Importance | Mapping[str, NDArray[Any]] | None = None,
    *,
    kind: LinkKindName = "start",
    layers: str | Iterable[str] | None = None,
    example: Any = None,
) -> dict[str, NDArray[np.float64]]:
    """Return the importance of every link: |weight|, or the kernel's L2 norm, times the importance of its units.

    Weights are divided by the layer's largest, unit importance by that of its channel space (see `space_scores`).
    The start units of a layer are the channels that it reads: a dense layer behind a flatten has a link per entry,
    and the entries of a channel share its importance. Inputs and outputs without importance count as 1. Of a layer
    that is called more than once, the units are the mean over its calls.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
    importance : Importance, or mapping of layer to (C,) array, optional
        Of all hidden layers that the links join. Without it, weights alone.
    kind : {"start", "interpolate", "both", "end"}
        See `LinkKind`.
    layers : str or iterable of str, optional
        Names or globs of convolutions and dense layers. Default: all that run.
    example : tensor, tuple or dict, optional
        Input of one forward pass; a Network brings its own.

    Returns
    -------
    dict of str to (out, in) ndarray
        By module, in order of execution. With groups, `in` counts the channels of one group, as in the weights.

    Raises
    ------
    InvalidInputError
        When importance of a hidden layer is missing or has another size, or weights are not finite.
    LayerNotFoundError
        For a name or glob that fits no layer.
    """
    start_share, end_share = _SHARES[parse_choice(LinkKind, kind, what="kind of link importance")]
    module = as_module(model)
    graph = trace(model, example)
    calls = _calls(graph, module, layers)
    strengths = {name: _strengths(name, module.get_submodule(name)) for name in calls}
    if importance is None:
        return strengths
    units = _Units(graph, channel_spaces(model, example), importance)
    found = {}
    for name, nodes in calls.items():
        layer = module.get_submodule(name)
        factor = np.zeros_like(strengths[name])
        for node in nodes:
            if start_share:
                factor += start_share / len(nodes) * units.starts(node)[_read_entries(layer)]
            if end_share:
                factor += end_share / len(nodes) * units.ends(node)[:, None]
        found[name] = strengths[name] * factor
    return found


class _Units:
    """The importance of the units at both ends of a layer."""

    def __init__(self, graph: ModelGraph, spaces: ChannelSpaces, importance: Any) -> None:
        self._graph = graph
        self._spaces = spaces
        self._scores = space_scores(spaces, importance)

    def starts(self, node: LayerNode) -> NDArray[np.float64]:
        """Return the importance of each entry of the value that a layer reads."""
        source = self._graph[self._graph.sources(node.name)[0]]
        scores = np.ones(source.channels)
        for space in self._spaces:
            for read in space.reads:
                if read.value == source.name:
                    scores[read.entries(np.arange(space.size))] = np.repeat(self._of(space.name), read.block)
        return scores

    def ends(self, node: LayerNode) -> NDArray[np.float64]:
        """Return the importance of each channel that a layer gives."""
        return self._of(self._spaces.of(node.name).name)

    def _of(self, space: str) -> NDArray[np.float64]:
        found = self._spaces.of(space)
        if space in self._scores:
            return self._scores[space]
        if found.layers and not found.is_output:
            raise InvalidInputError(
                f"There is no importance of {', '.join(found.layers)}, where links start or end; score one of these "
                "layers too, or leave the links out by naming layers."
            )
        return np.ones(found.size)


def _calls(graph: ModelGraph, module: nn.Module, layers: str | Iterable[str] | None) -> dict[str, list[LayerNode]]:
    """Return the calls of each convolution and dense layer that `layers` names, by module."""
    calls: dict[str, list[LayerNode]] = {}
    for node in graph.layers:
        if node.module is not None and isinstance(module.get_submodule(node.module), _ConvNd | nn.Linear):
            calls.setdefault(node.module, []).append(node)
    if layers is None:
        return calls
    wanted = {name for pattern in ([layers] if isinstance(layers, str) else layers) for name in graph.match(pattern)}
    found = {name: nodes for name, nodes in calls.items() if any(node.name in wanted for node in nodes)}
    if not found:
        hint = did_you_mean(", ".join(sorted(wanted)), calls, what="layers with links")
        raise LayerNotFoundError(f"None of the layers {', '.join(sorted(wanted))} has links. {hint}")
    return found


def _strengths(name: str, layer: nn.Module) -> NDArray[np.float64]:
    """Return |weight| or the kernel norm of each link, (out, in of a group), divided by the largest."""
    norms = kernel_norms(_kernels(layer))
    top = norms.max(initial=0.0)
    if not np.isfinite(top):
        raise InvalidInputError(f"The weights of layer {name!r} hold NaN or infinite values; links cannot be ranked.")
    strengths: NDArray[np.float64] = norms / (top or 1.0)
    return strengths


def _kernels(layer: nn.Module) -> Tensor:
    """Return the weight of a convolution or dense layer as (out, in of a group, weights of a link)."""
    return kernels(layer.weight, layer.groups if isinstance(layer, _ConvTransposeNd) else None)


def kernels(weight: Tensor, transposed_groups: int | None = None) -> Tensor:
    """Return a weight as (out, in of a group, weights of a link); of a transposed convolution, with its groups."""
    if transposed_groups is not None:  # (in, out of a group, *kernel): both are counted group by group
        weight = weight.unflatten(0, (transposed_groups, -1)).transpose(1, 2).flatten(0, 1)
    return weight.flatten(2) if weight.ndim > 2 else weight[:, :, None]


def kernel_norms(links: Tensor) -> NDArray[np.float64]:
    """Return the L2 norm of the weights of each link, (out, in of a group)."""
    norms: NDArray[np.float64] = links.detach().cpu().double().norm(dim=2).numpy()
    return norms


def without_links(name: str, layer: nn.Module, removed: NDArray[np.bool_]) -> Tensor:
    """Return the weight of layer `name` with links set to zero, NaN ones too; the layer itself is left as it is.

    Parameters
    ----------
    removed : (out, in) ndarray of bool
        As `link_importance` lays links out.

    Raises
    ------
    InvalidInputError
        When the weight is no parameter of the layer but computed from others (a parametrisation).
    """
    if layer._parameters.get("weight") is None:
        raise InvalidInputError(
            f"The weight of layer {name!r} is computed from other parameters, so its links cannot be set to zero. "
            "Make it a plain parameter first: torch.nn.utils.parametrize.remove_parametrizations."
        )
    gone = torch.from_numpy(np.ascontiguousarray(removed)).to(layer.weight.device)
    if isinstance(layer, _ConvTransposeNd):
        gone = gone.unflatten(0, (layer.groups, -1)).transpose(1, 2).flatten(0, 1)
    return layer.weight.detach().masked_fill(gone.view(*gone.shape, *[1] * (layer.weight.ndim - 2)), 0.0)


def _read_entries(layer: nn.Module) -> NDArray[np.int64]:
    """Return the entry of the value read at which each link starts, in the shape of the links."""
    n_out, n_in = _kernels(layer).shape[:2]
    group = np.arange(n_out) // (n_out // getattr(layer, "groups", 1))
    entries: NDArray[np.int64] = group[:, None] * n_in + np.arange(n_in)
    return entries
