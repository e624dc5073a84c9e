"""How smooth the orders of a layer are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from cnnvis.core.errors import InvalidInputError
from cnnvis.core.ordering import Ordering, OrderQuality
from cnnvis.core.provenance import Provenance
from cnnvis.report.chart import add_axes
from cnnvis.report.parts import HEADER_HEIGHT, draw_header
from cnnvis.report.sheet import Sheet, shortened
from cnnvis.report.style import ACCENT, CHART_STYLE, INK, MARGIN, OUTLINE, QUIET, WIDTH, minus

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW_HEIGHT, AXIS_HEIGHT, KEY_HEIGHT = 64, 84, 48
NAME_WIDTH, NOTE_WIDTH = 430, 400


def order_quality_chart(
    orderings: Mapping[str, Ordering], *, layer: str = "", provenance: Provenance | None = None
) -> Figure:
    """Return the smoothness of every order against the network's own order and random orders.

    Parameters
    ----------
    orderings : mapping of str to Ordering
        By the name to show; those without a quality are left out.
    layer : str
    provenance : Provenance, optional

    Raises
    ------
    InvalidInputError
        When no order has a quality.
    """
    from matplotlib import rc_context

    qualities = {name: order.quality for name, order in orderings.items() if order.quality is not None}
    if not qualities:
        raise InvalidInputError("No order has a quality to draw; measure it when ordering.")
    rows = len(qualities) * ROW_HEIGHT
    sheet = Sheet(WIDTH, HEADER_HEIGHT + KEY_HEIGHT + rows + AXIS_HEIGHT)
    draw_header(sheet, f"{layer + ': ' if layer else ''}how smooth each order is", provenance or Provenance())
    top = HEADER_HEIGHT + KEY_HEIGHT
    for index, quality in enumerate(qualities.values()):
        middle = top + (index + 0.5) * ROW_HEIGHT
        sheet.text(WIDTH - MARGIN - NOTE_WIDTH + 30, middle, _quality_note(quality), colour=QUIET)
    figure = sheet.figure()
    with rc_context(CHART_STYLE):
        box = (MARGIN + NAME_WIDTH, top, WIDTH - 2 * MARGIN - NAME_WIDTH - NOTE_WIDTH, rows)
        _draw_points(add_axes(figure, sheet, box), qualities)
    return figure


def _draw_points(axes: Axes, qualities: Mapping[str, OrderQuality]) -> None:
    values = list(qualities.values())
    y = np.arange(len(values))
    mean = np.array([quality.random_mean for quality in values])
    spread = 2 * np.array([quality.random_std for quality in values])
    axes.barh(y, 2 * spread, left=mean - spread, height=0.5, color=OUTLINE, label="random orders, mean ± 2 sd")
    axes.vlines(mean, y - 0.25, y + 0.25, color=QUIET, linewidth=1.5)
    smoothness = [quality.smoothness for quality in values]
    axes.plot(smoothness, y, "o", markersize=9, color=ACCENT, label="this order")
    # Open and larger, so that both show where they coincide.
    original = [quality.original for quality in values]
    axes.plot(original, y, "D", markersize=12, color="none", markeredgecolor=INK, label="original order")
    names = [shortened(name, NAME_WIDTH - 24) for name in qualities]
    axes.set_yticks(y, names)
    axes.set_ylim(len(values) - 0.5, -0.5)
    held_out = ", on images not used for ordering" if all(quality.held_out for quality in values) else ""
    axes.set_xlabel(f"mean correlation of neighbouring channels{held_out}")
    axes.margins(x=0.08)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0, pad=10)
    axes.spines["left"].set_visible(False)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, borderaxespad=0.1, handletextpad=0.4)


def _quality_note(quality: OrderQuality) -> str:
    gain = "random sd undefined" if np.isnan(quality.gain) else minus(f"{quality.gain:+.1f} sd")
    return f"{gain} · brightness {quality.brightness:.2f}"
