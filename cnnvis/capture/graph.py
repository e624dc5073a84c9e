"""The network as data, from one run of it."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from cnnvis.capture.calls import Call, Value
from cnnvis.capture.inputs import as_example, as_module
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.roles import settings
from cnnvis.capture.state import evaluating
from cnnvis.capture.tracer import Tracer
from cnnvis.core import LayerLink, LayerNode, LayerRole, ModelGraph


def trace(model: Any, example: Any = None) -> ModelGraph:
    """Return the layers of `model`, their output shapes and the data flow between them, from one run.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
    example : tensor or ndarray, tuple or dict of these, optional
        Input of one forward pass, batch axis first: a tuple holds the positional arguments of forward(),
        a dict the keyword arguments. One image is enough. May be left out for a Network, which brings its own.

    Returns
    -------
    ModelGraph
        Layers are modules (blocks and containers are not, what is inside a torch.nn layer is not) and the
        functional operations outside them, in the order in which they ran; see `cnnvis.capture.naming` for
        their names and `cnnvis.capture.axes` for the channel axis of their shapes. Operations that change
        neither values nor shape (clone, to, contiguous), or whose result belongs to no image (x.norm()) are
        no layers: data flows through them. A layer whose result is no tensor, is complex, or
        has not the images along its batch axis is not recordable. Further tensors that a layer returns
        are listed in attributes["outputs"]; `record` takes their names.

    Raises
    ------
    InvalidInputError
        When `model` is no network, or there is no example.

    Notes
    -----
    Costs one forward pass in eval mode without gradients, plus about 0.1 ms per layer. The model is
    left as it was. Layers that this example does not reach are not in the graph.
    """
    module = as_module(model)
    call = as_example(model, example, "trace")
    tree = ModuleTree(module)
    builder = _GraphBuilder(call.n_images)
    with evaluating(tree), Tracer(tree, builder.add):
        module(*call.args, **call.kwargs)
    return ModelGraph(tuple(builder.layers), tuple(builder.links), model=type(module).__name__)


class _GraphBuilder:
    """Listens to a tracer and collects the graph; counts each parameter once."""

    def __init__(self, n_images: int) -> None:
        self.layers: list[LayerNode] = []
        self.links: list[LayerLink] = []
        self._n_images = n_images
        self._counted: set[int] = set()

    def add(self, call: Call) -> None:
        if call.is_block:
            return
        value = call.values[0] if call.values else None
        attributes = settings(call.origin) if isinstance(call.origin, nn.Module) else {}
        if len(call.values) > 1:
            attributes["outputs"] = [further.name for further in call.values[1:]]
        node = LayerNode(
            name=call.name,
            type=call.type,
            role=call.role,
            shape=image_shape(value) if value else (),
            parameters=self._new_parameters(call),
            module=call.module,
            attributes=attributes,
            recordable=value is not None and not unrecordable(value, self._n_images),
        )
        self.layers.append(node)
        self.links += [LayerLink(source, call.name, place) for place, source in enumerate(call.sources)]

    def _new_parameters(self, call: Call) -> int:
        """Return the number of parameters that no earlier layer used; an operation owns those it is called with."""
        if isinstance(call.origin, nn.Module):
            parameters = list(call.origin.parameters())
        else:
            parameters = [tensor for tensor in call.arguments if isinstance(tensor, nn.Parameter)]
        new = {id(parameter): parameter.numel() for parameter in parameters if id(parameter) not in self._counted}
        self._counted |= new.keys()
        return sum(new.values())


def image_shape(value: Value) -> tuple[int, ...]:
    """Return (C, *S) of one image."""
    batch, channel = value.axes
    shape = tuple(value.tensor.shape)
    if len(shape) < 2:
        return shape[1:]
    return (shape[channel], *(size for axis, size in enumerate(shape) if axis not in (batch, channel)))


def unrecordable(value: Value, n_images: int) -> str:
    """Return why the value cannot be recorded as (N, C, *S) real numbers; "" when it can."""
    tensor, axes = value.tensor, value.axes
    shape = tuple(tensor.shape)
    if tensor.is_complex():
        return "its values are complex numbers"
    if tensor.layout is not torch.strided or tensor.is_quantized:
        return "it is a sparse or quantised tensor"
    if tensor.ndim < 2:
        return f"its shape {shape} has no batch and channel axis"
    if shape[axes.batch] != n_images:
        return f"axis {axes.batch} of its shape {shape} does not hold the {n_images} images of the batch"
    return ""


def activation_of(graph: ModelGraph, layer: str) -> str | None:
    """Return the activation that `layer` goes through, directly or behind its norm; None where there is none.

    `layer` holds the pre-activation values, the result the post-activation values. A norm, a dropout in
    eval mode and a reshape on the way are passed; any other layer ends the search.

    Raises
    ------
    LayerNotFoundError
        When the graph has no such layer.
    """
    passed = (LayerRole.NORM, LayerRole.IDENTITY, LayerRole.RESHAPE)
    waiting = list(graph.targets(graph[layer].name))
    while waiting:
        target = graph[waiting.pop(0)]
        if target.role is LayerRole.ACTIVATION:
            return target.name
        if target.role in passed:
            waiting += graph.targets(target.name)
    return None
