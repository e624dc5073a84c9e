"""Whether links between units excite or inhibit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.attribution._layer_links import sums_of
from cnnvis.capture import trace
from cnnvis.capture.wiring import wiring
from cnnvis.core import EdgeSet
from cnnvis.core.errors import InvalidInputError


def link_signs(model: Any, edges: EdgeSet, *, example: Any = None) -> NDArray[np.float64]:
    """Return the sign of each link: that of the sum of all weights through which its source enters its target.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
    edges : EdgeSet
        Links of this network, as `connect` returns them without `fold`.
    example : tensor, tuple or dict, optional
        Input of one forward pass; a Network brings its own.

    Returns
    -------
    (E,) float64
        -1, 0 or 1; 1 where no weight is known, 0 where they cancel.

    Raises
    ------
    InvalidInputError
        When the links are not those of this network.
    """
    graph = trace(model, example)
    units = graph.units
    if edges.units is None or edges.units.parts != units.parts:
        raise InvalidInputError(
            "link_signs: these links are not between the units of this network. Pass cnnvis.connect's."
        )
    signs = np.ones(len(edges))
    layer_of_target = units.layer_of(edges.target)
    for reading in wiring(model, graph, example).readings:
        span = units.range(reading.layer)
        own = np.flatnonzero(layer_of_target == units.layers.index(reading.layer))
        found = sums_of(reading, range(span.start, span.stop))
        keys = found.source * len(units) + found.target
        order = np.argsort(keys)
        place = np.searchsorted(keys[order], edges.source[own] * len(units) + edges.target[own])
        signs[own] = np.sign(found.weight[order[place]])
    return signs
