"""What it does for a class to prune by what matters to that class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.curves import ClassCurves
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.palette import GROUP_COLOURS
from cnnvis.core.provenance import Provenance
from cnnvis.report.chart import add_axes
from cnnvis.report.parts import HEADER_HEIGHT, draw_header
from cnnvis.report.sheet import Sheet
from cnnvis.report.style import ACCENT, CHART_STYLE, INK, MARGIN, PANEL, QUIET, WIDTH, minus

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACROSS = 5
PANEL_TITLE, PANEL_HEIGHT, PANEL_GAP = 40, 190, 18
LABELS_WIDTH, LABELS_HEIGHT = 96, 40
NOTES_HEIGHT = 128
WORSE = GROUP_COLOURS[3]


def class_curve_chart(
    curves: ClassCurves | Sequence[ClassCurves], *, title: str = "", provenance: Provenance | None = None
) -> Figure:
    """Return, for each class, how much better it fares when pruned by its own importance than by the mean importance.

    Parameters
    ----------
    curves : ClassCurves or sequence of ClassCurves
        Several, of other training seeds, are drawn as thin lines and their mean.
    title : str
        Default names the method.
    provenance : Provenance, optional

    Returns
    -------
    Figure
        One panel per class, all on the same axes: balanced accuracy of the class against the rest, pruned by its own
        importance minus pruned by the mean.

    Raises
    ------
    InvalidInputError
        When there is none, or they are not of the same classes, shares and method.
    """
    runs = [curves] if isinstance(curves, ClassCurves) else list(curves)
    first = _require_same_classes(runs)
    differences = np.array([run.difference for run in runs])
    n_classes = first.by_class.shape[1]
    names = first.class_names or tuple(f"class {index}" for index in range(n_classes))
    lines = -(-n_classes // ACROSS)
    block = PANEL_TITLE + PANEL_HEIGHT + PANEL_GAP
    sheet = Sheet(WIDTH, HEADER_HEIGHT + lines * block + LABELS_HEIGHT + NOTES_HEIGHT)
    heading = f"Pruned by {first.order} for the class itself instead of for all classes"
    draw_header(sheet, title or heading, provenance or Provenance())
    boxes = [_panel(index) for index in range(n_classes)]
    for box, name in zip(boxes, names, strict=True):
        sheet.text(box[0], box[1] - PANEL_TITLE / 2, name, size=PANEL, bold=True, room=box[2])
    _write_notes(sheet, first, len(runs))
    figure = sheet.figure()
    _draw_panels(figure, sheet, boxes, shares=first.shares, differences=differences)
    return figure


def _panel(index: int) -> tuple[float, float, float, float]:
    """Return the frame of a class's panel: left, top, width, height."""
    pitch = (WIDTH - 2 * MARGIN - LABELS_WIDTH + PANEL_GAP) / ACROSS
    row, column = divmod(index, ACROSS)
    top = HEADER_HEIGHT + row * (PANEL_TITLE + PANEL_HEIGHT + PANEL_GAP) + PANEL_TITLE
    return (MARGIN + LABELS_WIDTH + column * pitch, top, pitch - PANEL_GAP, PANEL_HEIGHT)


def _draw_panels(
    figure: Figure,
    sheet: Sheet,
    boxes: Sequence[tuple[float, float, float, float]],
    *,
    shares: NDArray[np.float64],
    differences: NDArray[np.float64],
) -> None:
    from matplotlib import rc_context

    finite = np.abs(differences[np.isfinite(differences)])
    reach = max(float(finite.max(initial=0.0)) * 1.08, 0.01)
    with rc_context(CHART_STYLE):
        for index, box in enumerate(boxes):
            axes = add_axes(figure, sheet, box)
            _draw_class(axes, shares, differences[:, :, index])
            axes.set(xlim=(0, 1), ylim=(-reach, reach))
            axes.xaxis.set_major_formatter("{x:.0%}")
            axes.set_xticks([0, 0.5, 1], ["0%", "50%", ""])
            axes.yaxis.set_major_formatter(lambda value, _: minus(f"{100 * value:+.3g}") if value else "0")
            axes.tick_params(labelleft=index % ACROSS == 0, labelbottom=index + ACROSS >= len(boxes))


def _draw_class(axes: Axes, shares: NDArray[np.float64], runs: NDArray[np.float64]) -> None:
    mean = runs.mean(axis=0)
    above, below = np.maximum(mean, 0), np.minimum(mean, 0)
    axes.fill_between(shares, 0, above, color=ACCENT, alpha=0.35, linewidth=0)
    axes.fill_between(shares, 0, below, color=WORSE, alpha=0.35, linewidth=0, hatch="///", edgecolor=WORSE)
    if len(runs) > 1:
        axes.plot(shares, runs.T, color=QUIET, linewidth=0.8)
    axes.plot(shares, mean, color=INK, linewidth=2)
    axes.axhline(0, color=INK, linewidth=1)


def _write_notes(sheet: Sheet, first: ClassCurves, n_runs: int) -> None:
    where = "all layers together" if first.scope == "global" else "the same share of each layer"
    notes = [
        f"across: share of {first.kind} removed ({where}); up: points of balanced accuracy, class against rest",
        "above 0, blue: its own importance keeps the class better; below 0, hatched: the mean importance does",
    ]
    if n_runs > 1:
        notes.append(f"thin lines: {n_runs} training seeds; thick: their mean")
    for line, text in enumerate(notes):
        y = sheet.height - NOTES_HEIGHT + 22 + 34 * line
        sheet.text(MARGIN, y, text, colour=QUIET, room=WIDTH - 2 * MARGIN)


def _require_same_classes(runs: Sequence[ClassCurves]) -> ClassCurves:
    if not runs:
        raise InvalidInputError("No class curves to draw; give at least one.")
    first = runs[0]
    for run in runs:
        alike = np.array_equal(run.shares, first.shares) and run.by_class.shape == first.by_class.shape
        if not alike or (run.order, run.kind, run.scope) != (first.order, first.kind, first.scope):
            raise InvalidInputError("Class curves of one chart need the same method, classes, shares, kind and scope.")
    return first
