"""How far methods of importance agree, layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.agreement import ImportanceAgreement
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.provenance import Provenance
from cnnvis.report.parts import HEADER_HEIGHT, LEGEND_HEIGHT, TITLE_HEIGHT, draw_header, draw_legend, draw_panel_title
from cnnvis.report.scale import ColourScale
from cnnvis.report.sheet import Sheet, text_width
from cnnvis.report.style import MARGIN, SHADE, WIDTH, ink_on, minus

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CELL = (96, 52)
"""Width and height of a cell in pixels."""
GAP = 3
PANEL_GAP = 40
NAME_WIDTH = 220
"""Most room for the name of a method in pixels."""

MIN_WIDTH = 480
"""Least width of a panel, for the layer's name."""

MEAN = "mean over the layers"


def agreement_matrix_figure(
    agreement: ImportanceAgreement, *, title: str = "", provenance: Provenance | None = None
) -> Figure:
    """Return the rank correlation between methods as one triangle of cells per layer, values printed in them.

    A method's name stands where its row ends and its column begins. Several layers are led by their mean.

    Parameters
    ----------
    agreement : ImportanceAgreement
        Of two methods or more.
    title : str
    provenance : Provenance, optional

    Raises
    ------
    InvalidInputError
        When there are under two methods, or no layer.
    """
    n_methods = len(agreement.methods)
    if n_methods < 2 or not agreement.layers:
        raise InvalidInputError(
            f"A matrix of agreement needs two methods and a layer, got {n_methods} and {len(agreement.layers)}."
        )
    panels = {layer: agreement.matrix(layer) for layer in agreement.layers}
    if len(panels) > 1:
        panels = {MEAN: agreement.mean, **panels}
    pitch = (_panel_width(agreement) + PANEL_GAP, TITLE_HEIGHT + n_methods * (CELL[1] + GAP) + PANEL_GAP // 2)
    across = max((WIDTH - 2 * MARGIN + PANEL_GAP) // pitch[0], 1)
    lines = -(-len(panels) // across)
    sheet = Sheet(WIDTH, HEADER_HEIGHT + lines * pitch[1] + 20 + LEGEND_HEIGHT)
    draw_header(sheet, title or "How far the methods agree on what is important", provenance or Provenance())
    values = np.concatenate([matrix[np.tril_indices(n_methods, -1)] for matrix in panels.values()])
    scale = ColourScale.of([values], limits=(-1.0, 1.0))
    for index, (name, matrix) in enumerate(panels.items()):
        x, y = MARGIN + index % across * pitch[0], HEADER_HEIGHT + index // across * pitch[1]
        draw_panel_title(sheet, (x, y), name, groups=None, room=pitch[0] - PANEL_GAP)
        _draw_triangle(sheet, (x, y + TITLE_HEIGHT), matrix, methods=agreement.methods, scale=scale)
    notes = ["1: the same order of the channels; 0: none in common", "– : a method scores all channels alike, or none"]
    draw_legend(
        sheet,
        sheet.height - LEGEND_HEIGHT,
        scale,
        quantity="Spearman's rank correlation",
        notes=notes if np.isnan(values).any() else notes[:1],
    )
    return sheet.figure()


def _panel_width(agreement: ImportanceAgreement) -> int:
    name = max(text_width(method) for method in agreement.methods)
    return max((len(agreement.methods) - 1) * (CELL[0] + GAP) + int(min(name, NAME_WIDTH)) + 16, MIN_WIDTH)


def _draw_triangle(
    sheet: Sheet,
    origin: tuple[int, int],
    matrix: NDArray[np.float64],
    *,
    methods: tuple[str, ...],
    scale: ColourScale,
) -> None:
    """Draw the cells below the diagonal, and each method's name on it."""
    for row, method in enumerate(methods):
        y = origin[1] + row * (CELL[1] + GAP)
        for column in range(row):
            x, value = origin[0] + column * (CELL[0] + GAP), matrix[row, column]
            colour = SHADE if np.isnan(value) else scale.colour(value)
            text = "–" if np.isnan(value) else minus(f"{value:.2f}")
            sheet.fill(x, y, *CELL, colour=colour)
            sheet.text(x + CELL[0] / 2, y + CELL[1] / 2, text, align="center", colour=ink_on(colour))
        x = origin[0] + row * (CELL[0] + GAP)
        sheet.text(x + (8 if row else 0), y + CELL[1] / 2, method, bold=True, room=NAME_WIDTH)
