"""The same network with its layers nearer together or farther apart: nothing is bundled anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cnnvis.core import BundledNetwork
from cnnvis.core.checks import require_number
from cnnvis.layout.placement import LONGEST


def with_layer_distance(network: BundledNetwork, distance: float) -> BundledNetwork:
    """Return the network with its layers nearer together or farther apart, the lines stretched with them.

    The lines are those that were bundled at the old distance: bundling at the new one would bend them a little
    differently. `quality` is left out, since lengths and ink change; `cnnvis.layout.measure` tells it anew.

    Parameters
    ----------
    network : BundledNetwork
    distance : float, scene units
        Above 0, at most 10. A network of one layer stays as it is.

    Notes
    -----
    Cost: O(points).
    """
    require_number("with_layer_distance: distance", distance, 0, LONGEST, above=True)
    before = network.layout.distance
    if before in (0, distance):
        return network
    layout, lines = network.layout, network.lines
    stretch = np.array([1.0, 1.0, distance / before])
    slabs = layout.slabs * stretch
    return replace(
        network,
        layout=replace(layout, positions=layout.positions * stretch, slabs=slabs),
        lines=replace(lines, points=lines.points * stretch.astype(np.float32)),
        parameters={**network.parameters, "layer_distance": distance},
        quality=None,
    )
