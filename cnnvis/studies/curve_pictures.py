"""Figures and tables of the study of importance curves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cnnvis.core import Provenance
from cnnvis.io import save, save_bytes
from cnnvis.report import (
    agreement_matrix_figure,
    area_chart,
    class_curve_chart,
    importance_bars,
    importance_grid,
    prune_curve_chart,
    to_png,
)
from cnnvis.studies.curve_results import SETTING_TITLES, CurvePart

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Drawn = Iterator[tuple[str, "Figure", str]]
"""Name of a picture's file, the picture, and what it shows; one at a time, since a figure takes memory."""


def checkpoint_of(folder: Path, number: int) -> Path:
    """Return the file that keeps the trained scales of a network, so that an interrupted study goes on from there."""
    return folder / f"batchnorm_{number}.safetensors"


def save_part(part: CurvePart) -> dict[Path, str]:
    """Write the tables and draw the figures of one kind of network."""
    files = {}
    for method, scores in part.networks[0].scores.items():
        path = save(scores, part.folder / f"importance_{method}.csv")
        files[path] = f"{part.network.name}: scores of every unit by {method}"
    for number, one in enumerate(part.networks):
        if "batchnorm" in one.scores:
            files[checkpoint_of(part.folder, number)] = (
                f"{one.network.name}: scales trained by batchnorm, to go on from"
            )
    for setting in part.networks[0].curves:
        path = save(part.gathered(setting), part.folder / f"curves_{setting}.csv")
        files[path] = f"{part.network.name}: {_lower(SETTING_TITLES[setting])}, all curves"
    if part.variants:
        path = save(dict(part.variants), part.folder / "curves_variants.csv")
        files[path] = f"{part.network.name}: links removed by variants of batch norm, all curves"
    for name, figure, content in _figures(part):
        path = save_bytes(to_png(figure), part.folder / name)
        files[path] = f"{part.network.name}: {content}"
    return files


def _figures(part: CurvePart) -> Drawn:
    for setting in part.networks[0].curves:
        yield from _curve_figures(part, setting)
    for setting in part.networks[0].class_curves:
        runs = [network.class_curves[setting] for network in part.networks]
        content = f"classes pruned by their own importance, {_lower(SETTING_TITLES[setting])}"
        yield f"classes_{setting}.png", class_curve_chart(runs, provenance=_origin(part)), content
    yield from _score_figures(part)
    if part.variants:
        title = "Links removed by variants of batch norm"
        yield "variants.png", prune_curve_chart(part.variants, title=title, provenance=_origin(part)), title


def _curve_figures(part: CurvePart, setting: str) -> Drawn:
    origin, title, curves = _origin(part), SETTING_TITLES[setting], part.gathered(setting)
    accuracy = prune_curve_chart(curves, title=title, provenance=origin)
    yield f"curves_{setting}.png", accuracy, f"accuracy, {_lower(title)}"
    loss = prune_curve_chart(curves, measure="loss", title=title, provenance=origin)
    yield f"loss_{setting}.png", loss, f"loss, {_lower(title)}"
    comparisons = part.comparisons[setting]
    if len(part.networks) > 1 and comparisons:
        chart = area_chart(comparisons, title=title, provenance=origin)
        yield f"differences_{setting}.png", chart, f"differences in area with intervals, {_lower(title)}"


def _score_figures(part: CurvePart) -> Drawn:
    first, layer, origin = part.networks[0], part.filters.layer, _origin(part)
    if part.agreement is not None:
        figure = agreement_matrix_figure(part.agreement, provenance=origin)
        yield "agreement.png", figure, "rank correlation between methods"
    bars = importance_bars(first.scores, layer, provenance=origin)
    yield "importance_bars.png", bars, f"importance of {layer} by every method, as bars"
    grid = importance_grid(first.scores, layer, provenance=origin)
    yield "importance_grid.png", grid, f"importance of {layer} by every method, as a grid"


def _origin(part: CurvePart) -> Provenance:
    """Return what a figure of all networks says about where it comes from."""
    n = len(part.networks)
    name = part.network.name + (f" and {n - 1} more training seeds" if n > 1 else "")
    images = f"{len(part.testing.labels)} test images"
    return Provenance(model=name, weights=part.network.weights, inputs=(images,))


def _lower(title: str) -> str:
    return title[0].lower() + title[1:]
