"""Which orders of pruning differ beyond what the training seeds do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from cnnvis.core.curves import CurveComparison
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.provenance import Provenance
from cnnvis.report.chart import add_axes
from cnnvis.report.parts import HEADER_HEIGHT, draw_header
from cnnvis.report.sheet import Sheet, shortened
from cnnvis.report.style import ACCENT, CHART_STYLE, INK, MARGIN, QUIET, WIDTH, minus

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW_HEIGHT, AXIS_HEIGHT, NOTES_HEIGHT = 64, 84, 56
NAME_WIDTH, NOTE_WIDTH = 460, 420
SEEDS_BELOW = 0.27
"""How far below their mean the training seeds are drawn, in rows."""


def area_chart(
    comparisons: Mapping[str, CurveComparison], *, title: str = "", provenance: Provenance | None = None
) -> Figure:
    """Return the paired differences between orders of pruning with their intervals, about a zero line.

    Parameters
    ----------
    comparisons : mapping of str to CurveComparison
        By the name to show, "gradient − random"; of one measure and level.
    title : str
    provenance : Provenance, optional

    Returns
    -------
    Figure
        One row each: small points are training seeds, the diamond is their mean, the bar its interval. The diamond is
        filled where the interval leaves 0 out.

    Raises
    ------
    InvalidInputError
        When there is none, or they are of several measures or levels.
    """
    values = list(comparisons.values())
    if len({(one.measure, one.level) for one in values}) != 1:
        raise InvalidInputError("A chart of differences needs at least one comparison, all of one measure and level.")
    measure, level = values[0].measure, values[0].level
    rows = len(values) * ROW_HEIGHT
    sheet = Sheet(WIDTH, HEADER_HEIGHT + rows + AXIS_HEIGHT + NOTES_HEIGHT)
    draw_header(sheet, title or f"Differences in {_measured(measure)}", provenance or Provenance())
    for row, one in enumerate(values):
        y = HEADER_HEIGHT + (row + 0.5) * ROW_HEIGHT
        sheet.text(WIDTH - MARGIN - NOTE_WIDTH + 30, y, _difference_note(one), bold=one.is_clear)
    note = f"small: training seeds; diamond: mean; bar: {level:.0%} interval of the mean; filled, bold: it leaves 0 out"
    sheet.text(MARGIN, sheet.height - 34, note, colour=QUIET, room=WIDTH - 2 * MARGIN)
    figure = sheet.figure()
    from matplotlib import rc_context

    with rc_context(CHART_STYLE):
        box = (MARGIN + NAME_WIDTH, HEADER_HEIGHT, WIDTH - 2 * MARGIN - NAME_WIDTH - NOTE_WIDTH, rows)
        axes = add_axes(figure, sheet, box)
        _draw_differences(axes, values)
        axes.set_yticks(range(len(values)), [shortened(name, NAME_WIDTH - 24) for name in comparisons])
        axes.set_xlabel(f"difference in {_measured(measure)}")
    return figure


def _draw_differences(axes: Axes, values: Sequence[CurveComparison]) -> None:
    axes.axvline(0, color=INK, linewidth=1)
    for row, one in enumerate(values):
        axes.plot(one.differences, np.full(one.differences.size, row + SEEDS_BELOW), ".", color=QUIET, markersize=7)
        axes.plot(one.interval, [row, row], color=ACCENT, linewidth=3, solid_capstyle="butt")
        face = ACCENT if one.is_clear else "white"
        axes.plot([one.mean], [row], "D", color=ACCENT, markersize=10, markerfacecolor=face)
    axes.set_ylim(len(values) - 0.5, -0.5)
    axes.margins(x=0.08)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0, pad=10)
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_formatter(lambda value, _: minus(f"{value:+.3g}") if value else "0")


def _difference_note(one: CurveComparison) -> str:
    if np.isnan(one.interval[0]):
        return minus(f"{one.mean:+.3f}, a single seed: no interval")
    return minus(f"{one.mean:+.3f} [{one.interval[0]:+.3f}, {one.interval[1]:+.3f}]")


def _measured(measure: str) -> str:
    """Return a measure of `CurveComparison` in words."""
    known = {"area": "area under the accuracy", "removable": "share removable at one point of accuracy lost"}
    return known.get(measure, measure)
