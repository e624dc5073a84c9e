"""The layer that a study looks at where none is named."""

from __future__ import annotations

from cnnvis.capture import trace
from cnnvis.core.errors import NoSpatialMapsError
from cnnvis.models import Network


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
