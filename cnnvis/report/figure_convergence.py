"""Whether a survey has seen enough images: how far its correlations still move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnvis.core import Convergence
from cnnvis.core.provenance import Provenance
from cnnvis.core.survey import SETTLED
from cnnvis.report.chart import add_axes, draw_sample, line_looks
from cnnvis.report.parts import HEADER_HEIGHT, draw_header
from cnnvis.report.sheet import Sheet
from cnnvis.report.style import CHART_STYLE, INK, QUIET, WIDTH

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KEY_LEFT = 1180
SETTLED_DASH = (0, (6, 3))


def convergence_chart(convergence: Convergence, *, title: str = "", provenance: Provenance | None = None) -> Figure:
    """Return the change of the correlations against the number of images, one line per layer, both logarithmic.

    A thin line is where they count as settled; a change of zero has no place on the chart.
    """
    from matplotlib import rc_context
    from matplotlib.ticker import LogLocator, NullFormatter, NullLocator

    looks = line_looks(list(convergence.change))
    sheet = Sheet(WIDTH, max(700, HEADER_HEIGHT + 94 + 34 * len(looks)))
    draw_header(sheet, title or "How far correlations moved since half as many images", provenance or Provenance())
    for row, name in enumerate(looks):
        sheet.text(KEY_LEFT + 100, HEADER_HEIGHT + 40 + 34 * row, name, room=WIDTH - KEY_LEFT - 120)
    settled = HEADER_HEIGHT + 40 + 34 * len(looks)
    sheet.text(KEY_LEFT + 100, settled, f"settled: {SETTLED:g}", room=WIDTH - KEY_LEFT - 120, colour=QUIET)
    figure = sheet.figure()
    with rc_context(CHART_STYLE):
        axes = add_axes(figure, sheet, (170, HEADER_HEIGHT + 20, KEY_LEFT - 230, sheet.height - HEADER_HEIGHT - 110))
        for name, change in convergence.change.items():
            axes.plot(convergence.n_images[1:], change[1:], **looks[name].style())
        axes.axhline(SETTLED, color=INK, linestyle=SETTLED_DASH, linewidth=1)
        axes.set(xscale="log", yscale="log", xlabel="images", ylabel="change of correlation, RMS")
        points = convergence.n_images[1:]
        axes.set_xticks(points, [f"{point:,}" for point in points])
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_minor_formatter(NullFormatter())
    for row, look in enumerate(looks.values()):
        draw_sample(figure, (KEY_LEFT, HEADER_HEIGHT + 40 + 34 * row), look.style())
    thin = {"color": INK, "linestyle": SETTLED_DASH, "linewidth": 1}
    draw_sample(figure, (KEY_LEFT, HEADER_HEIGHT + 40 + 34 * len(looks)), thin)
    return figure
