"""The layers that read channels, and how their weights take over from a channel that goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from cnnvis.core import ChannelSpace, ChannelSpaces, ModelGraph, Read
from cnnvis.pruning.removal import obstacles

_CONVOLUTIONS: tuple[Callable[..., Tensor], ...] = (functional.conv1d, functional.conv2d, functional.conv3d)
_TRANSPOSED: tuple[Callable[..., Tensor], ...] = (
    functional.conv_transpose1d,
    functional.conv_transpose2d,
    functional.conv_transpose3d,
)


@dataclass(frozen=True, slots=True)
class Consumer:
    """A convolution or dense layer that reads the channels of a space.

    Parameters
    ----------
    module : str
        Dotted name.
    place : int
        Number of the read among those of its space.
    read : Read
    positions : tuple of int
        Shape of one map of the value read; empty for a vector.
    """

    module: str
    place: int
    read: Read
    positions: tuple[int, ...]

    def weights(self, network: nn.Module, channels: Sequence[int]) -> Tensor:
        """Return a copy of the weights of these channels: (n, block, outputs of one group, *kernel)."""
        layer = network.get_submodule(self.module)
        return _incoming(layer)[self._entries(layer, channels)].detach().unflatten(0, (len(channels), self.read.block))

    def energy(self, network: nn.Module, size: int) -> NDArray[np.float64]:
        """Return the sum of squared weights (C,) of each of the space's channels."""
        squares = self.weights(network, range(size)).double().square().flatten(1).sum(dim=1)
        return np.asarray(squares.cpu().numpy(), dtype=np.float64)

    def add(self, network: nn.Module, channels: Sequence[int], weights: Tensor) -> None:
        """Add to the weights of channels, each of which occurs once, in place; `weights` as of `Consumer.weights`."""
        layer = network.get_submodule(self.module)
        with torch.no_grad():
            _incoming(layer)[self._entries(layer, channels)] += weights.flatten(0, 1)

    def clear(self, network: nn.Module, channels: Sequence[int]) -> None:
        """Set the weights of channels to zero, in place: nothing is read of them any more."""
        layer = network.get_submodule(self.module)
        with torch.no_grad():
            _incoming(layer)[self._entries(layer, channels)] = 0.0

    def add_constant(self, network: nn.Module, channel: int, weights: Tensor, value: float) -> float:
        """Let the bias say what the layer makes of `value` at every position of a channel with these weights.

        A layer without bias gets one.

        Returns
        -------
        float
            Largest error of an output, at a border padded with zeros: there the layer sees less than the whole kernel.
        """
        layer: Any = network.get_submodule(self.module)
        constant = _constant(layer, weights)
        group = int(self._entries(layer, [channel])[0][0])
        if layer.bias is None:
            n_out = layer.out_features if isinstance(layer, nn.Linear) else layer.out_channels
            zeros = torch.zeros(n_out, dtype=layer.weight.dtype, device=layer.weight.device)
            layer.bias = nn.Parameter(zeros, requires_grad=layer.weight.requires_grad)
        with torch.no_grad():
            layer.bias.view(getattr(layer, "groups", 1), -1)[group] += value * constant
        return abs(value) * self._largest_error(layer, weights, constant)

    def _largest_error(self, layer: Any, weights: Tensor, constant: Tensor) -> float:
        if isinstance(layer, nn.Linear) or layer.padding_mode != "zeros":
            return 0.0
        n_axes = len(layer.kernel_size)
        ones = weights.new_ones(1, 1, *self.positions)
        if isinstance(layer, _ConvTransposeNd):
            options = {"stride": layer.stride, "padding": layer.padding, "output_padding": layer.output_padding}
            result = _TRANSPOSED[n_axes - 1](ones, weights, **options, dilation=layer.dilation)
        else:
            filters = weights.transpose(0, 1)
            options = {"stride": layer.stride, "padding": layer.padding, "dilation": layer.dilation}
            result = _CONVOLUTIONS[n_axes - 1](ones, filters, **options)
        return float((result - constant.view(1, -1, *[1] * n_axes)).abs().max())

    def _entries(self, layer: nn.Module, channels: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return group and number within the group of the entries that hold these channels."""
        entries = torch.from_numpy(self.read.entries(np.asarray(list(channels), dtype=np.int64)))
        per_group = _incoming(layer).shape[1]
        return entries // per_group, entries % per_group


def consumers(network: nn.Module, graph: ModelGraph, space: ChannelSpace) -> tuple[Consumer, ...]:
    """Return the layers that read the channels of a space and mix them; a depthwise convolution does not."""
    found = []
    for place, read in enumerate(space.reads):
        shape = graph[read.value].shape
        for name in dict.fromkeys(graph.targets(read.value)):
            module = graph[name].module
            if module is not None and _mixes(network.get_submodule(module)):
                found.append(Consumer(module, place, read, shape[1:]))
    return tuple(found)


def merge_obstacles(network: nn.Module, graph: ModelGraph, spaces: ChannelSpaces) -> dict[str, str]:
    """Return why the channels of a space cannot be merged, by its name: what keeps them from being cut out, and more.

    A layer that reads several values with the same weights would have to make up for different fits at once.
    """
    found = obstacles(network, graph, spaces)
    calls = Counter(node.module for node in graph.layers if node.module is not None)
    parameters = Counter(id(p) for _, p in network.named_parameters(remove_duplicate=False))
    for space in spaces:
        for consumer in () if space.name in found else consumers(network, graph, space):
            layer = network.get_submodule(consumer.module)
            if calls[consumer.module] > 1 or any(parameters[id(p)] > 1 for p in layer.parameters(recurse=False)):
                found[space.name] = f"{consumer.module} is used more than once, and its weights cannot suit all uses"
                break
    return found


def _mixes(layer: nn.Module) -> bool:
    if isinstance(layer, _ConvNd):
        return not (layer.groups == layer.in_channels == layer.out_channels > 1)
    return isinstance(layer, nn.Linear)


def _incoming(layer: Any) -> Tensor:
    """Return a view of the weights by what they read: (groups, inputs of a group, outputs of a group, *kernel)."""
    groups = getattr(layer, "groups", 1)
    parts: Tensor = layer.weight.unflatten(0, (groups, -1))
    return parts if isinstance(layer, _ConvTransposeNd) else parts.transpose(1, 2)


def _constant(layer: Any, weights: Tensor) -> Tensor:
    """Return what the outputs of one group become where a channel with these weights is 1 everywhere."""
    total = weights.sum(dim=(0, *range(2, weights.ndim)))
    # each input of a transposed convolution meets the whole kernel, each output only a part of it, as strides have it
    return total / prod(layer.stride) if isinstance(layer, _ConvTransposeNd) else total
