"""Where an image departs from its class, layer by layer, and what patching does to the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cnnvis.core import Diagnosis
from cnnvis.report.chart import COLOURS, add_axes
from cnnvis.report.parts import HEADER_HEIGHT, draw_header
from cnnvis.report.sheet import Sheet
from cnnvis.report.style import ALARM, CHART_STYLE, INK, MARGIN, QUIET, WIDTH

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOP = HEADER_HEIGHT + 80
HEIGHT = 420
LEFT = 200
SHOWN = 16
LINE = 32


def diagnosis_figure(found: Diagnosis, *, title: str = "") -> Figure:
    """Return three panels: distance from the class by layer, the answer with each layer patched, and single channels.

    Parameters
    ----------
    found : Diagnosis
    title : str
        Name of the image.
    """
    from matplotlib import rc_context

    below = TOP + HEIGHT + 150
    sheet = Sheet(WIDTH, below + HEIGHT + 100 + 3 * LINE)
    answer, wanted = found.named(found.predicted), found.named(found.reference)
    truth = "" if found.true is None else f", true class {found.named(found.true)}"
    draw_header(sheet, f"{title or found.image or 'image'}: answered {answer}{truth}", found.provenance)
    width = (WIDTH - 2 * MARGIN - LEFT - 90) / 2
    second = MARGIN + LEFT + width + 90
    sheet.text(MARGIN, TOP - 36, f"distance from {wanted} by layer", bold=True)
    sheet.text(second, TOP - 36, f"{wanted}: margin of each layer, patched", bold=True, room=width)
    sheet.text(MARGIN, below - 36, f"single channels of {found.layer}, patched, the furthest first", bold=True)
    for row, note in enumerate(_notes(found)):
        sheet.text(MARGIN, below + HEIGHT + 90 + row * LINE, note, colour=QUIET, room=WIDTH - 2 * MARGIN)
    figure = sheet.figure()
    with rc_context(CHART_STYLE):
        _draw_distances(figure, sheet, found, (MARGIN + LEFT, TOP, width, HEIGHT))
        _draw_margins(figure, sheet, found, (second, TOP, width, HEIGHT))
        _draw_channels(figure, sheet, found, (MARGIN + LEFT, below, WIDTH - 2 * MARGIN - LEFT, HEIGHT))
    return figure


def _draw_distances(figure: Figure, sheet: Sheet, found: Diagnosis, box: tuple[float, float, float, float]) -> None:
    axes = add_axes(figure, sheet, box)
    names = list(found.from_reference)
    rows = np.arange(len(names))
    sizes = [found.from_reference[name].size for name in names]
    colours = [ALARM if found.from_reference[name].share < found.level else COLOURS[0] for name in names]
    axes.barh(rows, sizes, color=colours, height=0.6)
    if found.true is not None:
        axes.plot([found.from_predicted[name].size for name in names], rows, "o", color=INK, markersize=5)
    axes.set_yticks(rows, names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.axvline(1.0, color=QUIET, linewidth=1, linestyle="--")
    axes.set_xlabel("root mean square z")


def _draw_margins(figure: Figure, sheet: Sheet, found: Diagnosis, box: tuple[float, float, float, float]) -> None:
    axes = add_axes(figure, sheet, box)
    names = list(found.from_reference)
    values = [found.whole[name].margin if name in found.whole else np.nan for name in names]
    axes.barh(np.arange(len(names)), values, color=COLOURS[2], height=0.6)
    axes.axvline(found.unpatched.margin, color=INK, linewidth=1.5)
    axes.axvline(0.0, color=QUIET, linewidth=1, linestyle="--")
    axes.set_yticks(np.arange(len(names)), [])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel("margin")


def _draw_channels(figure: Figure, sheet: Sheet, found: Diagnosis, box: tuple[float, float, float, float]) -> None:
    axes = add_axes(figure, sheet, box)
    shown = found.single[:SHOWN]
    z = found.from_reference[found.layer].z
    places = np.arange(len(shown))
    axes.bar(places, [patch.margin - found.unpatched.margin for patch in shown], color=COLOURS[2], width=0.6)
    axes.axhline(0.0, color=QUIET, linewidth=1)
    labels = [f"{patch.channels[0]}\nz {z[patch.channels[0]]:+.1f}".replace("-", "−") for patch in shown]
    axes.set_xticks(places, labels)
    axes.set_ylabel("change of the margin")


def _notes(found: Diagnosis) -> list[str]:
    wanted = found.named(found.reference)
    dots = "" if found.true is None else f" Dots: distance from {found.named(found.predicted)}, the answer."
    return [
        f"z: (average − mean of {wanted}) / its standard deviation; 1 is usual.{dots}",
        f"Red: further than {1 - found.level:.0%} of the images of {wanted}. Patched: averages set to its means.",
        f"Margin: score of {wanted} less the largest other, above 0 it is the answer; black: without a patch.",
    ]
