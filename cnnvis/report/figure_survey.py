"""What channels do over many images: the grid of their averages, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import Survey
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.palette import group_colour
from cnnvis.report.parts import HEADER_HEIGHT, LEGEND_HEIGHT, draw_header, draw_legend
from cnnvis.report.scale import ColourScale
from cnnvis.report.sheet import Sheet, text_width
from cnnvis.report.style import ALARM, MARGIN, QUIET, TEXT, WIDTH

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PER_ROW = 8
"""Cells per row of a layer's block, as in ReactCNN."""

CELL_HEIGHT = 18
MOST_ROWS = 64
ACROSS = 16
"""Blocks in a row: as many as VGG-16 has layers."""

BLOCK_GAP = 14
NAME_HEIGHT, LINE_GAP = 78, 24
SMALL = 0.8 * TEXT


def survey_grid(survey: Survey, *, groups: Mapping[str, NDArray[np.int64]] | None = None, title: str = "") -> Figure:
    """Return one block of cells per layer, eight in a row: the mean average of each channel, of its layer's largest.

    Parameters
    ----------
    survey : Survey
    groups : mapping of str to (C,) ndarray of int, optional
        By layer, from `cnnvis.communities`: a stripe in each cell's lower edge; groups of one have none.
    title : str

    Notes
    -----
    Channels without variation are crossed out by a red stripe. Cells become lower where a layer has many.
    """
    layers = survey.layers
    if not layers:
        raise InvalidInputError("The survey has no layer to draw.")
    lines = [list(layers)[start : start + ACROSS] for start in range(0, len(layers), ACROSS)]
    n_rows = [max(-(-layers[name].n_channels // PER_ROW) for name in line) for line in lines]
    cell = max(4, CELL_HEIGHT * min(1, MOST_ROWS / max(n_rows)))
    block = (WIDTH - 2 * MARGIN + BLOCK_GAP) / min(len(layers), ACROSS) - BLOCK_GAP
    heights = [NAME_HEIGHT + rows * cell + LINE_GAP for rows in n_rows]
    sheet = Sheet(WIDTH, round(HEADER_HEIGHT + sum(heights) + LEGEND_HEIGHT))
    draw_header(sheet, title or f"Mean averages over {survey.n_images:,} images", survey.provenance)
    scale = ColourScale.of([_shares(layer.mean) for layer in layers.values()], limits=(0.0, 1.0))
    for number, line in enumerate(lines):
        y = HEADER_HEIGHT + sum(heights[:number])
        for place, name in enumerate(line):
            x, layer = MARGIN + place * (block + BLOCK_GAP), layers[name]
            within, own_name = _parted(name, block)
            sheet.text(x, y + 8, within, size=SMALL, colour=QUIET, room=block)
            sheet.text(x, y + 34, own_name, bold=True, room=block)
            sheet.text(x, y + 60, f"{layer.n_channels}", colour=QUIET, room=block)
            labels = None if groups is None else groups.get(name)
            _draw_block(sheet, (x, y + NAME_HEIGHT), (block / PER_ROW, cell), layer.mean, layer.std, scale, labels)
    draw_legend(
        sheet,
        sheet.height - LEGEND_HEIGHT,
        scale,
        quantity="mean average / largest of the layer, by size",
        notes=["channel 0 at the upper left, eight in a row", "red stripe: the same for every image"],
    )
    return sheet.figure()


def _draw_block(
    sheet: Sheet,
    origin: tuple[float, float],
    cell: tuple[float, float],
    mean: NDArray[np.float64],
    std: NDArray[np.float64],
    scale: ColourScale,
    groups: NDArray[np.int64] | None,
) -> None:
    sizes = None if groups is None else np.bincount(groups)
    gap = 1 if cell[1] >= 6 else 0
    for channel, value in enumerate(_shares(mean)):
        x, y = origin[0] + channel % PER_ROW * cell[0], origin[1] + channel // PER_ROW * cell[1]
        width, height = cell[0] - gap, cell[1] - gap
        sheet.fill(x, y, width, height, colour=scale.colour(float(value)))
        if groups is not None and sizes is not None and sizes[groups[channel]] > 1:
            sheet.fill(x, y + 0.75 * height, width, 0.25 * height, colour=group_colour(int(groups[channel])))
        if not std[channel] > 1e-6 * abs(mean[channel]):
            sheet.fill(x, y + 0.4 * height, width, max(2, 0.2 * height), colour=ALARM)


def _shares(mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the averages by size as shares of the largest."""
    size = np.abs(mean)
    largest = float(np.nanmax(size)) if np.isfinite(size).any() else 1.0
    shares: NDArray[np.float64] = size / (largest or 1.0)
    return shares


def _parted(name: str, room: float) -> tuple[str, str]:
    """Return a dotted name in two parts: the second has room where it can, and of the first its end is left."""
    parts = name.split(".")
    n_own = next((n for n in range(len(parts), 1, -1) if text_width(".".join(parts[-n:]), bold=True) <= room), 1)
    own, within = parts[-n_own:], parts[:-n_own]
    whole = len(within)
    while len(within) > 1 and text_width(_within(within, whole), size=SMALL) > room:
        within = within[1:]
    return _within(within, whole), ".".join(own)


def _within(parts: list[str], whole: int) -> str:
    """Return the parts of a path, with an ellipsis where it had more; "" for none."""
    return "".join(["…" if len(parts) < whole else "", *(f"{part}." for part in parts)])
