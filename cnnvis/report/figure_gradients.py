"""Gradients of a layer's filters as tiles, one row of them per case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.errors import InvalidInputError
from cnnvis.core.provenance import Provenance
from cnnvis.core.volume import Volume
from cnnvis.report.parts import (
    HEADER_HEIGHT,
    LEGEND_HEIGHT,
    TITLE_HEIGHT,
    check_volumes,
    draw_header,
    draw_legend,
    draw_panel_title,
)
from cnnvis.report.scale import ColourScale
from cnnvis.report.sheet import Sheet
from cnnvis.report.style import MARGIN, OUTLINE, WIDTH
from cnnvis.report.tiles import draw_tiles, fit_grid, resize

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROW_HEIGHT = 270
"""Most height of the tiles of one case in pixels."""
ROW_GAP = 26
THUMBNAIL = 168
"""Side of the place of a case's image in pixels."""


def gradient_tiles(
    volumes: Mapping[str, Volume],
    *,
    images: Mapping[str, NDArray[np.uint8]] | None = None,
    clip: tuple[float, float] = (1.0, 99.0),
    provenance: Provenance | None = None,
) -> Figure:
    """Return the gradient of every filter as a tile, one row of tiles per case, all on one colour scale.

    Parameters
    ----------
    volumes : mapping of str to Volume
        Gradients of one layer's filters, (filters, rows, columns), by the caption of the case, such as "Shirt,
        classified right (0.93)".
    images : mapping of str to (H, W, 3) ndarray of uint8, optional
        By the same captions: shown beside the tiles.
    clip : (low, high) of float, default: (1, 99)
        Percentiles that bound the colours; of signed gradients the high one of their magnitude, about 0.
    provenance : Provenance, optional
        Default is the first volume's.

    Returns
    -------
    Figure

    Raises
    ------
    InvalidInputError
        When there is no volume, they are not one layer's, or an image belongs to no case.
    """
    first = check_volumes(volumes)
    images = images or {}
    strangers = sorted(set(images) - set(volumes))
    if strangers:
        raise InvalidInputError(f"Images belong to cases that have no gradients: {', '.join(strangers)}.")
    scale = ColourScale.of((volume.values for volume in volumes.values()), clip=clip)
    left = MARGIN + (THUMBNAIL + ROW_GAP if images else 0)
    filters, height, width = first.shape
    grid = fit_grid(filters, (height, width), width=WIDTH - MARGIN - left, height=ROW_HEIGHT)
    block = TITLE_HEIGHT + max(grid.height, THUMBNAIL if images else 0) + ROW_GAP
    sheet = Sheet(WIDTH, HEADER_HEIGHT + len(volumes) * block + LEGEND_HEIGHT)
    title = f"{first.layer or 'layer'}: {first.quantity} of {filters} filters of {height} × {width}"
    draw_header(sheet, title, provenance or first.provenance)
    for row, (caption, volume) in enumerate(volumes.items()):
        y = HEADER_HEIGHT + row * block
        draw_panel_title(sheet, (MARGIN, y), caption, groups=None, room=WIDTH - 2 * MARGIN)
        if caption in images:
            _paste_image(sheet, (MARGIN, y + TITLE_HEIGHT), images[caption])
        tiles = scale.rgb(resize(volume.values, grid.tile))
        origin = (left, y + TITLE_HEIGHT)
        draw_tiles(sheet, origin, grid, tiles=tiles, channels=volume.channels, groups=volume.groups)
    notes = ["label: filter; order: left to right, then down"] if grid.labelled else ["too many filters to label"]
    missing = max(volume.n_missing for volume in volumes.values())
    bottom = sheet.height - LEGEND_HEIGHT
    draw_legend(sheet, bottom, scale, quantity=first.quantity, missing=missing, notes=notes)
    return sheet.figure()


def _paste_image(sheet: Sheet, origin: tuple[int, int], image: NDArray[np.uint8]) -> None:
    """Paste an image into the upper left of its place: a small one enlarged by a whole factor, its pixels squares."""
    from PIL import Image

    longest = max(image.shape[:2])
    factor = THUMBNAIL // longest if longest <= THUMBNAIL else THUMBNAIL / longest
    height, width = (max(round(side * factor), 1) for side in image.shape[:2])
    resampling = Image.Resampling.NEAREST if factor >= 1 else Image.Resampling.LANCZOS
    fitted = Image.fromarray(np.ascontiguousarray(image)).resize((width, height), resampling)
    sheet.fill(origin[0] - 1, origin[1] - 1, width + 2, height + 2, colour=OUTLINE)
    sheet.paste(*origin, np.asarray(fitted))
