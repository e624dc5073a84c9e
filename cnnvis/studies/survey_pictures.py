"""The figures, tables and networks that a survey study leaves."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cnnvis.io import save, save_bytes
from cnnvis.io.merges_csv import save_merges
from cnnvis.io.survey_csv import save_channels
from cnnvis.pruning import save_pruned
from cnnvis.report import (
    alignment_figure,
    community_figure,
    convergence_chart,
    group_count_chart,
    merge_curve_chart,
    survey_grid,
    to_png,
)
from cnnvis.report.survey_views import survey_views_page
from cnnvis.studies.image_stream import ImageStream
from cnnvis.studies.survey_results import LayerGroups, SurveyResult
from cnnvis.studies.survey_views import survey_views


def save_figures(result: SurveyResult, out: Path) -> dict[Path, str]:
    """Write the table of a survey and its figures; return the files and what they are."""
    survey = result.survey
    provenance = survey.provenance
    labels = {name: groups.labels for name, groups in result.groups.items()}
    table = save_channels(survey, out / "channels.csv", groups=labels, anomalies=result.anomalies)
    files = {table: "every channel: averages, range, group, anomalies, images that drive it"}
    figures = {"grid.png": (survey_grid(survey, groups=labels), "mean averages of every channel")}
    if survey.convergence is not None and survey.convergence.n_images.size > 1:
        chart = convergence_chart(survey.convergence, provenance=provenance)
        figures["convergence.png"] = (chart, "how far correlations still moved")
    if result.alignment is not None:
        figures["alignment.png"] = (alignment_figure(*result.alignment, provenance=provenance), "how alike layers are")
    for name, groups in result.groups.items():
        title = f"{name}: {groups.labels.size} channels, {counted(groups)}"
        drawn = community_figure(
            groups.similarity, groups.labels, groups.places, groups.weights, title=title, provenance=provenance
        )
        figures[f"groups_{name}.png"] = (drawn, f"{name}: groups of channels that answer to the same images")
        if groups.counts is not None:
            title = f"{name}: groups against the exponent of the weights"
            chart = group_count_chart(groups.counts, survey.grouping.power, title=title, provenance=provenance)
            figures[f"counts_{name}.png"] = (chart, f"{name}: number of groups beside shuffled images")
    for name, (figure, content) in figures.items():
        files[save_bytes(to_png(figure), out / name)] = content
    return files


def save_views(result: SurveyResult, stream: ImageStream | None, out: Path) -> dict[Path, str]:
    """Write the linked views of the survey as a page of their own."""
    text = survey_views_page(survey_views(result, stream))
    return {save_bytes(text.encode("utf-8"), out / "views.html"): "cells, maps, matrix and graph, linked"}


def save_curves(result: SurveyResult, out: Path) -> dict[Path, str]:
    """Write the curve of merging as chart and table, where there is one; return the files and what they are."""
    merging = result.merging
    if merging is None or not merging.curves:
        return {}
    title = f"Accuracy of {result.network.name} while redundant channels are merged, on test images"
    figure = merge_curve_chart(merging.curves, title=title, provenance=result.survey.provenance)
    return {
        save_bytes(to_png(figure), out / "merging.png"): "accuracy against the share of channels merged",
        save(merging.curves, out / "merging.csv"): "the same as a table",
    }


def save_smaller(result: SurveyResult, out: Path) -> dict[Path, str]:
    """Write the smaller network and what was merged, where there is one; return the files and what they are.

    Raises
    ------
    InvalidInputError
        When torch cannot export it.
    """
    merged = None if result.merging is None else result.merging.merged
    if merged is None:
        return {}
    what = (f"the network with {len(merged.merges):,} channels merged", "its weights", "what was merged into what")
    files = dict(zip(save_pruned(merged.pruned, out / "merged"), what, strict=True))
    table = save_merges(merged.merges, out / "merges.csv")
    return files | {table: "every merge: what took over, and its error at padded borders"}


def counted(groups: LayerGroups) -> str:
    """Return how many groups there are, in words."""
    alone = int((np.bincount(groups.labels) == 1).sum())
    some = f"{groups.n_groups} group{'' if groups.n_groups == 1 else 's'}"
    return f"{some}, {alone} in none" if alone else some
