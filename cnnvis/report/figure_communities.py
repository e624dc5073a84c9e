"""Groups of similar channels: the correlation matrix in the order of the groups, and the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import GroupCounts
from cnnvis.core.palette import group_colour
from cnnvis.core.provenance import Provenance
from cnnvis.report.chart import LineLook, add_axes, draw_sample
from cnnvis.report.parts import HEADER_HEIGHT, LEGEND_HEIGHT, draw_header, draw_legend, draw_panel_title
from cnnvis.report.scale import ColourScale
from cnnvis.report.sheet import Sheet
from cnnvis.report.style import CHART_STYLE, INK, MARGIN, QUIET, WIDTH

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = 700
"""Pixels of a side of the matrix."""

STRIPE = 18
MOST_LINKS = 600
"""Links drawn, the heaviest ones: more are a grey disc."""

CHANCE = LineLook(QUIET, dash="--")
FOUND = LineLook(group_colour(0), "o")
MODULARITY = LineLook(group_colour(3), "s")


def community_figure(
    similarity: NDArray[np.float64],
    labels: NDArray[np.int64],
    places: NDArray[np.float64],
    weights: NDArray[np.float64],
    *,
    title: str = "",
    provenance: Provenance | None = None,
) -> Figure:
    """Return the matrix of similarities in the order of the groups, and beside it the graph.

    Parameters
    ----------
    similarity, weights : (C, C) ndarray
        As `cnnvis.similarity` and `cnnvis.analysis.link_weights` give them.
    labels : (C,) ndarray of int
        From `cnnvis.communities`.
    places : (C, 2) ndarray
        From `cnnvis.layout.force_layout`.
    title : str
    provenance : Provenance, optional
    """
    sheet = Sheet(WIDTH, HEADER_HEIGHT + 60 + SIDE + 30 + LEGEND_HEIGHT)
    n_groups = int((np.bincount(labels) > 1).sum())
    draw_header(sheet, title or f"{labels.size} channels in {n_groups} groups", provenance or Provenance())
    left, top = MARGIN + STRIPE + 6, HEADER_HEIGHT + 60
    draw_panel_title(sheet, (left, HEADER_HEIGHT), "correlation, by group", groups=None, room=SIDE)
    scale = ColourScale.of([similarity], limits=(-1.0, 1.0))
    order = np.argsort(labels, kind="stable")
    pixels = (np.arange(SIDE) * labels.size // SIDE).astype(int)
    sheet.paste(left, top, scale.rgb(similarity[np.ix_(order, order)][np.ix_(pixels, pixels)]))
    drawn = _colours(labels)
    for row, channel in enumerate(order[pixels]):
        sheet.fill(MARGIN, top + row, STRIPE, 1, colour=drawn[channel])
    right = left + SIDE + 60
    draw_panel_title(sheet, (right, HEADER_HEIGHT), "who goes with whom", groups=labels, room=WIDTH - MARGIN - right)
    draw_legend(
        sheet,
        sheet.height - LEGEND_HEIGHT,
        scale,
        quantity="correlation",
        notes=[f"graph: the {MOST_LINKS} heaviest links at most", "grey: in no group"],
    )
    figure = sheet.figure()
    _draw_graph(figure, sheet, (right, top, WIDTH - MARGIN - right, SIDE), places, weights, drawn)
    return figure


def _colours(labels: NDArray[np.int64]) -> list[tuple[float, float, float]]:
    """Return a colour per channel; groups of one are grey."""
    sizes = np.bincount(labels)
    return [group_colour(int(label) if sizes[label] > 1 else -1) for label in labels]


def _draw_graph(
    figure: Figure,
    sheet: Sheet,
    box: tuple[float, float, float, float],
    places: NDArray[np.float64],
    weights: NDArray[np.float64],
    colours: list[tuple[float, float, float]],
) -> None:
    from matplotlib import rc_context
    from matplotlib.collections import LineCollection

    with rc_context(CHART_STYLE):
        axes = add_axes(figure, sheet, box)
        axes.set_axis_off()
        axes.set_aspect("equal")
        rows, columns = np.triu_indices(len(weights), k=1)
        size = weights[rows, columns]
        heaviest = np.argsort(-size, kind="stable")[:MOST_LINKS]
        heaviest = heaviest[size[heaviest] > 0]
        lines = np.stack([places[rows[heaviest]], places[columns[heaviest]]], axis=1)
        strength = size[heaviest] / max(size.max(initial=0.0), 1e-12)
        grey = np.column_stack([np.full((heaviest.size, 3), 0.4), 0.1 + 0.5 * strength])
        axes.add_collection(LineCollection(lines, colors=grey, linewidths=0.6 + 1.2 * strength))
        marker = np.clip(9000 / len(places), 14, 120)
        axes.scatter(places[:, 0], places[:, 1], s=marker, c=colours, edgecolors=[INK], linewidths=0.4, zorder=2)
        axes.autoscale_view()


def group_count_chart(
    counts: GroupCounts, used: float, *, title: str = "", provenance: Provenance | None = None
) -> Figure:
    """Return the number of groups and their modularity against the exponent of the weights, beside shuffled images.

    Parameters
    ----------
    counts : GroupCounts
        From `cnnvis.analysis.group_counts`.
    used : float
        The exponent that the groups were found with, which is marked.
    title : str
    provenance : Provenance, optional
    """
    sheet = Sheet(WIDTH, 640)
    draw_header(sheet, title or "Groups against the exponent of the weights", provenance or Provenance())
    figure = sheet.figure()
    from matplotlib import rc_context

    panels = (
        ("groups of two channels and more", counts.found, counts.null_found, FOUND),
        ("modularity", counts.modularity, counts.null_modularity, MODULARITY),
    )
    width = (WIDTH - 2 * MARGIN - 3 * 90) / 2
    for number, (name, found, null, look) in enumerate(panels):
        left = MARGIN + 90 + number * (width + 90)
        with rc_context(CHART_STYLE):
            axes = add_axes(figure, sheet, (left, HEADER_HEIGHT + 60, width, 340))
            axes.fill_between(counts.exponents, null.min(axis=0), null.max(axis=0), color=QUIET, alpha=0.2, linewidth=0)
            axes.plot(counts.exponents, null.mean(axis=0), **CHANCE.style())
            axes.plot(counts.exponents, found, **look.style())
            axes.axvline(used, color=INK, linewidth=1, alpha=0.6, zorder=0)
            axes.set_ylim(bottom=0)
            axes.set_xscale("log")
            axes.set_xticks(counts.exponents, [f"{exponent:g}" for exponent in counts.exponents])
            axes.minorticks_off()
            axes.set_xlabel(f"exponent; {used:g} was used")
            axes.set_ylabel(name)
        draw_sample(figure, (left, HEADER_HEIGHT + 26), look.style())
        figure.axes[0].text(left + 96, HEADER_HEIGHT + 26, "as it is", va="center_baseline")
        draw_sample(figure, (left + 220, HEADER_HEIGHT + 26), CHANCE.style())
        figure.axes[0].text(left + 316, HEADER_HEIGHT + 26, "images shuffled, least to most", va="center_baseline")
    return figure
