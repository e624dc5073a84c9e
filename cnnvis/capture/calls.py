"""What is known of a forward pass while it runs: calls, their values, and where each tensor comes from."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from torch import Tensor, nn

from cnnvis.capture.axes import BATCH_FIRST, Axes
from cnnvis.capture.nested import tensors_in
from cnnvis.core import LayerRole


class Value(NamedTuple):
    """One tensor that came out of a layer, and its axes."""

    name: str
    tensor: Tensor
    axes: Axes


def channels_first(tensor: Tensor, axes: Axes) -> Tensor:
    """Return a value, or what has its shape, as (N, C, *S), a view."""
    return tensor if axes == BATCH_FIRST else tensor.movedim(axes, BATCH_FIRST)


@dataclass(slots=True)
class Call:
    """One layer as it ran: what a listener is told.

    Parameters
    ----------
    name, type : str
    role : LayerRole
    module : str or None
        Dotted name of the module, None for an operation and an input.
    origin : nn.Module, callable or None
        The module or function itself.
    args, kwargs : tuple and dict
        What it was called with.
    arguments : tuple of Tensor
        Every tensor in them.
    tracked : tuple of (Tensor, Origin)
        Those of the arguments that depend on the network's input, and where each comes from.
    sources : tuple of str
        Layers that feed it, in order of its arguments; a layer that feeds it twice occurs twice.
    values : tuple of Value
        Its tensors: the first is the value of the layer and bears its name, further ones are named
        `layer:1`, `layer:key`. Empty when the layer gave no tensor.
    is_block : bool
        True for a module made of layers: not in the graph, but its value can be recorded by name.
    """

    name: str
    type: str
    role: LayerRole
    module: str | None = None
    origin: Any = None
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    arguments: tuple[Tensor, ...] = ()
    tracked: tuple[tuple[Tensor, Origin], ...] = ()
    sources: tuple[str, ...] = ()
    values: tuple[Value, ...] = ()
    is_block: bool = False


Listener = Callable[[Call], Tensor | None]
"""Told of each call right after it ran; a tensor that it returns takes the place of the layer's value."""


def value_name(layer: str, index: int, path: str) -> str:
    """Return the name of the tensor number `index`, which stands at `path` in what `layer` returned."""
    return layer if index == 0 else f"{layer}:{path}"


class Origin(NamedTuple):
    """Layers that a tensor comes from, its axes, and the name of the value that it is.

    More than one layer only behind a result that belongs to no image, such as x.norm(), and behind views that were
    changed in place; these are no value by themselves.
    """

    sources: tuple[str, ...]
    axes: Axes
    is_input: bool = False
    value: str = ""


class Flow:
    """Origin of each living tensor, by identity.

    Holds its tensors weakly, so that following a forward pass needs no more memory than running it.
    """

    def __init__(self) -> None:
        self._entries: dict[int, tuple[weakref.ref[Tensor], Origin]] = {}

    def clear(self) -> None:
        """Forget all tensors."""
        self._entries.clear()

    def get(self, tensor: Tensor) -> Origin | None:
        """Return where `tensor` comes from; None for parameters, constants and what depends on these alone."""
        entry = self._entries.get(id(tensor))
        return entry[1] if entry is not None and entry[0]() is tensor else None

    def set(self, tensor: Tensor, origin: Origin) -> None:
        """Note where `tensor` comes from from now on."""
        self._entries[id(tensor)] = (weakref.ref(tensor), origin)


class Arguments:
    """The tensors that go into a call, with their state before it.

    Parameters
    ----------
    args, kwargs : nested tuples, lists and dictionaries
    flow : Flow
    """

    def __init__(self, args: Any, kwargs: Any, flow: Flow) -> None:
        self.args, self.kwargs = args, kwargs
        self.tensors = tuple(tensor for value in (args, kwargs) for _, tensor in tensors_in(value))
        self.tracked = [(tensor, origin) for tensor in self.tensors if (origin := flow.get(tensor)) is not None]
        self._versions = {id(tensor): _version(tensor) for tensor, _ in self.tracked}

    @property
    def sources(self) -> tuple[str, ...]:
        """Layers that the tensors come from, in order."""
        return tuple(source for _, origin in self.tracked for source in origin.sources)

    def leading(self) -> tuple[Tensor, Axes] | None:
        """Return the tensor that says where the axes are, with its axes; None where nothing is known.

        That with the most axes, rather one that a layer made than an input, whose axes are a guess.
        """
        if not self.tracked:
            return None
        tensor, origin = max(self.tracked, key=lambda pair: (pair[0].ndim, not pair[1].is_input))
        return tensor, origin.axes

    def hands_through(self, output: Tensor) -> bool:
        """Whether `output` is one of the tensors, unchanged by the call."""
        return self._versions.get(id(output), -1) == _version(output)

    def changes(self, output: Tensor) -> bool:
        """Whether `output` is one of the tensors, changed in place by the call."""
        return self._versions.get(id(output), _version(output)) != _version(output)


def _version(tensor: Tensor) -> int:
    """Return the count of in-place changes; tensors made in inference mode have none."""
    return 0 if tensor.is_inference() else tensor._version


def named_inputs(model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[tuple[str, Tensor]]:
    """Yield (name, tensor) of each tensor among the arguments of a forward pass, named as forward() names them."""
    for index, value in enumerate(args):
        yield from tensors_in(value, _argument_name(model, index))
    yield from tensors_in(kwargs)


def _argument_name(model: nn.Module, index: int) -> str:
    """Return the name of forward()'s positional argument number `index`."""
    for position, parameter in enumerate(inspect.signature(model.forward).parameters.values()):
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            return f"{parameter.name}.{index - position}"
        if position == index:
            return parameter.name
    return f"input.{index}"
