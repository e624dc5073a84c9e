"""Filters of a first layer as small pictures, alone or beside the maps they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.errors import InvalidInputError
from cnnvis.core.ordering import Ordering
from cnnvis.core.palette import MISSING_COLOUR
from cnnvis.core.provenance import Provenance
from cnnvis.core.volume import Volume
from cnnvis.report.parts import (
    HEADER_HEIGHT,
    LEGEND_HEIGHT,
    TITLE_HEIGHT,
    draw_header,
    draw_legend,
    draw_panel_title,
    volume_title,
)
from cnnvis.report.scale import ColourScale
from cnnvis.report.sheet import Sheet
from cnnvis.report.style import MARGIN, PAPER, QUIET, WIDTH, to_bytes
from cnnvis.report.tiles import TileGrid, constant_tiles, cross_out, draw_tiles, fit_grid, resize

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_HEIGHT = 1000
PAIR_GAP = 4
NOTE_HEIGHT = 56


def filter_images(weights: NDArray[Any]) -> NDArray[np.uint8]:
    """Return each filter of a convolution as a small picture, (C, kh, kw, 3).

    Each filter is scaled on its own. With 3 inputs (RGB) or 1 (grey), middle grey is 0, black and white are minus
    and plus its largest |weight|; with any other number the picture is the L2 norm over the inputs, black for 0.
    NaN and infinity take the missing colour.

    Parameters
    ----------
    weights : (C, inputs, kh, kw) ndarray of float
    """
    weights = np.asarray(weights, dtype=np.float64)
    if weights.ndim != 4 or 0 in weights.shape:
        raise InvalidInputError(f"Filters need weights (channels, inputs, rows, columns), got shape {weights.shape}.")
    missing = ~np.isfinite(weights).all(axis=1)
    weights = np.where(np.isfinite(weights), weights, 0)
    signed = weights.shape[1] in (1, 3)
    shown = weights if signed else np.sqrt((weights**2).sum(axis=1, keepdims=True))
    largest = np.abs(shown).max(axis=(1, 2, 3), keepdims=True)
    shown = shown / np.where(largest > 0, largest, 1)
    grey = np.round(255 * (shown / 2 + 0.5 if signed else shown)).astype(np.uint8)
    images = np.ascontiguousarray(np.broadcast_to(np.moveaxis(grey, 1, -1), (*missing.shape, 3)))
    images[missing] = to_bytes(MISSING_COLOUR)
    return images


def filter_tiles(
    weights: NDArray[Any],
    ordering: Ordering | None = None,
    *,
    name: str = "",
    layer: str = "",
    provenance: Provenance | None = None,
) -> Figure:
    """Return the filters of a layer as labelled tiles, in the network's order or that of `ordering`.

    Parameters
    ----------
    weights : (C, inputs, kh, kw) ndarray of float
        In the network's own order.
    ordering : Ordering, optional
        Also gives the groups.
    name : str
        Panel title; default is the ordering's method.
    layer : str
        Name for the figure's title.
    provenance : Provenance, optional
        Model for the title.
    """
    images = filter_images(weights)
    channels, groups = np.arange(len(images)), None
    if ordering is not None:
        channels = ordering.permutation
        groups = None if ordering.groups is None else ordering.apply(ordering.groups)
        images = ordering.apply(images)
    grid = fit_grid(len(images), images.shape[1:3], width=WIDTH - 2 * MARGIN, height=MAX_HEIGHT)
    tiles = _enlarged(images, grid.tile)
    sheet = Sheet(WIDTH, HEADER_HEIGHT + TITLE_HEIGHT + grid.height + NOTE_HEIGHT)
    kind, size = _filter_kind(weights.shape)
    draw_header(sheet, f"{layer or 'layer'}: {len(images)} {kind} filters of {size}", provenance or Provenance())
    name = name or ("original" if ordering is None else ordering.method)
    draw_panel_title(sheet, (MARGIN, HEADER_HEIGHT), name, groups=groups, room=WIDTH - 2 * MARGIN)
    draw_tiles(sheet, (MARGIN, HEADER_HEIGHT + TITLE_HEIGHT), grid, tiles=tiles, channels=channels, groups=groups)
    sheet.text(MARGIN, sheet.height - NOTE_HEIGHT / 2, _filter_note(weights.shape[1]), colour=QUIET)
    return sheet.figure()


def filters_and_maps(
    weights: NDArray[Any], volume: Volume, *, name: str = "", clip: tuple[float, float] = (1.0, 99.0)
) -> Figure:
    """Return pairs of a filter and the map it makes, in the order of `volume`.

    Parameters
    ----------
    weights : (C, inputs, kh, kw) ndarray of float
        Of the convolution behind the maps, in the network's own order.
    volume : Volume
    name : str
        Panel title; default is the volume's ordering method.
    clip : (low, high) of float, default: (1, 99)
        Percentiles that bound the colours of the maps.

    Raises
    ------
    InvalidInputError
        When filters and maps differ in number.
    """
    images = filter_images(weights)
    if len(images) != volume.shape[0]:
        raise InvalidInputError(
            f"Layer {volume.layer!r} has {volume.shape[0]} maps but {len(images)} filters; give the weights of the "
            "convolution that makes these maps."
        )
    _, height, width = volume.shape
    # Filter and map of a pair are equally high.
    share = images.shape[2] / images.shape[1]
    grid = fit_grid(len(images), (height, round(width + share * height)), width=WIDTH - 2 * MARGIN, height=MAX_HEIGHT)
    scale = ColourScale.of([volume.values], clip=clip)
    tiles = _pairs(images[volume.channels], volume, grid, scale=scale)
    sheet = Sheet(WIDTH, HEADER_HEIGHT + TITLE_HEIGHT + grid.height + 30 + LEGEND_HEIGHT)
    draw_header(sheet, f"{volume_title(volume)}, beside the filters", volume.provenance)
    origin = (MARGIN, HEADER_HEIGHT)
    draw_panel_title(sheet, origin, name or volume.method, groups=volume.groups, room=WIDTH - 2 * MARGIN)
    origin = (MARGIN, HEADER_HEIGHT + TITLE_HEIGHT)
    draw_tiles(sheet, origin, grid, tiles=tiles, channels=volume.channels, groups=volume.groups)
    kind, size = _filter_kind(weights.shape)
    notes = (f"left of each pair: {kind} filter of {size}", _filter_note(weights.shape[1]))
    draw_legend(
        sheet, sheet.height - LEGEND_HEIGHT, scale, quantity=volume.quantity, missing=volume.n_missing, notes=notes
    )
    return sheet.figure()


def _pairs(images: NDArray[np.uint8], volume: Volume, grid: TileGrid, *, scale: ColourScale) -> NDArray[np.uint8]:
    height, width = grid.tile
    left = max(round(height * images.shape[2] / images.shape[1]) - PAIR_GAP, 1)
    tiles = np.empty((len(images), height, width, 3), dtype=np.uint8)
    tiles[:] = to_bytes(PAPER)
    tiles[:, :, :left] = _enlarged(images, (height, left))
    right = left + PAIR_GAP
    maps = scale.rgb(resize(volume.values, (height, width - right)))
    for position in np.flatnonzero(constant_tiles(volume.values)):
        cross_out(maps[position])
    tiles[:, :, right:] = maps
    return tiles


def _enlarged(images: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Return (C, h, w, 3) pictures at another size, each pixel kept as a square."""
    rows = np.arange(shape[0]) * images.shape[1] // shape[0]
    columns = np.arange(shape[1]) * images.shape[2] // shape[1]
    return images[:, rows[:, None], columns]


def _filter_kind(shape: tuple[int, ...]) -> tuple[str, str]:
    return {1: "grey", 3: "RGB"}.get(shape[1], f"{shape[1]}-input"), f"{shape[2]} × {shape[3]}"


def _filter_note(inputs: int) -> str:
    if inputs in (1, 3):
        return "each filter scaled on its own: middle grey is 0, full colour ± its largest |weight|"
    return "each filter scaled on its own: black is 0, white the largest L2 norm over its inputs"
