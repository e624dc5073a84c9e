"""Where an image departs from its class, layer by layer, and what patching does to the answer."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import Diagnosis
from cnnvis.report.chart import COLOURS, add_axes
from cnnvis.report.parts import HEADER_HEIGHT, draw_header
from cnnvis.report.sheet import Sheet
from cnnvis.report.style import ALARM, CHART_STYLE, INK, MARGIN, QUIET, SHADE, WIDTH

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Box = tuple[float, float, float, float]

PICTURE = 196
"""Pixels of the image's side: seven for each of one with 28."""

TOP = HEADER_HEIGHT + PICTURE + 90
HEIGHT = 420
LEFT = 200
"""Room for the names of layers."""

GAP = 90
BELOW = TOP + HEIGHT + 150
LOWER_HEIGHT = 300
SHOWN = 12
LINE = 32
LIKELIEST = 4
BAR = 240
LETTERS = 58
"""Of a line of the verdict."""


def diagnosis_figure(found: Diagnosis, *, title: str = "", picture: NDArray[np.uint8] | None = None) -> Figure:
    """Return an image with its answer, its distance from the class by layer, and what patching does to the answer.

    Patched are whole layers, single channels of the layer that departs, and several of these together.

    Parameters
    ----------
    found : Diagnosis
    title : str
        Name of the image.
    picture : (H, W, 3) ndarray of uint8, optional
        The image, as `studies.image_stream.as_picture` makes it of an input.
    """
    from matplotlib import rc_context

    sheet = Sheet(WIDTH, BELOW + LOWER_HEIGHT + 110 + 3 * LINE)
    answer, wanted = found.named(found.predicted), found.named(found.reference)
    truth = "" if found.true is None else f", true class {found.named(found.true)}"
    draw_header(sheet, f"{title or found.image or 'image'}: answered {answer}{truth}", found.provenance)
    _draw_answer(sheet, found, picture)
    width = (WIDTH - 2 * MARGIN - LEFT - GAP) / 2
    second = MARGIN + LEFT + width + GAP
    sheet.text(MARGIN, TOP - 36, f"distance from {wanted}, by layer", bold=True)
    sheet.text(second, TOP - 36, f"margin of {wanted}, each layer patched", bold=True, room=width)
    sheet.text(MARGIN, BELOW - 36, f"single channels of {found.layer}, patched", bold=True, room=LEFT + width)
    sheet.text(second, BELOW - 36, "several of them patched together", bold=True, room=width)
    for row, note in enumerate(_notes(found)):
        sheet.text(MARGIN, BELOW + LOWER_HEIGHT + 120 + row * LINE, note, colour=QUIET, room=WIDTH - 2 * MARGIN)
    figure = sheet.figure()
    with rc_context(CHART_STYLE):
        _draw_distances(figure, sheet, found, (MARGIN + LEFT, TOP, width, HEIGHT))
        _draw_margins(figure, sheet, found, (second, TOP, width, HEIGHT))
        _draw_channels(figure, sheet, found, (MARGIN + LEFT, BELOW, width, LOWER_HEIGHT))
        _draw_together(figure, sheet, found, (second, BELOW, width, LOWER_HEIGHT))
    return figure


def _draw_answer(sheet: Sheet, found: Diagnosis, picture: NDArray[np.uint8] | None) -> None:
    """Draw the image, the likeliest classes with their probabilities, and the verdict."""
    x = MARGIN
    if picture is not None:
        fitted = _fitted(picture)
        sheet.paste(x, HEADER_HEIGHT, fitted)
        x += fitted.shape[1] + 40
    likeliest = np.argsort(-found.probabilities, kind="stable")[:LIKELIEST]
    for row, label in enumerate(likeliest):
        y = HEADER_HEIGHT + 22 + row * 48
        share = float(found.probabilities[label])
        sheet.fill(x, y - 18, BAR, 36, colour=SHADE)
        wrong = label == found.predicted and found.true not in (None, found.predicted)
        sheet.fill(x, y - 18, BAR * share, 36, colour=ALARM if wrong else COLOURS[0] if label == found.true else QUIET)
        sheet.text(x + BAR + 16, y, f"{share:.1%} {found.named(int(label))}", bold=int(label) == found.true, room=260)
    for row, line in enumerate(textwrap.wrap(found.verdict, LETTERS)):
        sheet.text(x + BAR + 300, HEADER_HEIGHT + 22 + row * 38, line, room=WIDTH - MARGIN - x - BAR - 300)


def _fitted(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the picture with its longer side of about PICTURE pixels, of a small one every pixel a square."""
    factor = max(PICTURE // max(picture.shape[:2]), 1)
    step = -(-max(picture.shape[:2]) // PICTURE)
    return np.repeat(np.repeat(picture[::step, ::step], factor, axis=0), factor, axis=1)


def _draw_distances(figure: Figure, sheet: Sheet, found: Diagnosis, box: Box) -> None:
    axes = add_axes(figure, sheet, box)
    names = list(found.from_reference)
    rows = np.arange(len(names))
    sizes = [found.from_reference[name].size for name in names]
    colours = [ALARM if found.from_reference[name].share <= found.level else COLOURS[0] for name in names]
    axes.barh(rows, sizes, color=colours, height=0.6)
    if found.true is not None:
        axes.plot([found.from_predicted[name].size for name in names], rows, "o", color=INK, markersize=5)
    axes.set_yticks(rows, names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.axvline(1.0, color=QUIET, linewidth=1, linestyle="--")
    axes.set_xlabel("root mean square z")


def _draw_margins(figure: Figure, sheet: Sheet, found: Diagnosis, box: Box) -> None:
    axes = add_axes(figure, sheet, box)
    names = list(found.from_reference)
    values = [found.whole[name].margin if name in found.whole else np.nan for name in names]
    axes.barh(np.arange(len(names)), values, color=COLOURS[2], height=0.6)
    axes.axvline(found.unpatched.margin, color=INK, linewidth=1.5)
    axes.axvline(0.0, color=QUIET, linewidth=1, linestyle="--")
    axes.set_yticks(np.arange(len(names)), [])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel("margin")


def _draw_channels(figure: Figure, sheet: Sheet, found: Diagnosis, box: Box) -> None:
    axes = add_axes(figure, sheet, box)
    shown = found.single[:SHOWN]
    z = found.from_reference[found.layer].z
    places = np.arange(len(shown))
    axes.bar(places, [patch.margin - found.unpatched.margin for patch in shown], color=COLOURS[2], width=0.6)
    axes.axhline(0.0, color=QUIET, linewidth=1)
    labels = [f"{patch.channels[0]}\n{z[patch.channels[0]]:+.0f}".replace("-", "−") for patch in shown]
    axes.set_xticks(places, labels)
    axes.set_xlabel("channel, and its z below; the furthest first")
    axes.set_ylabel("change of margin")


def _draw_together(figure: Figure, sheet: Sheet, found: Diagnosis, box: Box) -> None:
    axes = add_axes(figure, sheet, box)
    counts = [0, *(len(patch.channels) for patch in found.together)]
    margins = [found.unpatched.margin, *(patch.margin for patch in found.together)]
    axes.plot(counts, margins, "o-", color=COLOURS[2], linewidth=2)
    axes.axhline(0.0, color=QUIET, linewidth=1, linestyle="--")
    axes.set_xlabel("channels patched, the furthest first")
    axes.set_ylabel("margin")


def _notes(found: Diagnosis) -> list[str]:
    wanted = found.named(found.reference)
    dots = "" if found.true is None else f" Dots: distance from {found.named(found.predicted)}, the answer."
    return [
        f"z: (average − mean of {wanted}) / its standard deviation; 1 is usual.{dots}",
        f"Red: further than {1 - found.level:.0%} of the images of {wanted}. Patched: averages set to its means.",
        f"Margin: score of {wanted} less the largest other, above 0 it is the answer; black: without a patch.",
    ]
