"""What becomes of the answer while one channel is switched off or made stronger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.errors import InvalidInputError
from cnnvis.core.provenance import Provenance
from cnnvis.report.chart import add_axes, draw_sample, line_looks
from cnnvis.report.parts import HEADER_HEIGHT, draw_header
from cnnvis.report.sheet import Sheet
from cnnvis.report.style import CHART_STYLE, MARGIN, QUIET, WIDTH

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEIGHT = 670
BOX = (MARGIN + 100, HEADER_HEIGHT + 20, 960, 390)
SHOWN = 5
"""Classes with lines: those that are likeliest anywhere."""


def scaling_chart(
    factors: Sequence[float],
    probabilities: NDArray[np.float64],
    *,
    class_names: Sequence[str] = (),
    title: str = "",
    provenance: Provenance | None = None,
) -> Figure:
    """Return the probabilities of the likeliest classes against the factor of one channel.

    Parameters
    ----------
    factors : sequence of float, rising
    probabilities : (F, K) float64
        As `capture.scaled_probabilities` returns them.
    class_names : sequence of str
    title : str
    provenance : Provenance, optional

    Raises
    ------
    InvalidInputError
        When there is no factor, or not one row for each.
    """
    from matplotlib import rc_context
    from matplotlib.ticker import PercentFormatter

    if not len(factors) or len(factors) != len(probabilities):
        raise InvalidInputError(f"Got {len(factors)} factors and {len(probabilities)} rows of probabilities.")
    shown = np.argsort(-probabilities.max(axis=0), kind="stable")[:SHOWN]
    names = {int(k): class_names[k] if len(class_names) else f"class {k}" for k in shown}
    looks = line_looks([str(name) for name in names.values()])
    sheet = Sheet(WIDTH, HEIGHT)
    draw_header(sheet, title or "The answer while a channel is scaled", provenance or Provenance())
    left = BOX[0] + BOX[2] + 60
    for row, name in enumerate(names.values()):
        sheet.text(left + 110, BOX[1] + 30 + 46 * row, name, room=WIDTH - MARGIN - left - 110)
    note = "Factor 0: the channel is off; 1: the network as it is."
    sheet.text(BOX[0], HEIGHT - 28, note, colour=QUIET, room=WIDTH - 2 * MARGIN)
    figure = sheet.figure()
    with rc_context(CHART_STYLE):
        axes = add_axes(figure, sheet, BOX)
        for k, name in names.items():
            axes.plot(factors, probabilities[:, k], **looks[name].style())
        axes.axvline(1.0, color=QUIET, linewidth=1, linestyle="--")
        axes.set_ylim(-0.02, 1.02)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.set_xlabel("factor of the channel")
        axes.set_ylabel("probability")
    for row, name in enumerate(names.values()):
        draw_sample(figure, (left, BOX[1] + 30 + 46 * row), looks[name].style())
    return figure
