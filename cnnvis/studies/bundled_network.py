"""A whole network as bundled lines: from the module to one object with links, places, lines and figures.

`build` needs no files, for scripts, notebooks and the viewer; `run` leaves pictures and a report as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.attribution import connect, unit_importance
from cnnvis.capture import trace
from cnnvis.core import BundledNetwork, EdgeSet, Importance, Layout, PolylineSet, Provenance
from cnnvis.layout import advect_units, bundle, measure, place, random_network, straight_lines
from cnnvis.models import Network
from cnnvis.studies.bundle_results import DrawingOptions
from cnnvis.studies.stages import Stages

OnStep = Callable[[str, PolylineSet], None]
"""Called as on_step(name, lines) with the lines of each step: "unbundled", "units moved", "iteration 1" ..."""


def build(
    network: Network,
    scores: Importance | None = None,
    options: DrawingOptions | None = None,
    *,
    stages: Stages | None = None,
    on_step: OnStep | None = None,
) -> BundledNetwork:
    """Return a network with its units placed and its links bundled, and how far the bundles can be trusted.

    Parameters
    ----------
    network : Network
    scores : Importance, optional
        Of its units; of layers without any, all units count alike. With scores by class, links are bundled by class.
        `cnnvis.studies.unit_scores.score_units` finds or makes some.
    options : DrawingOptions, optional
        The same options give networks of the same architecture the same places, so that pictures can be compared.
    stages : Stages, optional
        Measures the stages, and is told how far they are; raise CancelledError there to stop.
    on_step : callable, optional
        Handed the lines of each step; without it only the last are kept.

    Returns
    -------
    BundledNetwork
        `parameters` has all options by name, "importance" for the method, and "edges" for how many links are drawn.

    Raises
    ------
    CnnvisError
        Of the step that failed; the network is as it was.
    """
    options, stages = options or DrawingOptions(), stages or Stages()
    with stages("links"):
        graph = trace(network)
        edges = connect(network, scores, top_k=options.top_k, prune_percentage=options.prune_percentage)
        importance, profiles = unit_importance(edges.units, scores)
    drawn = BundledNetwork(
        edges,
        place(edges, **_placing(options)),
        PolylineSet.empty(),
        importance=importance,
        profiles=profiles,
        class_names=scores.class_names or () if scores is not None else (),
        graph=graph,
        parameters=_parameters(options, edges, scores),
        provenance=network.provenance(),
    )


def build_random(
    sizes: Sequence[int],
    options: DrawingOptions | None = None,
    *,
    random_state: int = 0,
    stages: Stages | None = None,
    on_step: OnStep | None = None,
) -> BundledNetwork:
    """Return a random network of the given layer sizes as `build` does; see `cnnvis.layout.random_network`."""
