"""Edge compactness of kinds of networks, beside permuted importances and beside accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import CompactnessRuns, Provenance
from cnnvis.core.errors import InvalidInputError
from cnnvis.report.chart import SAMPLE_WIDTH, LineLook, add_axes, draw_sample, line_looks
from cnnvis.report.parts import HEADER_HEIGHT, draw_header
from cnnvis.report.sheet import Sheet, shortened, text_width
from cnnvis.report.style import CHART_STYLE, INK, MARGIN, PANEL, QUIET, WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL_HEIGHT, TITLE_HEIGHT, AXIS_HEIGHT, KEY_HEIGHT = 480, 52, 96, 96
LEFT, GAP = MARGIN + 92, 64
"""Pixels left of the first panel, and between panels."""

SIDE = 0.17
"""How far a kind's networks stand to the left of its tick, and their controls to the right."""


def compactness_chart(
    runs: Sequence[CompactnessRuns], *, title: str = "Edge compactness", provenance: Provenance | None = None
) -> Figure:
    """Return the compactness of each kind with its permuted controls, and against accuracy and train-test gap.

    Parameters
    ----------
    runs : sequence of CompactnessRuns
        One per kind of network, of as many training seeds.
    title : str
    provenance : Provenance, optional

    Returns
    -------
    Figure
        First panel: filled marks are networks, open ones the mean of their controls, bars the means of each. A line
        joins a network with its control. Then the networks against their accuracy on held-out images and, where it
        is known for all, against the train-test gap. All panels share the upright axis.

    Raises
    ------
    InvalidInputError
        When there is no kind.
    """
    if not runs:
        raise InvalidInputError("No compactness to draw; give at least one kind of network.")
    looks = list(line_looks([f"kind {number}" for number in range(len(runs))]).values())
    panels = [("by kind, with permuted importances", None), ("against accuracy", [one.test_accuracy for one in runs])]
    gaps = [one.gap for one in runs if one.gap is not None]
    if len(gaps) == len(runs):
        panels.append(("against train-test gap", gaps))
    sheet = Sheet(WIDTH, HEADER_HEIGHT + TITLE_HEIGHT + PANEL_HEIGHT + AXIS_HEIGHT + KEY_HEIGHT)
    draw_header(sheet, title, provenance or Provenance())
    boxes = _boxes(len(panels))
    for (name, _), box in zip(panels, boxes, strict=True):
        sheet.text(box[0], HEADER_HEIGHT + TITLE_HEIGHT / 2 - 4, name, size=PANEL, bold=True, room=box[2])
    samples = _write_key(sheet, [one.kind for one in runs])
    figure = sheet.figure()
    from matplotlib import rc_context

    with rc_context(CHART_STYLE):
        axes = [add_axes(figure, sheet, box) for box in boxes]
        _draw_kinds(axes[0], runs, looks)
        axes[0].set_xticks(range(len(runs)), [shortened(one.kind, boxes[0][2] / len(runs) - 16) for one in runs])
        for (name, values), panel in zip(panels[1:], axes[1:], strict=True):
            _draw_scatter(panel, runs, values or [], looks)
            panel.set_xlabel("accuracy on held-out images" if "gap" not in name else "training less held-out accuracy")
            panel.set_ylim(axes[0].get_ylim())
    for place, look in zip(samples, looks, strict=True):
        draw_sample(figure, place, {**look.style(), "linewidth": 0})
    return figure


def _boxes(n: int) -> list[tuple[float, float, float, float]]:
    """Return the frames of the panels, the first wider by a half."""
    room = WIDTH - LEFT - MARGIN - (n - 1) * GAP
    part = room / (n + 0.5)
    widths = [1.5 * part] + [part] * (n - 1)
    lefts = [LEFT + sum(widths[:number]) + number * GAP for number in range(n)]
    return [(x, HEADER_HEIGHT + TITLE_HEIGHT, width, PANEL_HEIGHT) for x, width in zip(lefts, widths, strict=True)]


def _write_key(sheet: Sheet, kinds: Sequence[str]) -> list[tuple[float, float]]:
    """Write the names of the kinds and what the marks are; return where the marks of the kinds go."""
    y, x = sheet.height - 72, LEFT
    places = []
    room = (WIDTH - LEFT - MARGIN) / len(kinds)
    for kind in kinds:
        places.append((x, y))
        sheet.text(x + SAMPLE_WIDTH, y, kind, room=room - SAMPLE_WIDTH - 16)
        x += min(room, SAMPLE_WIDTH + text_width(kind) + 48)
    note = "filled: networks of one training seed each; open: the same with importances permuted; bars: means"
    sheet.text(LEFT, sheet.height - 32, note, colour=QUIET, room=WIDTH - LEFT - MARGIN)
    return places


def _draw_kinds(axes: Axes, runs: Sequence[CompactnessRuns], looks: Sequence[LineLook]) -> None:
    for place, (one, look) in enumerate(zip(runs, looks, strict=True)):
        for x, values, filled in ((place - SIDE, one.values, True), (place + SIDE, one.control, False)):
            axes.plot(np.full(values.size, x), values, **_marks(look, filled=filled))
            axes.plot([x - 0.1, x + 0.1], [values.mean()] * 2, color=INK, linewidth=2)
        for pair in zip(one.values, one.control, strict=True):
            axes.plot([place - SIDE, place + SIDE], pair, color=look.colour, linewidth=0.7, zorder=1)
    axes.set_xlim(-0.5, len(runs) - 0.5)
    axes.grid(axis="x", visible=False)
    axes.set_ylabel("edge compactness (1: as straight lines)")


def _draw_scatter(
    axes: Axes, runs: Sequence[CompactnessRuns], across: Sequence[NDArray[np.float64]], looks: Sequence[LineLook]
) -> None:
    for one, values, look in zip(runs, across, looks, strict=True):
        axes.plot(values, one.values, **_marks(look, filled=True))
    axes.xaxis.set_major_formatter("{x:.0%}")
    axes.margins(x=0.12)
    axes.tick_params(axis="y", labelleft=False)


def _marks(look: LineLook, *, filled: bool) -> dict[str, object]:
    style = look.style()
    face = style["color"] if filled else "white"
    return {**style, "linestyle": "none", "markersize": 8, "markerfacecolor": face}
