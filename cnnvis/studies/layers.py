"""The layers that a study looks at where none is named, and those that there are to choose from."""

from __future__ import annotations

import os
from dataclasses import dataclass

from cnnvis.capture import trace
from cnnvis.core.errors import NoSpatialMapsError
from cnnvis.models import Network, load


def first_convolution(network: Network) -> str:
    """Return the name of the first convolution that gives maps.

    Raises
    ------
    NoSpatialMapsError
        When there is none.
    """
    graph = trace(network)
    convolution = next((layer.name for layer in graph.layers if layer.role == "convolution" and layer.has_maps), None)
    if convolution is None:
        raise NoSpatialMapsError(
            f"{network.name} has no convolution with (channel, row, column) maps. "
            f"Name a layer that gives maps; `cnnvis info {network.name}` lists the layers."
        )
    return convolution


@dataclass(frozen=True, slots=True)
class LayersToShow:
    """The layers of a network whose values are maps.

    Parameters
    ----------
    names : tuple of str
        In the order in which they run.
    texts : tuple of str
        The same with type and shape: "conv1 (Conv2d, 64 x 112 x 112)".
    usual : tuple of str
        Those that are shown unless others are asked for.
    """

    names: tuple[str, ...]
    texts: tuple[str, ...]
    usual: tuple[str, ...]


def layers_to_show(model: str | os.PathLike[str], *, weights: str | os.PathLike[str] | None = None) -> LayersToShow:
    """Return the layers of a model, as for `cnnvis.models.load`, whose values are (channel, row, column) maps.

    Raises
    ------
    CnnvisError
        When it cannot be loaded or traced.
    """
    network = load(model, weights=weights)
    layers = [layer for layer in trace(network).layers if layer.has_maps and layer.recordable]
    names = tuple(layer.name for layer in layers)
    texts = tuple(f"{layer.name} ({layer.type}, {' x '.join(map(str, layer.shape))})" for layer in layers)
    convolutions = (layer.name for layer in layers if layer.role == "convolution")
    return LayersToShow(names, texts, network.default_layers or tuple(list(convolutions)[:1]))
