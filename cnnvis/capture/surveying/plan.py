"""What a survey reads of a network: which value stands for each layer, and how many channels it has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cnnvis.capture.graph import activation_of, trace
from cnnvis.capture.inputs import ForwardCall, as_module
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.state import evaluating
from cnnvis.capture.surveying.options import SurveyOptions
from cnnvis.core import LayerRole, ModelGraph, Signal
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.unit_layers import unit_layers


@dataclass(frozen=True, slots=True)
class SurveyPlan:
    """What is read of each image.

    Parameters
    ----------
    values : mapping of str to str
        By layer: the layer whose values are read.
    types : mapping of str to str
        By layer: what gives these values, such as "ReLU".
    channels : mapping of str to int
        By layer: number of channels.
    n_scores : int
        Class scores that the network returns; 0 when it returns no such table.
    n_classes : int
        `n_scores` where images have labels, else 0.
    options : SurveyOptions
    """

    values: Mapping[str, str]
    types: Mapping[str, str]
    channels: Mapping[str, int]
    n_scores: int
    n_classes: int
    options: SurveyOptions


def make_plan(
    model: Any,
    example: ForwardCall,
    layers: str | Iterable[str] | None,
    options: SurveyOptions,
    *,
    has_labels: bool,
) -> SurveyPlan:
    """Return what to read, from one run on `example`.

    Raises
    ------
    LayerNotFoundError
        For a name or glob that fits no layer.
    InvalidInputError
        When there is no layer to survey, or labels but no class scores.
    """
    graph = trace(model, example.kwargs or example.args)
    names = _chosen(graph, layers)
    values = {name: signal_of(graph, name, options.signal) for name in names}
    n_scores = _n_scores(model, example)
    return SurveyPlan(
        values=values,
        types={name: graph[value].type for name, value in values.items()},
        channels={name: graph[value].channels for name, value in values.items()},
        n_scores=n_scores,
        n_classes=n_scores if has_labels else 0,
        options=options,
    )


def _chosen(graph: ModelGraph, layers: str | Iterable[str] | None) -> list[str]:
    """Return the layers to survey, in order of execution: those named, else all with units."""
    with_units = [layer.name for layer in unit_layers(graph)]
    if layers is None:
        chosen = with_units
    else:
        patterns = [layers] if isinstance(layers, str) else list(layers)
        named = {name for pattern in patterns for name in _matching(graph, pattern, with_units)}
        chosen = [name for name in graph.names if name in named]
    if not chosen:
        raise InvalidInputError("There is no layer to survey: no convolution and no dense layer. Name layers.")
    return chosen


def _matching(graph: ModelGraph, pattern: str, with_units: list[str]) -> list[str]:
    """Return what `pattern` names: a glob takes convolutions and dense layers where it fits any, a name what it is."""
    found = graph.match(pattern)
    if pattern in graph:
        return list(found)
    return [name for name in found if name in with_units] or [name for name in found if graph[name].recordable]


def signal_of(graph: ModelGraph, layer: str, signal: Signal) -> str:
    """Return the layer whose values are the signal of `layer`; `layer` itself where nothing belongs to it.

    Before the activation: the norm that the layer alone feeds. Behind it: the activation, else the same.

    Raises
    ------
    LayerNotFoundError
        When the graph has no such layer.
    """
    activation = activation_of(graph, layer) if signal is Signal.POST else None
    if activation is not None:
        return activation
    targets = graph.targets(layer)
    is_normed = len(targets) == 1 and graph[targets[0]].role is LayerRole.NORM
    return targets[0] if is_normed else graph[layer].name


def _n_scores(model: Any, example: ForwardCall) -> int:
    module = as_module(model)
    with evaluating(ModuleTree(module)), torch.no_grad():
        example = example.copy()
        output = module(*example.args, **example.kwargs)
    is_table = isinstance(output, Tensor) and output.ndim == 2 and output.shape[0] == example.n_images
    return int(output.shape[1]) if is_table else 0
