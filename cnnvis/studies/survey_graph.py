"""The channels of a surveyed layer as a graph in space: what page, window and notebook show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from cnnvis.analysis.grouping import grouped, likeness, linked
from cnnvis.core import ChannelGraph, Survey
from cnnvis.core.progress import Progress, silent
from cnnvis.layout import channel_graph
from cnnvis.rendering import export_html, render
from cnnvis.scene import Scene, SceneGrid
from cnnvis.studies.survey_results import SurveyResult

SIZE = (1100, 760)
"""Pixels of the picture."""


def survey_graph(
    survey: Survey,
    layer: str,
    labels: ArrayLike | None = None,
    *,
    progress: Progress = silent,
) -> ChannelGraph:
    """Return the channels of a layer in space, those near each other that answer to the same images.

    `cnnvis.Scene.of_graph` draws it.

    Parameters
    ----------
    survey : Survey
        Of two images at least.
    layer : str
    labels : (C,) array_like of int, optional
        Groups; default: those by the survey's `grouping`, which links are weighed by as well.
    progress : callable
        As for `force_layout`.

    Returns
    -------
    ChannelGraph
        Balls are as large as the averages of their channels vary from image to image.

    Raises
    ------
    LayerNotFoundError
        For a layer that was not surveyed.
    InvalidInputError
        For a survey of one image, and labels that do not fit.
    """
    rule = survey.grouping
    alike = likeness(survey[layer], rule)
    found = grouped(alike, rule) if labels is None else labels
    return _graph(survey, layer, linked(alike, rule), found, random_state=rule.random_state, progress=progress)


def _graph(survey: Survey, layer: str, weights: ArrayLike, labels: ArrayLike, **options: Any) -> ChannelGraph:
    graph = channel_graph(weights, labels, survey[layer].std, layer=layer, **options)
    return replace(graph, measured="spread of averages over images", provenance=survey.provenance)


def save_graphs(result: SurveyResult, out: Path) -> dict[Path, str]:
    """Write the graphs of all layers as one page that turns in a browser, the widest layer first, and its picture."""
    if not result.groups:
        return {}
    widest = max(result.groups, key=lambda layer: result.groups[layer].labels.size)
    layers = [widest, *(layer for layer in result.groups if layer != widest)]
    scenes = []
    for layer in layers:
        groups = result.groups[layer]
        seed = result.survey.grouping.random_state
        graph = _graph(result.survey, layer, groups.weights, groups.labels, random_state=seed)
        scenes.append(Scene.of_graph(graph))
    picture, page = out / "graph.png", out / "graphs.html"
    render(scenes[0], picture, size=SIZE)
    for layer, scene in zip(layers, scenes, strict=True):
        scene.title = layer  # the page has a button for each
    export_html(SceneGrid(scenes, link=()) if len(scenes) > 1 else scenes[0], page)
    return {picture: f"{widest}: who is like whom, in space", page: "the same of all layers, to be turned"}
