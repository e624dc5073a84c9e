"""What merging costs: accuracy against the share of channels merged, beside removing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.curves import PruneCurve
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.provenance import Provenance
from cnnvis.report.chart import DOTTED, SAMPLE_WIDTH, LineLook, add_axes, draw_sample, line_looks
from cnnvis.report.parts import HEADER_HEIGHT, draw_header
from cnnvis.report.sheet import Sheet
from cnnvis.report.style import CHART_STYLE, INK, MARGIN, QUIET, WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

AXES = (MARGIN + 102, HEADER_HEIGHT + 16, 800, 560)
"""Frame of the data: left, top, width, height in pixels."""
AXIS_HEIGHT = 84
KEY_LEFT = AXES[0] + AXES[2] + 44
END_RIGHT, REMOVABLE_RIGHT = WIDTH - MARGIN - 140, WIDTH - MARGIN
ROW_HEIGHT = 38
POINTS = 0.01
RECALIBRATED = ", recalibrated"
IN_SIGHT = 2.0
"""How far below the first curve's largest loss the others are drawn, in such losses."""

Runs = Mapping[str, Sequence[PruneCurve]]


def merge_curve_chart(curves: Runs, *, title: str = "", provenance: Provenance | None = None) -> Figure:
    """Return accuracy against the share of the channels merged, as far as they were merged.

    Parameters
    ----------
    curves : mapping of str to sequence of PruneCurve
        What `cnnvis.pruning.merge_curve` gives; several of one name, of other seeds, are drawn as their mean and a band
        of one standard deviation to either side. "NAME, recalibrated" is drawn dotted in the look of NAME.
    title : str
        Default says how many channels there are.
    provenance : Provenance, optional

    Returns
    -------
    Figure
        Accuracies far below those of the first curve are out of sight. Beside it: the accuracy at the end, and the
        share at which one point is lost.

    Raises
    ------
    InvalidInputError
        When there is no curve, or they have other shares.
    """
    first = _require_alike(curves)
    looks = _looks(list(curves))
    sheet = Sheet(WIDTH, max(AXES[1] + AXES[3] + AXIS_HEIGHT, round(_row(len(curves) + 6))))
    title = title or f"Accuracy while redundant ones of {first.n_total:,} channels are merged"
    draw_header(sheet, title, provenance or Provenance())
    _write_key(sheet, curves)
    figure = sheet.figure()
    from matplotlib import rc_context

    with rc_context(CHART_STYLE):
        axes = add_axes(figure, sheet, AXES)
        axes.axhline(first.accuracy[0] - POINTS, color=INK, linestyle=(0, (6, 3)), linewidth=1)
        for name, part in curves.items():
            _draw_runs(axes, part, looks[name])
        _label_axes(axes, first)
    for row, name in enumerate(curves, 1):
        draw_sample(figure, (KEY_LEFT, _row(row)), looks[name].style())
    draw_sample(figure, (KEY_LEFT, _row(len(curves) + 1)), {"color": INK, "linestyle": (0, (6, 3)), "linewidth": 1})
    return figure


def _looks(names: Sequence[str]) -> dict[str, LineLook]:
    base = line_looks(list(dict.fromkeys(name.removesuffix(RECALIBRATED) for name in names)))
    return {
        name: replace(base[name.removesuffix(RECALIBRATED)], dash=DOTTED, filled=False)
        if name.endswith(RECALIBRATED)
        else base[name]
        for name in names
    }


def _draw_runs(axes: Axes, runs: Sequence[PruneCurve], look: LineLook) -> None:
    mean, spread = _mean_and_spread(runs)
    if len(runs) > 1:
        axes.fill_between(runs[0].shares, mean - spread, mean + spread, color=look.colour, alpha=0.14, linewidth=0)
    axes.plot(runs[0].shares, mean, **look.style())


def _mean_and_spread(runs: Sequence[PruneCurve]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    values = np.array([curve.accuracy for curve in runs])
    spread = values.std(axis=0, ddof=1) if len(runs) > 1 else np.zeros(values.shape[1])
    return values.mean(axis=0), spread


def _label_axes(axes: Axes, first: PruneCurve) -> None:
    whole = float(first.accuracy[0])
    loss = max(whole - float(first.accuracy.min()), 2 * POINTS)
    largest = float(first.shares[-1])
    axes.set_xlim(-0.012 * largest, 1.012 * largest)
    axes.set_ylim(max(0.0, whole - IN_SIGHT * loss), min(1.0, float(first.accuracy.max()) + 0.15 * loss))
    axes.set_xlabel(f"share of the {first.n_total:,} hidden channels merged or removed")
    axes.set_ylabel("accuracy")
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=None))
    axes.yaxis.set_major_formatter("{x:.1%}")


def _write_key(sheet: Sheet, curves: Runs) -> None:
    """Write the names beside the data with two numbers each; the samples of their lines are drawn later."""
    left = KEY_LEFT + SAMPLE_WIDTH + 16
    for text, right in (("at the end", END_RIGHT), ("removable", REMOVABLE_RIGHT)):
        sheet.text(right, _row(0), text, align="right", colour=QUIET)
    for row, (name, part) in enumerate(curves.items(), 1):
        sheet.text(left, _row(row), name, room=END_RIGHT - left - 84)
        mean, _ = _mean_and_spread(part)
        sheet.text(END_RIGHT, _row(row), f"{mean[-1]:.1%}", align="right")
        removable = np.mean([curve.removable(POINTS) for curve in part])
        sheet.text(REMOVABLE_RIGHT, _row(row), f"{removable:.1%}", align="right")
    whole = next(iter(curves.values()))[0].accuracy[0]
    below = f"{100 * POINTS:g} point below the whole network's {whole:.1%}"
    sheet.text(left, _row(len(curves) + 1), below, colour=QUIET, room=REMOVABLE_RIGHT - left)
    notes = ["removed: the same channels, nothing taken over", "random: as many of each layer"]
    counts = max(map(len, curves.values()))
    if counts > 1:
        notes.append(f"bands: ± 1 standard deviation over {counts} seeds")
    for row, text in enumerate(notes, len(curves) + 2):
        sheet.text(KEY_LEFT, _row(row) + 10, text, colour=QUIET, room=REMOVABLE_RIGHT - KEY_LEFT)


def _row(row: int) -> float:
    return AXES[1] + 14 + row * ROW_HEIGHT


def _require_alike(curves: Runs) -> PruneCurve:
    if not curves or not all(curves.values()):
        raise InvalidInputError("No curve to draw; give at least one for each name.")
    first = next(iter(curves.values()))[0]
    for name, part in curves.items():
        if any(not np.array_equal(curve.shares, first.shares) for curve in part):
            raise InvalidInputError(f"Curves of {name!r} have other shares; measure all at the same ones.")
    return first
