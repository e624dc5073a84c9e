"""One row of every map as a line of an image: CNN-VIS's row-slice picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.errors import InvalidInputError
from cnnvis.core.palette import group_colour
from cnnvis.core.volume import Volume
from cnnvis.report.parts import (
    HEADER_HEIGHT,
    LEGEND_HEIGHT,
    TITLE_HEIGHT,
    check_volumes,
    draw_header,
    draw_legend,
    draw_panel_title,
    volume_title,
)
from cnnvis.report.scale import ColourScale
from cnnvis.report.sheet import Sheet
from cnnvis.report.style import MARGIN, QUIET, WIDTH
from cnnvis.report.tiles import resize

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_ACROSS = 3
PANEL_GAP = 36
LABEL_WIDTH, STRIP_WIDTH, GROUP_WIDTH, AXIS_HEIGHT = 58, 16, 44, 62
TARGET_HEIGHT, MAX_LINE, MIN_LINE = 960, 30, 2
LABEL_PITCH = 28
"""Least distance in pixels of two channel labels."""
GROUP_GAP = 6


@dataclass(frozen=True, slots=True)
class _Lines:
    """Where the lines of one panel lie: y of each line's top, and one line's height, in pixels."""

    tops: NDArray[np.int64]
    line: int

    @property
    def height(self) -> int:
        return int(self.tops[-1]) + self.line


def row_slices(
    volumes: Mapping[str, Volume],
    *,
    row: int = 15,
    clip: tuple[float, float] = (1.0, 99.0),
) -> Figure:
    """Return one row of every map as a line of an image, channels downwards, one panel per order.

    A strip in the group's colour and a white line between groups show what the order put together.

    Parameters
    ----------
    volumes : mapping of str to Volume
        One layer's maps by the name of the order, in the order shown.
    row : int, default: 15
        Row of the maps (CNN-VIS's `slice`).
    clip : (low, high) of float, default: (1, 99)
        Percentiles of this row's values that bound the colours.

    Returns
    -------
    Figure

    Raises
    ------
    InvalidInputError
        When the maps have no such row, there is no volume, or they are not one layer's.
    """
    first = check_volumes(volumes)
    rows = first.shape[1]
    if not 0 <= row < rows:
        raise InvalidInputError(f"Maps of layer {first.layer!r} have rows 0 to {rows - 1}, got row {row}.")
    slices = {name: volume.values[:, row, :] for name, volume in volumes.items()}
    scale = ColourScale.of(slices.values(), clip=clip)
    across = min(len(volumes), MAX_ACROSS)
    layouts = {name: _lines(volume) for name, volume in volumes.items()}
    width = (WIDTH - 2 * MARGIN + PANEL_GAP) // across - PANEL_GAP
    height = TITLE_HEIGHT + max(lines.height for lines in layouts.values()) + AXIS_HEIGHT
    sheet = Sheet(WIDTH, HEADER_HEIGHT + -(-len(volumes) // across) * height + LEGEND_HEIGHT)
    draw_header(sheet, f"{volume_title(first)}, row {row}", first.provenance)
    for index, (name, volume) in enumerate(volumes.items()):
        x, y = MARGIN + index % across * (width + PANEL_GAP), HEADER_HEIGHT + index // across * height
        draw_panel_title(sheet, (x, y), name, groups=None, room=width)
        _draw_margins(sheet, (x, y + TITLE_HEIGHT), volume, lines=layouts[name], width=width)
        inner = width - LABEL_WIDTH - STRIP_WIDTH - GROUP_WIDTH
        # Channels are never averaged: a line keeps its values, columns fit the panel.
        colours = scale.rgb(resize(slices[name], (volume.shape[0], inner)))
        left = x + LABEL_WIDTH + STRIP_WIDTH
        _draw_values(sheet, (left, y + TITLE_HEIGHT), colours, lines=layouts[name], columns=volume.shape[2])
    missing = max(int(np.count_nonzero(~np.isfinite(values))) for values in slices.values())
    notes = ["a line: one row of one map; left: original channel"]
    if any(volume.groups is not None for volume in volumes.values()):
        notes.append("strip and right: group; grey: constant channel")
    draw_legend(sheet, sheet.height - LEGEND_HEIGHT, scale, quantity=first.quantity, missing=missing, notes=notes)
    return sheet.figure()


def _lines(volume: Volume) -> _Lines:
    channels = volume.shape[0]
    line = int(np.clip(TARGET_HEIGHT // channels, MIN_LINE, MAX_LINE))
    breaks = np.zeros(channels, dtype=np.int64)
    for span in volume.group_spans[1:]:
        breaks[span.start :] += 1
    return _Lines(np.arange(channels) * line + breaks * GROUP_GAP, line)


def _draw_margins(sheet: Sheet, origin: tuple[int, int], volume: Volume, *, lines: _Lines, width: int) -> None:
    """Draw original channels and group strip left of the values, the groups' numbers right of them."""
    x, y = origin
    labelled = -np.inf
    for channel, top in zip(volume.channels, lines.tops, strict=True):
        if top - labelled >= LABEL_PITCH:
            sheet.text(x + LABEL_WIDTH - 8, y + top + lines.line / 2, str(channel), align="right")
            labelled = top
    if volume.groups is None:
        return
    for group, top in zip(volume.groups, lines.tops, strict=True):
        sheet.fill(x + LABEL_WIDTH, y + top, STRIP_WIDTH, lines.line, colour=group_colour(int(group)))
    labelled = -np.inf
    for span in volume.group_spans:
        middle = (lines.tops[span.start] + lines.tops[span.stop - 1] + lines.line) / 2
        if span.group >= 0 and middle - labelled >= LABEL_PITCH:
            sheet.text(x + width - GROUP_WIDTH + 10, y + middle, str(span.group), colour=QUIET)
            labelled = middle


def _draw_values(
    sheet: Sheet, origin: tuple[int, int], colours: NDArray[np.uint8], *, lines: _Lines, columns: int
) -> None:
    """Draw the (C, w, 3) colours as lines, and below them the axis of the columns."""
    x, y = origin
    width = colours.shape[1]
    for top, line in zip(lines.tops, colours, strict=True):
        sheet.paste(x, y + int(top), np.broadcast_to(line, (lines.line, width, 3)))
    bottom = y + lines.height + 20
    sheet.text(x, bottom, "0")
    sheet.text(x + width / 2, bottom, "column", align="center", colour=QUIET)
    sheet.text(x + width, bottom, str(columns - 1), align="right")
