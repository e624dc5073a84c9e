"""All maps of a layer side by side, in one or several orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

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
from cnnvis.report.style import MARGIN, WIDTH
from cnnvis.report.tiles import TileGrid, constant_tiles, cross_out, draw_tiles, fit_grid, resize

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_PANEL_HEIGHT, MAX_TILES_HEIGHT = 1000, 2340
MIN_PANEL_WIDTH = 480
PANEL_GAP = 30


def mosaic(
    volumes: Mapping[str, Volume],
    *,
    clip: tuple[float, float] = (1.0, 99.0),
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Return the mosaic of all channels of a layer, one panel per order, all on one colour scale.

    Every tile is labelled with its original channel; labels are dropped where they do not fit (more than about
    250 channels). The band over a tile has the colour of its group, a dark line parts neighbours of different groups,
    a constant channel is crossed out, and NaN or infinity is magenta.

    Parameters
    ----------
    volumes : mapping of str to Volume
        One layer's maps by the name of the order, in the order shown.
    clip : (low, high) of float, default: (1, 99)
        Percentiles that bound the colours.
    limits : (low, high) of float, optional
        A given range instead.

    Returns
    -------
    Figure
        `WIDTH` pixels wide. Cost: about 0.3 s to draw 3 orders of 32 maps of 112 x 112, 0.5 s for 96.

    Raises
    ------
    InvalidInputError
        When there is no volume, or they are not one layer's.
    """
    first = check_volumes(volumes)
    scale = ColourScale.of((volume.values for volume in volumes.values()), clip=clip, limits=limits)
    channels, height, width = first.shape
    room = WIDTH - 2 * MARGIN
    allowed = min(MAX_PANEL_HEIGHT, MAX_TILES_HEIGHT // len(volumes))
    grid = fit_grid(channels, (height, width), width=room, height=allowed)
    # A handful of channels leaves room for several panels beside each other.
    across = max((room + PANEL_GAP) // (max(grid.width, MIN_PANEL_WIDTH) + PANEL_GAP), 1)
    pitch = ((room + PANEL_GAP) // across, TITLE_HEIGHT + grid.height + PANEL_GAP)
    lines = -(-len(volumes) // across)
    sheet = Sheet(WIDTH, HEADER_HEIGHT + lines * pitch[1] + LEGEND_HEIGHT)
    draw_header(sheet, volume_title(first), first.provenance)
    for index, (name, volume) in enumerate(volumes.items()):
        x, y = MARGIN + index % across * pitch[0], HEADER_HEIGHT + index // across * pitch[1]
        draw_panel_title(sheet, (x, y), name, groups=volume.groups, room=pitch[0] - PANEL_GAP)
        _draw_panel(sheet, (x, y + TITLE_HEIGHT), grid, volume=volume, scale=scale)
    missing = max(volume.n_missing for volume in volumes.values())
    bottom = sheet.height - LEGEND_HEIGHT
    draw_legend(sheet, bottom, scale, quantity=first.quantity, missing=missing, notes=_notes(first, grid))
    return sheet.figure()


def _draw_panel(sheet: Sheet, origin: tuple[int, int], grid: TileGrid, *, volume: Volume, scale: ColourScale) -> None:
    tiles = scale.rgb(resize(volume.values, grid.tile))
    for position in np.flatnonzero(constant_tiles(volume.values)):
        cross_out(tiles[position])
    draw_tiles(sheet, origin, grid, tiles=tiles, channels=volume.channels, groups=volume.groups)


def _notes(volume: Volume, grid: TileGrid) -> tuple[str, ...]:
    order = "left to right, then down"
    label = f"label: original channel; order: {order}" if grid.labelled else f"order: {order}; too many to label"
    constant = int(constant_tiles(volume.values).sum())
    return (label, f"crossed out: {constant} constant channel{'s' if constant > 1 else ''}") if constant else (label,)
