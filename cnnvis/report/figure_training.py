"""How a training went: loss and accuracy, of every step and of every epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.errors import InvalidInputError
from cnnvis.core.provenance import Provenance
from cnnvis.core.training_run import TrainingCurve
from cnnvis.report.chart import COLOURS, LineLook, add_axes, draw_sample
from cnnvis.report.parts import HEADER_HEIGHT, draw_header
from cnnvis.report.sheet import Sheet
from cnnvis.report.style import CHART_STYLE, MARGIN, QUIET, WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEIGHT = 640
TOP, PLOT_HEIGHT = HEADER_HEIGHT + 56, 380
LEFT, PLOT_WIDTH, PITCH = MARGIN + 90, 620, 800
"""Frame of the first panel in pixels; the second one is `PITCH` to its right."""

STEP_POINTS = 400
"""Most points of a curve of steps: each is the mean of its neighbours then."""

STEP = LineLook(QUIET)
THIN = 1.2
EPOCH = LineLook(COLOURS[0], "o")


def training_chart(
    steps: TrainingCurve,
    epochs: TrainingCurve,
    *,
    title: str = "",
    provenance: Provenance | None = None,
) -> Figure:
    """Return loss at the left and accuracy at the right, against epochs.

    Parameters
    ----------
    steps, epochs : TrainingCurve
        What was measured of each step, drawn thin, and of each epoch, with markers; either may be empty. Without
        epochs the axis counts steps.
    title : str
    provenance : Provenance, optional

    Returns
    -------
    Figure
        Values that are NaN or infinite are gaps.

    Raises
    ------
    InvalidInputError
        When there is nothing to draw.
    """
    from matplotlib import rc_context

    measured = [curve for curve in (steps, epochs) if np.isfinite([*curve.loss, *curve.accuracy]).any()]
    if not measured:
        raise InvalidInputError("There is no loss and no accuracy to draw: none was given to the Watcher.")
    sheet = Sheet(WIDTH, HEIGHT)
    draw_header(sheet, title or "Loss and accuracy", provenance or Provenance())
    drawn = [(steps, STEP, "of each step"), (epochs, EPOCH, "of each epoch")]
    drawn = [entry for entry in drawn if any(entry[0] is curve for curve in measured)]
    for at, (_, _, name) in enumerate(drawn):
        sheet.text(LEFT + 300 * at + 100, HEADER_HEIGHT + 22, name)
    figure = sheet.figure()
    with rc_context(CHART_STYLE):
        for panel, name in enumerate(("loss", "accuracy")):
            axes = add_axes(figure, sheet, (LEFT + panel * PITCH, TOP, PLOT_WIDTH, PLOT_HEIGHT))
            for curve, look, _ in drawn:
                _draw(axes, _places(curve, epochs), getattr(curve, name), look)
            _label(axes, name, "epoch" if len(epochs) else "step")
            axes.set_xlim(_span([_places(curve, epochs) for curve, _, _ in drawn]))
    for at, (_, look, _) in enumerate(drawn):
        draw_sample(figure, (LEFT + 300 * at, HEADER_HEIGHT + 22), look.style())
    return figure


def _places(curve: TrainingCurve, epochs: TrainingCurve) -> NDArray[np.float64]:
    """Return where the values stand, in epochs: between two ends of epochs by steps, behind the last at its pace."""
    if curve is epochs:
        return curve.epochs.astype(np.float64)
    if not len(epochs):
        return curve.steps.astype(np.float64)
    ends, numbers = np.array([0, *epochs.steps]), np.array([0.0, *epochs.epochs])
    pace = numbers[-1] / max(ends[-1], 1)
    places: NDArray[np.float64] = np.interp(curve.steps, ends, numbers)
    return np.where(curve.steps > ends[-1], numbers[-1] + pace * (curve.steps - ends[-1]), places)


def _span(places: list[NDArray[np.float64]]) -> tuple[float, float]:
    """Return the ends of the axis: all places, and room for a marker."""
    low, high = float(min(map(np.min, places))), float(max(map(np.max, places)))
    room = 0.03 * (high - low) or 0.5
    return low - room, high + room


def _draw(axes: Axes, places: NDArray[np.float64], values: NDArray[np.float64], look: LineLook) -> None:
    values = np.where(np.isfinite(values), values, np.nan)
    if look is STEP and values.size > STEP_POINTS:
        parts = np.array_split(np.arange(values.size), STEP_POINTS)
        places, values = (np.array([column[part].mean() for part in parts]) for column in (places, values))
    if np.isfinite(values).any():
        axes.plot(places, values, **look.style() | ({"linewidth": THIN} if look is STEP else {}))


def _label(axes: Axes, name: str, unit: str) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    axes.set_xlabel(unit)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    if name == "loss":
        axes.set_ylabel("loss")
        axes.set_ylim(bottom=0)
    else:
        axes.set_ylabel("accuracy")
        axes.set_ylim(0, 1)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
    if not axes.lines:
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", color=QUIET)
