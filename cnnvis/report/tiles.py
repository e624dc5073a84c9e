"""A grid of tiles, one per channel: layout, resampling, drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.palette import NO_GROUP_COLOUR, group_colour
from cnnvis.report.sheet import Sheet, text_width
from cnnvis.report.style import INK, OUTLINE, SHADE, ink_on, to_bytes

GAP = 8
SEPARATOR = 4
MAX_TILE = 380
LABEL_BAND, BARE_BAND = 32, 8
"""Height in pixels of the coloured band over a tile, with and without its label."""


@dataclass(frozen=True, slots=True)
class TileGrid:
    """Where the tiles of one panel lie; position 0 at the upper left, read row by row.

    Parameters
    ----------
    n : int
        Number of tiles.
    columns : int
    tile : (height, width) of int
        Pixels of one tile, without its band.
    labelled : bool
        Whether every tile's label fits over it.
    """

    n: int
    columns: int
    tile: tuple[int, int]
    labelled: bool

    @property
    def rows(self) -> int:
        """Number of rows."""
        return -(-self.n // self.columns)

    @property
    def band(self) -> int:
        """Height of the band over each tile."""
        return LABEL_BAND if self.labelled else BARE_BAND

    @property
    def width(self) -> int:
        """Width of the whole grid in pixels."""
        return self.columns * (self.tile[1] + GAP) - GAP

    @property
    def height(self) -> int:
        """Height of the whole grid in pixels."""
        return self.rows * (self.band + self.tile[0] + GAP) - GAP

    def corner(self, position: int) -> tuple[int, int]:
        """Return (x, y) of the upper left corner of a tile's picture (its band lies above)."""
        row, column = divmod(position, self.columns)
        return (column * (self.tile[1] + GAP), row * (self.band + self.tile[0] + GAP) + self.band)


def fit_grid(n: int, shape: tuple[int, int], *, width: int, height: int) -> TileGrid:
    """Return the grid with the largest tiles that fits `width` x `height` pixels.

    Labels are dropped where tiles are narrower than the label of the last channel; where nothing fits, the
    result is as wide as allowed and higher than asked.

    Parameters
    ----------
    n : int
    shape : (H, W)
        Shape of one map; tiles keep its aspect.
    """
    label = text_width(str(max(n - 1, 10))) + 8
    best = None
    for rows in range(1, n + 1):
        columns = -(-n // rows)
        across = min((width + GAP) // columns - GAP, MAX_TILE)
        if across < 1:
            continue
        tile = (max(round(across * shape[0] / shape[1]), 1), across)
        grid = TileGrid(n, columns, tile, labelled=across >= label)
        if best is None or (grid.height <= height and across > best.tile[1]):
            best = grid
    assert best is not None
    return best


def resize(maps: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """Return (..., H, W) maps at another pixel size: mean over the area of each new pixel.

    Enlarged maps keep their square pixels. A new pixel that touches NaN or infinity is NaN: nothing missing gets lost.
    Cost: two products with (h, H) and (W, w) matrices per map.
    """
    down = _area_weights(maps.shape[-2], shape[0]).astype(maps.dtype)
    across = _area_weights(maps.shape[-1], shape[1]).astype(maps.dtype)
    finite = np.isfinite(maps)
    if finite.all():
        return np.asarray(down @ maps @ across.T)
    result: NDArray[Any] = down @ np.where(finite, maps, 0) @ across.T
    result[(down @ (~finite).astype(maps.dtype) @ across.T) > 0] = np.nan
    return result


def _area_weights(old: int, new: int) -> NDArray[np.float64]:
    """Return the (new, old) matrix whose row i holds the shares of the old pixels in new pixel i."""
    edges = np.arange(new + 1) * (old / new)
    start, stop = edges[:-1, None], edges[1:, None]
    pixel = np.arange(old)[None]
    overlap: NDArray[np.float64] = np.clip(np.minimum(stop, pixel + 1) - np.maximum(start, pixel), 0, None)
    # Overlaps that are nothing but rounding would spread a missing pixel into its neighbour.
    overlap[overlap < 1e-9] = 0
    return np.asarray(overlap / overlap.sum(axis=1, keepdims=True))


def constant_tiles(maps: NDArray[Any]) -> NDArray[np.bool_]:
    """Return (C,) whether each map holds one finite value only."""
    flat = maps.reshape(maps.shape[0], -1)
    return np.asarray(flat.min(axis=1) == flat.max(axis=1))


def cross_out(tile: NDArray[np.uint8]) -> None:
    """Draw both diagonals over a tile, in place: the mark of a constant channel."""
    height, width = tile.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width]
    down = columns * height - rows * width
    up = columns * height + rows * width - height * width
    near = max(min(height, width) // 60, 1) * max(height, width)
    tile[(np.abs(down) <= near) | (np.abs(up) <= near)] = to_bytes(NO_GROUP_COLOUR)


def draw_tiles(
    sheet: Sheet,
    origin: tuple[int, int],
    grid: TileGrid,
    *,
    tiles: NDArray[np.uint8],
    channels: NDArray[np.int64],
    groups: NDArray[np.int64] | None,
) -> None:
    """Draw tiles with their bands, labels and group separators.

    Parameters
    ----------
    origin : (x, y)
        Upper left corner of the grid.
    tiles : (C, h, w, 3) ndarray of uint8
        In the order shown, of the grid's tile size.
    channels : (C,) ndarray of int
        Labels.
    groups : (C,) ndarray of int or None
        Colours of the bands; a dark line separates neighbours of different groups.
    """
    height, width = grid.tile
    for position, tile in enumerate(tiles):
        x, y = (start + offset for start, offset in zip(origin, grid.corner(position), strict=True))
        colour = SHADE if groups is None else group_colour(int(groups[position]))
        follows = (position + 1) % grid.columns and position + 1 < grid.n
        same = bool(follows) and groups is not None and groups[position] == groups[position + 1]
        sheet.fill(x, y - grid.band, width + (GAP if same else 0), grid.band, colour=colour)
        sheet.fill(x - 1, y - 1, width + 2, height + 2, colour=OUTLINE)
        sheet.paste(x, y, tile)
        if grid.labelled:
            sheet.text(x + 5, y - grid.band / 2, str(channels[position]), colour=ink_on(colour))
        if follows and groups is not None and not same:
            middle = x + width + (GAP - SEPARATOR) // 2
            sheet.fill(middle, y - grid.band, SEPARATOR, grid.band + height, colour=INK)
