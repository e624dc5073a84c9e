"""Which tile of a network's maps is seen at a pixel, and outlines around those that are selected."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.pane import Pane
from cnnvis.rendering.screen_box import frame_lines
from cnnvis.rendering.tiles_artist import TilesArtist, line_actor, show_lines
from cnnvis.scene import Selection

Places = NDArray[np.float64]


LINK_WIDTH, BRIGHT = 2.0, 2.0
"""Of the links of a selected map."""


class Pixel(NamedTuple):
    """A pixel of a tile: the tile's number, row and column, and where it was hit (3,)."""

    tile: int
    row: int
    column: int
    place: Places


def pixel_at(artist: TilesArtist, start: Places, direction: Places) -> Pixel | None:
    """Return the pixel that a ray meets first; None where it meets no tile.

    Parameters
    ----------
    artist : TilesArtist
    start, direction : (3,) ndarray of float
        Of the ray, scene units; `direction` has length 1.
    """
    if artist.item.opacity == 0 or direction[2] == 0:
        return None
    tiles = artist.tiles()
    distance = (tiles.centres[:, 2] - start[2]) / direction[2]
    places = start + distance[:, None] * direction
    shares = (places[:, :2] - tiles.centres[:, :2]) / tiles.sides + 0.5  # of its width and height
    met = np.flatnonzero((distance > 0) & (shares >= 0).all(axis=1) & (shares < 1).all(axis=1))
    if not met.size:
        return None
    tile = int(met[distance[met].argmin()])
    height, width = artist.shown.stacks[tiles.layer[tile]].shape[1:]
    column, row = (shares[tile] * (width, height)).astype(int)
    return Pixel(tile, int(row), int(column), places[tile])


def tile_marks(artist: TilesArtist, selection: Selection, pane: Pane) -> list[vtk.vtkActor]:
    """Return outlines around the tiles of the selected units and layers, and their links; none without any.

    The other links step back.
    """
    units, selected = artist.item.data.units, set()
    for layer, size in units.parts:
        first = units.range(layer).start
        own = range(size) if layer in selection.layers else (c for name, c in selection.units if name == layer)
        selected |= {int(artist.shown.tile_of_map[first + channel]) for channel in own if channel < size}
    chosen = sorted(selected - {-1})
    artist.fade_links(bool(chosen))
    if not chosen:
        return []
    corners = artist.tiles().corners[chosen].reshape(-1, 3)
    pairs = [[4 * tile + a, 4 * tile + (a + 1) % 4] for tile in range(len(chosen)) for a in range(4)]
    actor = frame_lines(corners, pairs, pane)
    actor.GetProperty().SetColor(*pane.theme.text)
    actor.GetProperty().SetLineWidth(pane.font / 7)
    return [actor, *_links_of(artist, chosen, pane)]


def _links_of(artist: TilesArtist, chosen: list[int], pane: Pane) -> list[vtk.vtkActor]:
    """Return the links into and out of some tiles."""
    actors = []
    for lines in artist.drawn_links:
        own = lines.only(np.isin(artist.shown.tile_of_map[lines.ends], chosen).any(axis=1))
        if len(own.points):
            actors.append(line_actor(LINK_WIDTH))
            colours = own.colours(pane.theme.text, pane.theme.background, BRIGHT * artist.item.link_brightness)
            show_lines(actors[-1], own.points, colours)
    return actors
