"""How alike whole layers are, as a square of cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.errors import InvalidInputError
from cnnvis.core.provenance import Provenance
from cnnvis.report.parts import HEADER_HEIGHT, LEGEND_HEIGHT, draw_header, draw_legend
from cnnvis.report.scale import ColourScale
from cnnvis.report.sheet import Sheet
from cnnvis.report.style import MARGIN, SHADE, WIDTH, ink_on, minus

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME_WIDTH = 240
CELL_HEIGHT = 44
GAP = 2


def alignment_figure(
    names: Sequence[str], alignment: NDArray[np.float64], *, title: str = "", provenance: Provenance | None = None
) -> Figure:
    """Return a cell with its value for every two layers; the columns are in the order of the rows.

    Parameters
    ----------
    names : sequence of str
    alignment : (L, L) ndarray
        From `cnnvis.analysis.cka`.
    title : str
    provenance : Provenance, optional

    Raises
    ------
    InvalidInputError
        When names and values do not fit, or there is no layer.
    """
    n = len(names)
    if n == 0 or alignment.shape != (n, n):
        raise InvalidInputError(f"{n} layers need an alignment ({n}, {n}), got shape {alignment.shape}.")
    sheet = Sheet(WIDTH, HEADER_HEIGHT + n * CELL_HEIGHT + 30 + LEGEND_HEIGHT)
    draw_header(sheet, title or "How alike layers tell the images apart", provenance or Provenance())
    scale = ColourScale.of([alignment], limits=(0.0, 1.0))
    width = (WIDTH - 2 * MARGIN - NAME_WIDTH) / n
    for row, name in enumerate(names):
        y = HEADER_HEIGHT + row * CELL_HEIGHT
        sheet.text(MARGIN, y + CELL_HEIGHT / 2, name, room=NAME_WIDTH - 12)
        for column, value in enumerate(alignment[row]):
            x = MARGIN + NAME_WIDTH + column * width
            colour = SHADE if np.isnan(value) else scale.colour(float(value))
            sheet.fill(x, y, width - GAP, CELL_HEIGHT - GAP, colour=colour)
            text = "–" if np.isnan(value) else minus(f"{value:.2f}")
            sheet.text(x + (width - GAP) / 2, y + CELL_HEIGHT / 2, text, align="center", colour=ink_on(colour))
    draw_legend(
        sheet,
        sheet.height - LEGEND_HEIGHT,
        scale,
        quantity="linear CKA of the averages, without bias",
        notes=["1: the same but for a turn and a scale", "columns in the order of the rows"],
    )
    return sheet.figure()
