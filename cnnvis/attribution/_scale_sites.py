"""A network that stays as it is, but for a visitor at the places where layers read the channels of others."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from cnnvis.capture.axes import Axes
from cnnvis.capture.calls import Call
from cnnvis.capture.inputs import ForwardCall
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.naming import called_module
from cnnvis.capture.nested import map_tensors
from cnnvis.capture.state import evaluating
from cnnvis.capture.taps import ModuleTaps
from cnnvis.capture.targets import class_scores
from cnnvis.capture.tracer import Tracer
from cnnvis.core import ChannelSpaces, LayerRole, Read
from cnnvis.core.errors import InvalidInputError

Visitor = Callable[[int, Tensor], Tensor | None]
"""Told the number of a site and its values (N, C, positions); may return values to put in their place."""

_KEEPS_VALUES = (LayerRole.INPUT, LayerRole.RESHAPE, LayerRole.IDENTITY)


@dataclass(frozen=True, slots=True)
class Site:
    """A stretch of a value's channel axis, and the layers whose channels are read there."""

    read: Read
    size: int
    layers: tuple[str, ...]

    @property
    def entries(self) -> slice:
        """The stretch itself."""
        return slice(self.read.start, self.read.start + self.size * self.read.block)


def sites_of(spaces: ChannelSpaces, layers: Sequence[str]) -> tuple[Site, ...]:
    """Return where the channels of `layers` are read; layers that are read in the same place share a site."""
    found: dict[Read, list[str]] = {}
    for layer in layers:
        found.setdefault(spaces.sites[layer], []).append(layer)
    return tuple(Site(place, spaces.of(names[0]).size, tuple(names)) for place, names in found.items())


class SiteNetwork:
    """Runs a network with a visitor at some sites, without gradients of its weights.

    It is run on copies of its weights in the precision asked for, so that those of the network itself are not touched.

    Parameters
    ----------
    module : nn.Module
    sites : sequence of Site
    example : ForwardCall
        A few images: they are run once, to find the axes of the values.
    dtype : torch.dtype, default: float64
        What it computes in.

    Attributes
    ----------
    n_classes : int
    bytes_per_image : float
        Estimate of what one image's values take, those of every layer together.

    Raises
    ------
    InvalidInputError
        When the network does not return one logit per class, (N, n_classes) with at least two classes.
    """

    def __init__(
        self,
        module: nn.Module,
        sites: Sequence[Site],
        example: ForwardCall,
        *,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        self._module = module
        self._tree = ModuleTree(module)
        self._by_value: dict[str, list[tuple[int, Site]]] = {}
        for number, site in enumerate(sites):
            self._by_value.setdefault(site.read.value, []).append((number, site))
        self._axes: dict[str, Axes] = {}
        self._inputs: list[str] = []
        self._visitor: Visitor | None = None
        self._dtype = dtype
        held = dict(module.named_parameters()) | dict(module.named_buffers())
        self._weights = {name: self._copy(tensor.detach()) for name, tensor in held.items()}
        self.bytes_per_image = 0.0
        with evaluating(self._tree), Tracer(self._tree, self._look):
            logits = module(*example.args, **example.kwargs)
        self.bytes_per_image /= example.n_images
        self.n_classes = _count_classes(module, logits, example.n_images)

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Listen at the sites, in eval mode; everything is put back on exit. Gradients need `torch.enable_grad`."""
        with evaluating(self._tree), self._listen():
            yield

    def run(self, images: ForwardCall, visitor: Visitor) -> Tensor:
        """Return the logits of `images`, (N, n_classes), with `visitor` at every site."""
        self._visitor = visitor
        try:
            return functional_call(self._module, self._weights, *self._visit_inputs(images))
        finally:
            self._visitor = None

    def _look(self, call: Call) -> None:
        if call.role is LayerRole.INPUT:
            self._inputs.append(call.name)
        if call.name in self._by_value:
            self._axes[call.name] = call.values[0].axes
        if call.role not in _KEEPS_VALUES and not call.is_block:
            self.bytes_per_image += sum(self._dtype.itemsize * value.tensor.numel() for value in call.values)

    def _listen(self) -> ModuleTaps | Tracer:
        """Return the cheaper listener where every value is what a module returns; the inputs need none."""
        values = [value for value in self._by_value if value not in self._inputs]
        modules = {called_module(value, self._tree.traced) for value in values}
        if None in modules or any(self._tree.traced[name] in self._tree.shared for name in modules):
            return Tracer(self._tree, self._tell)
        return ModuleTaps(self._tree, self._tell, modules)

    def _tell(self, call: Call) -> Tensor | None:
        if call.name not in self._by_value or call.role is LayerRole.INPUT:
            return None
        return self._visited(call.name, call.values[0].tensor)

    def _visit_inputs(self, images: ForwardCall) -> tuple[Any, Any]:
        """Return the arguments, with the visitor's values where an input is a site itself."""
        names = iter(self._inputs)

        def new(tensor: Tensor) -> Tensor:
            name, values = next(names), self._copy(tensor)
            told = self._visited(name, values) if name in self._by_value else None
            return values if told is None else told

        return map_tensors(images.args, new), map_tensors(images.kwargs, new)

    def _copy(self, tensor: Tensor) -> Tensor:
        return tensor.to(self._dtype if tensor.is_floating_point() else tensor.dtype, copy=True)

    def _visited(self, value: str, tensor: Tensor) -> Tensor | None:
        """Return `tensor` with what the visitor put in the place of its stretches; None for no change."""
        axes = self._axes[value]
        whole = tensor.movedim(axes, (0, 1))
        told = False
        for number, site in self._by_value[value]:
            stretch = whole[:, site.entries]
            positions = math.prod(stretch.shape[2:]) * site.read.block
            new = self._visitor(number, stretch.reshape(len(stretch), site.size, positions))
            if new is not None:
                whole, told = _with_stretch(whole, site.entries, new.view(stretch.shape)), True
        return whole.movedim((0, 1), axes) if told else None


def _with_stretch(whole: Tensor, entries: slice, new: Tensor) -> Tensor:
    if new.shape == whole.shape:
        return new
    return torch.cat([whole[:, : entries.start], new, whole[:, entries.stop :]], dim=1)


def _count_classes(module: nn.Module, output: Any, n_images: int) -> int:
    name = type(module).__name__
    logits = class_scores(output, n_images, network=name)
    if not logits.is_floating_point():
        raise InvalidInputError(f'Method "batchnorm" needs logits; {name} returns a tensor of {logits.dtype}.')
    if logits.shape[1] < 2:
        raise InvalidInputError(f'Method "batchnorm" tells one class from the rest; {name} has a single output.')
    return logits.shape[1]
