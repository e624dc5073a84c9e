"""What `Scene.add_graph` makes of the channels of a layer: balls, the tubes between them, and the state that suits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import ChannelGraph, PointSet, PolylineSet

BALL = 0.24
"""Radius of the largest ball, in the distance that C channels have who fill the unit ball evenly: C^(-1/3)."""

SMALLEST = 0.3
"""Radius of a ball of size 0, in that of the largest."""

TUBE, THINNEST = 0.4, 0.15
"""Radius of the strongest link, in that of the largest ball; that of a link of next to no weight, in that of the
strongest. Links are as opaque as they are thick."""

SOLID = {"depth_opacity": 0.2, "depth_exponent": 0.0, "light": 0.6}
"""Of balls: tubes that end in one are not seen inside it, and shading makes it round."""

GRAPH_AZIMUTH, GRAPH_ELEVATION = 28.0, -18.0
"""Of the camera, degrees: along no axis, a little from above."""


def channels_to_show(graph: ChannelGraph) -> tuple[PointSet, dict[str, Any]]:
    """Return the balls of a graph, and the state that suits them: opaque, coloured by group."""
    arrays: dict[str, NDArray[Any]] = {
        "unit": np.arange(len(graph)),
        "importance": (SMALLEST + (1 - SMALLEST) * graph.sizes).astype(np.float32),
        "class_shares": graph.shares,
    }
    look = {"size": _ball(graph), "importance_opacity": 0.0, "importance_threshold": 0.0} | SOLID
    return PointSet(graph.places.astype(np.float32), arrays), _of_groups(graph) | look | {"measured": "size"}


def links_to_show(graph: ChannelGraph) -> tuple[PolylineSet, dict[str, Any]]:
    """Return the tubes of a graph, and the state that suits them: the heavier a link, the thicker and fuller."""
    ends = np.stack([graph.links.source, graph.links.target], axis=1)
    weight = graph.links.weight / (graph.links.weight.max(initial=0.0) or 1.0)
    strength = (THINNEST + (1 - THINNEST) * weight).astype(np.float32)
    lines = PolylineSet(
        graph.places[ends].reshape(-1, 3).astype(np.float32),
        np.arange(len(ends) + 1) * 2,
        {
            "t": np.tile(np.array([0, 1], np.float32), len(ends)),
            "importance": np.repeat(strength, 2),
            "class_shares": graph.shares[ends].reshape(2 * len(ends), graph.n_groups),
        },
        {
            "source": graph.links.source,
            "target": graph.links.target,
            "weight": graph.links.weight,
            "importance": strength,
        },
    )
    look = {"size": TUBE * _ball(graph), "importance_opacity": 1.0, "importance_threshold": 0.0}
    look |= {"depth_opacity": 0.3, "light": 0.6}
    return lines, _of_groups(graph) | look | {"measured": "strength", "caption": _caption(graph)}


def _ball(graph: ChannelGraph) -> float:
    return float(BALL * max(len(graph), 1) ** (-1 / 3))


def _of_groups(graph: ChannelGraph) -> dict[str, Any]:
    grouped = {"class_names": graph.group_names, "shown_class": "all"} if graph.n_groups else {}
    return grouped | {"class_title": "group", "layers": (graph.layer,), "layer_sizes": (len(graph),)}


def _caption(graph: ChannelGraph) -> str:
    """Return what is drawn, in words: how many of the links, what the balls are as large by, what is grey."""
    alone = int((np.bincount(graph.labels) == 1).sum())
    said = [graph.links.caption.replace("edges", "links")]
    said += [f"balls: {graph.measured}"] if np.ptp(graph.sizes) else []
    said += [f"grey: {alone} in no group"] if alone else []
    return " · ".join(said)


def graph_state(graph: ChannelGraph) -> dict[str, Any]:
    """Return title and camera of the scene of a graph."""
    groups = "1 group" if graph.n_groups == 1 else f"{graph.n_groups} groups"
    parts = (graph.provenance.caption, graph.layer, f"{len(graph)} channels in {groups}")
    camera = {"azimuth": GRAPH_AZIMUTH, "elevation": GRAPH_ELEVATION}
    return {"title": " · ".join(part for part in parts if part), "camera": camera}


def group_labels(graph: ChannelGraph) -> tuple[NDArray[np.float64], list[str]]:
    """Return a place for the number of each group of two channels and more, (G, 3), and the numbers.

    They stand outside, beyond the group as seen from the middle of all, where balls seldom hide them.
    """
    places = []
    for label in range(graph.n_groups):
        members = graph.places[graph.labels == label]
        middle = members.mean(axis=0)
        outwards = middle / max(float(np.linalg.norm(middle)), 1e-9)
        places.append(outwards * (float((members @ outwards).max()) + 2 * _ball(graph)))
    return np.reshape(places, (-1, 3)), [str(label) for label in range(graph.n_groups)]
