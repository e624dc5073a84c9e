"""Pruning curves: accuracy or loss against the share removed, one line per order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from cnnvis.core.curves import PruneCurve
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.provenance import Provenance
from cnnvis.report.chart import SAMPLE_WIDTH, LineLook, add_axes, draw_sample, line_looks
from cnnvis.report.parts import HEADER_HEIGHT, draw_header
from cnnvis.report.sheet import Sheet
from cnnvis.report.style import CHART_STYLE, INK, MARGIN, QUIET, WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Measure = Literal["accuracy", "loss"]
Curves = Mapping[str, PruneCurve | Sequence[PruneCurve]]

AXES = (MARGIN + 102, HEADER_HEIGHT + 16, 800, 560)
"""Frame of the data: left, top, width, height in pixels."""
AXIS_HEIGHT = 84
KEY_LEFT = AXES[0] + AXES[2] + 44
AREA_RIGHT, REMOVABLE_RIGHT = WIDTH - MARGIN - 140, WIDTH - MARGIN
ROW_HEIGHT = 38
POINTS = 0.01
REVERSED = " reversed"

WHOLE = LineLook(INK)
CHANCE = LineLook(INK, dash=(0, (6, 3, 1.5, 3)))


def prune_curve_chart(
    curves: Curves, *, measure: Measure = "accuracy", title: str = "", provenance: Provenance | None = None
) -> Figure:
    """Return accuracy or loss against the share removed, with the area and the removable share beside it.

    Parameters
    ----------
    curves : mapping of str to PruneCurve or sequence of PruneCurve
        By the name of the order. Several of one name, of other seeds, are drawn as their mean and a band of one
        standard deviation to either side. "random" and "NAME reversed" are drawn as what they are controls of,
        reversed ones without a band.
    measure : {"accuracy", "loss"}
    title : str
        Default says what is removed.
    provenance : Provenance, optional

    Returns
    -------
    Figure

    Raises
    ------
    InvalidInputError
        When there is no curve, they remove other things, or several of one name have other shares.
    """
    if measure not in ("accuracy", "loss"):
        raise InvalidInputError(f"measure must be accuracy or loss, got {measure!r}.")
    runs = {name: [part] if isinstance(part, PruneCurve) else list(part) for name, part in curves.items()}
    first = _require_alike(runs)
    looks = line_looks(list(runs))
    lines = _levels(runs, measure)
    rows = 1 + len(runs) + len(lines)
    sheet = Sheet(WIDTH, max(AXES[1] + AXES[3] + AXIS_HEIGHT, AXES[1] + rows * ROW_HEIGHT + 190))
    draw_header(sheet, title or f"{measure.capitalize()} while {_what(first)} are removed", provenance or Provenance())
    _write_key(sheet, runs, list(lines))
    figure = sheet.figure()
    from matplotlib import rc_context

    with rc_context(CHART_STYLE):
        axes = add_axes(figure, sheet, AXES)
        for value, look in lines.values():
            axes.axhline(value, color=look.colour, linestyle=look.dash, linewidth=1)
        for name, part in runs.items():
            _draw_runs(axes, part, looks[name], measure, band=not name.endswith(REVERSED))
        _label_axes(axes, first, measure)
    thin = [{**look.style(), "linewidth": 1} for _, look in lines.values()]
    for row, style in enumerate([*(looks[name].style() for name in runs), *thin], 1):
        draw_sample(figure, (KEY_LEFT, _row(row)), style)
    return figure


def _draw_runs(axes: Axes, runs: Sequence[PruneCurve], look: LineLook, measure: Measure, *, band: bool) -> None:
    values = np.array([getattr(curve, measure) for curve in runs])
    shares = runs[0].shares
    values[~np.isfinite(values)] = np.nan
    mean = values.mean(axis=0)
    if len(runs) > 1 and band:
        spread = values.std(axis=0, ddof=1)
        low = mean - spread
        if measure == "loss":
            low = np.maximum(low, values.min(axis=0))  # on a logarithmic axis nothing lies below zero
        axes.fill_between(shares, low, mean + spread, color=look.colour, alpha=0.14, linewidth=0)
    axes.plot(shares, mean, **look.style())


def _label_axes(axes: Axes, first: PruneCurve, measure: Measure) -> None:
    axes.set_xlim(0, 1)
    axes.set_xlabel(f"share of {_what(first)} removed, least important first")
    axes.xaxis.set_major_formatter("{x:.0%}")
    if measure == "accuracy":
        axes.set_ylim(0, 1.02)
        axes.yaxis.set_major_formatter("{x:.0%}")
        axes.set_ylabel("accuracy")
    else:
        from matplotlib.ticker import LogLocator, NullFormatter

        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_ylabel("cross-entropy")


def _levels(runs: Mapping[str, Sequence[PruneCurve]], measure: Measure) -> dict[str, tuple[float, LineLook]]:
    """Return the thin lines by what they mean: the whole network and, where there are classes, guessing."""
    every = [curve for part in runs.values() for curve in part]
    form = "{:.1%}" if measure == "accuracy" else "{:.3g}"
    lines = {}
    whole = [getattr(curve, measure)[0] for curve in every if curve.shares[0] == 0]
    if whole:
        lines[f"whole network: {form.format(np.mean(whole))}"] = (float(np.mean(whole)), WHOLE)
    n_classes = every[0].class_accuracy.shape[1]
    if n_classes > 1:
        chance = 1 / n_classes if measure == "accuracy" else float(np.log(n_classes))
        lines[f"guessing one of {n_classes} classes: {form.format(chance)}"] = (chance, CHANCE)
    return lines


def _write_key(sheet: Sheet, runs: Mapping[str, Sequence[PruneCurve]], lines: Sequence[str]) -> None:
    """Write the names beside the data with area and removable share; the samples of their lines are drawn later."""
    left = KEY_LEFT + SAMPLE_WIDTH + 16
    for text, right in (("area", AREA_RIGHT), ("removable", REMOVABLE_RIGHT)):
        sheet.text(right, _row(0), text, align="right", colour=QUIET)
    for row, (name, part) in enumerate(runs.items(), 1):
        sheet.text(left, _row(row), name, room=AREA_RIGHT - left - 76)
        sheet.text(AREA_RIGHT, _row(row), f"{_mean(part, 'area'):.3f}", align="right")
        removable = np.mean([curve.removable(POINTS) for curve in part])
        sheet.text(REMOVABLE_RIGHT, _row(row), f"{removable:.0%}", align="right")
    for row, name in enumerate(lines, 1 + len(runs)):
        sheet.text(left, _row(row), name, colour=QUIET, room=REMOVABLE_RIGHT - left)
    top = _row(1 + len(runs) + len(lines)) + 16
    for line, text in enumerate(_notes(runs)):
        sheet.text(KEY_LEFT, top + 34 * line, text, colour=QUIET, room=REMOVABLE_RIGHT - KEY_LEFT)


def _notes(runs: Mapping[str, Sequence[PruneCurve]]) -> list[str]:
    notes = ["area: mean accuracy over all shares", f"removable: share at {100 * POINTS:g} point of accuracy lost"]
    counts = sorted({len(part) for part in runs.values()})
    if counts[-1] > 1:
        number = f"{counts[-1]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        notes += [f"lines: means of {number} runs", "bands: ± 1 standard deviation"]
    return notes


def _mean(runs: Sequence[PruneCurve], name: str) -> float:
    return float(np.mean([getattr(curve, name) for curve in runs]))


def _row(row: int) -> float:
    return AXES[1] + 14 + row * ROW_HEIGHT


def _what(curve: PruneCurve) -> str:
    """Return what a curve removes, in words."""
    number = f"{curve.n_total:,} " if curve.n_total else ""
    where = "all layers together" if curve.scope == "global" else "the same share of each layer"
    return f"{number}{curve.kind} ({where})"


def _require_alike(runs: Mapping[str, Sequence[PruneCurve]]) -> PruneCurve:
    if not runs or not all(runs.values()):
        raise InvalidInputError("No curve to draw; give at least one for each name.")
    first = next(iter(runs.values()))[0]
    for name, part in runs.items():
        for curve in part:
            if (curve.kind, curve.scope, curve.n_total) != (first.kind, first.scope, first.n_total):
                raise InvalidInputError(f"One chart removes one thing: {name!r} {_what(curve)}, not {_what(first)}.")
            if not np.array_equal(curve.shares, part[0].shares):
                raise InvalidInputError(f"Curves of {name!r} have other shares; measure them at the same ones.")
    return first
