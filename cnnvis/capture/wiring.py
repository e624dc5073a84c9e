"""Which units each convolution and dense layer reads: found by following one run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnvis.capture.axes import Axes
from cnnvis.capture.calls import Call, Origin
from cnnvis.capture.channel_rules import Kind, groups_of, kind_of, operation_of
from cnnvis.capture.inputs import as_example, as_module
from cnnvis.capture.labels import MOVES, Rows, entries_and_units, kept, merged, moved, opened, padded, reduced
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.state import evaluating
from cnnvis.capture.tracer import Tracer
from cnnvis.core import LayerRole, ModelGraph
from cnnvis.core.unit_layers import input_units

_CONSTANTS = ("zeros_like", "ones_like", "full_like", "empty_like", "rand_like", "randn_like")
_CONSTANTS += ("new_zeros", "new_ones", "new_full", "new_empty", "new_tensor")


@dataclass(frozen=True, eq=False)
class Reading:
    """What a convolution or dense layer reads.

    Parameters
    ----------
    layer : str
        Name of the call.
    n_entries : int
        Length of the axis that it reads.
    entries, units : (P,) ndarray of int
        Pairs, entry by entry: this entry holds this unit. Several units where layers are added or depend on positions.
    weight : Tensor or None
        (out, in / groups, *kernel), of a transposed convolution (in, out / groups, *kernel); None where it is unknown.
    groups : int
    is_transposed : bool
    """

    layer: str
    n_entries: int
    entries: NDArray[np.int64]
    units: NDArray[np.int64]
    weight: Tensor | None = None
    groups: int = 1
    is_transposed: bool = False


@dataclass(frozen=True, eq=False)
class Wiring:
    """What all convolutions and dense layers of a network read.

    Parameters
    ----------
    readings : tuple of Reading
        In order of execution.
    obstacles : mapping of str to str
        By layer behind which units could not be followed: what it is.
    """

    readings: tuple[Reading, ...]
    obstacles: Mapping[str, str] = field(default_factory=dict)


def wiring(model: Any, graph: ModelGraph, example: Any = None) -> Wiring:
    """Return which units each convolution and dense layer of `model` reads.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
    graph : ModelGraph
        As `trace` finds it with the same example; its units are followed.
    example : tensor or ndarray, tuple or dict of these, optional
        As for `trace`.

    Returns
    -------
    Wiring
        The units read are those reached first on the way back: norms, activations, pooling, upsampling, dropout and
        means over positions hand each channel on, sums and products hand on what they combine, and whatever only moves
        entries (concatenation, chunk, shuffle, flatten, permute, padding) is followed entry by entry. A mean over
        channels, as of a spatial gate, hands on all of them. What a norm or softmax over channels makes of one channel
        counts as that channel. Single numbers taken from a whole value (its norm) hand on nothing. Anything else
        (attention, a recurrent layer, a layer that is not known) is an obstacle: nothing is known behind it.

    Notes
    -----
    Costs one forward pass, and per value that is moved about a copy of its size in float64.
    """
    module = as_module(model)
    call = as_example(model, example, "wiring")
    tree = ModuleTree(module)
    follower = _Follower(graph)
    with evaluating(tree), Tracer(tree, follower.add):
        module(*call.args, **call.kwargs)
    return Wiring(tuple(follower.readings), follower.obstacles)


class _Follower:
    """Listens to a tracer, and hands labels on from value to value."""

    def __init__(self, graph: ModelGraph) -> None:
        self.readings: list[Reading] = []
        self.obstacles: dict[str, str] = {}
        self._units = graph.units
        self._rows: dict[str, Rows] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._inputs: dict[str, str] = {}
        for entry in input_units(graph):
            opens_at_base = entry.size == graph[entry.base].channels
            self._inputs |= dict.fromkeys((entry.base,) if opens_at_base else entry.values, entry.name)

    def add(self, call: Call) -> None:
        if call.is_block or not call.values:
            return
        contents = {id(tensor): self._of(tensor, origin) for tensor, origin in call.tracked}
        first = call.values[0]
        if call.name in self._inputs:
            self._open(call, self._inputs[call.name], first.axes)
        elif call.name in self._units.layers[self._units.n_inputs :]:
            self._read(call, contents)
            self._open(call, call.name, first.axes)
        else:
            found = self._handed_on(call, contents)
            if found is None:
                if any(contents.values()):
                    self.obstacles[call.name] = call.type
                found = [()]
            for value, rows in zip(call.values, found, strict=False):
                self._rows[value.name] = rows
        self._shapes |= {value.name: tuple(value.tensor.shape) for value in call.values}

    def _of(self, tensor: Tensor, origin: Origin) -> Rows:
        """Return the labels of a tensor; of one that is no value of a layer as it is, none are known."""
        if tensor.ndim == 0:
            return ()
        if self._shapes.get(origin.value) == tuple(tensor.shape):
            return self._rows.get(origin.value, ())
        for source in origin.sources:
            if self._rows.get(source):
                self.obstacles[source] = "its values are changed in a way that is not followed"
        return ()

    def _open(self, call: Call, layer: str, axes: Axes) -> None:
        """Label the units of `layer` along the channel axis; along the last one where an input has them there."""
        shape = call.values[0].tensor.shape
        span = self._units.range(layer)
        size = span.stop - span.start
        axis = axes.channel if not shape[axes.channel] % size else len(shape) - 1
        self._rows[call.name] = opened(shape, axis, span.start, size)

    def _read(self, call: Call, contents: dict[int, Rows]) -> None:
        is_module = isinstance(call.origin, nn.Module)
        weight = call.origin.weight if is_module else next(iter(call.arguments[1:]), None)
        is_known = isinstance(weight, Tensor) and len(call.tracked) == 1
        if not is_known or call.type.lower() == "bilinear":
            if any(contents.values()):
                self.obstacles[call.name] = call.type
            return
        fed = call.tracked[0][0]
        axis = fed.ndim - 1 if call.role is LayerRole.DENSE else 1
        n_entries = fed.shape[axis]
        entries, units = entries_and_units(contents[id(fed)], axis, n_entries)
        groups = 1 if call.role is LayerRole.DENSE else groups_of(call)
        is_transposed = "transpose" in operation_of(call)
        self.readings.append(Reading(call.name, n_entries, entries, units, weight, groups, is_transposed))

    def _handed_on(self, call: Call, contents: dict[int, Rows]) -> list[Rows] | None:
        """Return the labels of each value of a call; None where it cannot be followed."""
        operation, kind = operation_of(call), kind_of(call)
        if not call.tracked or operation in _CONSTANTS:
            return [()]
        tensor, origin = call.tracked[0]
        value, rows = call.values[0], contents[id(tensor)]
        if operation in MOVES:
            return moved(call, contents)
        if kind is Kind.ELEMENTWISE:
            return [merged(contents.values(), value.tensor.ndim)]
        if kind in (Kind.NORM, Kind.ACTIVATION):
            return [rows] if value.tensor.shape == tensor.shape else None
        if kind is Kind.REDUCTION:
            axes = _reduced_axes(call)
            return None if axes is None else [reduced(rows, axes, keep=value.tensor.ndim == tensor.ndim)]
        if kind is not Kind.POSITIONS:
            return None
        axis, new_axis = origin.axes.channel, value.axes.channel
        if tensor.shape[axis] != value.tensor.shape[new_axis]:
            return [padded(call, rows)] if operation == "pad" else None
        handed_on = kept(rows, axis, value.tensor.ndim, new_axis)
        return None if handed_on is None else [handed_on]


def _reduced_axes(call: Call) -> tuple[int, ...] | None:
    """Return the axes over which a reduction goes; None where its call does not say."""
    named = call.kwargs.get("dim", call.kwargs.get("axis"))
    axes = call.args[1] if named is None and len(call.args) > 1 else named
    if isinstance(axes, int):
        return (axes,)
    return tuple(axes) if isinstance(axes, tuple | list) else None
