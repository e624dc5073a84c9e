"""Lines between the maps of a network, and between their pixels: where they run and what colour they have."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import NetworkMaps
from cnnvis.core.pixel_links import PixelLines, PixelLinks
from cnnvis.layout.tiles import Tiles, lines_between
from cnnvis.rendering.style import RGB
from cnnvis.scene.tiles_item import ShownMaps, TilesItem

Places = NDArray[np.float64]

POSITIVE, NEGATIVE = np.array([230, 97, 1]) / 255, np.array([94, 60, 153]) / 255
"""Colours of links, orange and purple: told apart by the colour-blind, too, and from the values of maps."""

FAINTEST = 0.08
"""How much of its colour the weakest link has."""


GREY = 0.3
"""How dark what a pooling reads is, beside weights."""


LESS = 8
"""Times fewer lines has a pooling: they are all alike."""


class Lines(NamedTuple):
    """Lines of one number of points.

    Parameters
    ----------
    points : (N, P, 3) float64, scene units
    strengths : (N,) float64
        -1 to 1, negative for a kernel, or a product, that is so.
    ends : (N, 2) int64
        The maps at their ends, numbered through the network.
    signed : (N,) bool
        False for what a pooling reads: neither excites nor inhibits.
    """

    points: Places
    strengths: NDArray[np.float64]
    ends: NDArray[np.int64]
    signed: NDArray[np.bool_]

    def only(self, chosen: NDArray[Any]) -> Lines:
        """Return some of them."""
        return Lines(*(part[chosen] for part in self))

    def colours(self, text: RGB, background: RGB, brightness: float) -> NDArray[np.float64]:
        """Return the colour of each, (N, 3): the weaker, the nearer to the background; what has no sign is grey."""
        share = np.clip(FAINTEST + (1 - FAINTEST) * np.abs(self.strengths), 0, 1)
        share = np.clip(brightness * np.where(self.signed, share, GREY * share), 0, 1)[:, None]
        ink = np.where(self.strengths[:, None] < 0, NEGATIVE, POSITIVE)
        ink = np.where(self.signed[:, None], ink, np.array(text))
        mixed: NDArray[np.float64] = ink * share + np.array(background) * (1 - share)
        return mixed


NO_LINES = Lines(np.empty((0, 2, 3)), np.empty(0), np.empty((0, 2), np.int64), np.empty(0, bool))


def lines_of_maps(item: TilesItem, shown: ShownMaps, tiles: Tiles, middles: Places) -> Lines:
    """Return the links between whole maps that are drawn, strong ones last.

    Parameters
    ----------
    item : TilesItem
    shown : ShownMaps
    tiles : Tiles
    middles : (L, 3) ndarray
        Of the layers: links are gathered half-way between these.
    """
    maps: NetworkMaps = item.data
    ends = shown.tile_of_map[maps.link_ends]
    there = (ends >= 0).all(axis=1)
    if item.expansion > 1 and maps.pixel_links:
        layers = maps.units.layer_of(maps.link_ends[:, 1])
        there &= ~np.isin(layers, [links.target for links in maps.pixel_links])
    order = np.flatnonzero(there)[np.argsort(np.abs(maps.link_weights[there]), kind="stable")]
    starts, stops = tiles.centres[ends[order, 0]], tiles.centres[ends[order, 1]]
    straight, gate = (starts + stops) / 2, middles[tiles.layer[ends[order]]].mean(axis=1)
    points = lines_between(starts, stops, straight + max(1 - item.expansion, 0) * (gate - straight))
    weights = maps.link_weights[order]
    strengths = weights / max(np.abs(weights).max(initial=0.0), 1e-12)
    return Lines(points, strengths, maps.link_ends[order], np.ones(len(order), bool))


class PixelLineSets:
    """Links between pixels, layer by layer; which they are at all positions is found once.

    Parameters
    ----------
    maps : NetworkMaps
    most : int
        Lines at most, shared out among the layers.
    """

    def __init__(self, maps: NetworkMaps, most: int) -> None:
        self._maps, self.most = maps, most
        n_weighted = sum(links.weighted for links in maps.pixel_links)
        self._quota = max(most // (n_weighted + (len(maps.pixel_links) - n_weighted) / LESS), 1)
        self._everywhere: dict[int, PixelLines] = {}

    def lines(self, item: TilesItem, shown: ShownMaps, tiles: Tiles) -> Lines:
        """Return the lines of one position, or on their way to all: those of poolings first, strong ones last."""
        found = [self._of_layer(number, links, item) for number, links in enumerate(self._maps.pixel_links)]
        placed = [_placed(*one, item, shown, tiles, self._maps) for one in found]
        joined = Lines(*(np.concatenate(parts) for parts in zip(*placed, strict=True)))
        return joined.only(np.argsort(np.where(joined.signed, np.abs(joined.strengths), -1), kind="stable"))

    def _of_layer(self, number: int, links: PixelLinks, item: TilesItem) -> tuple[PixelLinks, PixelLines, PixelLines]:
        """Return lines of a layer and where the same entries are at the one position."""
        quota = int(self._quota if links.weighted else max(self._quota // LESS, 1))
        position = np.array(links.position((item.row, item.column)))
        if item.expansion <= 2:
            lines = links.at(position[None])
            if len(lines.entry) > quota:
                chosen = np.sort(np.argsort(-np.abs(links.weights[lines.entry]), kind="stable")[:quota])
                lines = PixelLines(*(part[chosen] for part in lines))
            return links, lines, lines
        if number not in self._everywhere:
            self._everywhere[number] = links.strongest(quota, self._maps.values[links.source])
        lines = self._everywhere[number]
        n = len(lines.entry)
        source = np.stack(
            [
                links.rows[position[0], links.places[lines.entry, 0]],
                links.columns[position[1], links.places[lines.entry, 1]],
            ],
            axis=1,
        )
        source = np.where(source < 0, lines.source, source)  # padding there: it comes from where it goes
        return links, lines, PixelLines(lines.entry, source, np.tile(position, (n, 1)))


def _placed(
    links: PixelLinks,
    lines: PixelLines,
    home: PixelLines,
    item: TilesItem,
    shown: ShownMaps,
    tiles: Tiles,
    maps: NetworkMaps,
) -> Lines:
    """Return lines in space, between one position and all of them, between pixels and the middles of their maps."""
    first = maps.units.offsets
    ends = links.maps[lines.entry] + np.array([first[links.source], first[links.target]])
    drawn = shown.tile_of_map[ends]
    there = (drawn >= 0).all(axis=1)
    to_pixels, to_all = min(item.expansion - 1, 1.0), max(item.expansion - 2, 0.0)
    points = []
    for side, layer in enumerate((links.source, links.target)):
        size = np.array(maps.values[layer].shape[1:])
        pixels = ((1 - to_all) * home[1 + side] + to_all * lines[1 + side] + 0.5) / size - 0.5
        tile = drawn[there, side]
        shift = to_pixels * pixels[there][:, ::-1] * tiles.sides[tile]
        points.append(tiles.centres[tile] + np.pad(shift, ((0, 0), (0, 1))))
    weights = links.weights[lines.entry]
    if item.links_by == "product":
        weights = links.values(lines, maps.values[links.source])
    strengths = weights / max(np.abs(weights).max(initial=0.0), 1e-12)
    return Lines(np.stack(points, axis=1), strengths[there], ends[there], np.full(there.sum(), links.weighted))
