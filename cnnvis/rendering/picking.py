"""What a picture shows at a pixel, and which units are inside a rectangle of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import PolylineSet, Volume
from cnnvis.core.ranks import ranks_from_top
from cnnvis.rendering.hits import Hit, LineHit, MatrixHit, Place, TileHit, UnitHit, VolumeHit
from cnnvis.rendering.matrix_artist import MatrixArtist
from cnnvis.rendering.network_geometry import as_lines
from cnnvis.rendering.pick_matrix import cell_at
from cnnvis.rendering.pick_network import NetworkScreen, PieceHit
from cnnvis.rendering.pick_tiles import Pixel, pixel_at
from cnnvis.rendering.pick_volume import voxel_at
from cnnvis.rendering.scene_renderer import SceneRenderer
from cnnvis.rendering.sight import Sight
from cnnvis.rendering.tiles_artist import TilesArtist
from cnnvis.rendering.volume_artist import VolumeArtist
from cnnvis.scene import BundleItem, GlyphsItem, MatrixItem, SceneItem, VolumeItem
from cnnvis.scene.selection import Unit

Rectangle = tuple[float, float, float, float]
"""Left, bottom, right and top: pixels of the render window from its lower left corner."""


class Picker:
    """Answers what is where on one pane, as it was refreshed last.

    Parameters
    ----------
    drawn : SceneRenderer
        Whose renderer stands in a render window.

    Notes
    -----
    Pixels are those of the render window, from its lower left corner, as VTK and `ScenePanes.at` count them. The first
    question after the camera or the picture of a network has changed projects all lines: 0.15 s for 68,000 of
    14 points. `prepare` does it beforehand. Every further one takes about a millisecond.
    """

    def __init__(self, drawn: SceneRenderer) -> None:
        self.drawn = drawn
        self._sight = Sight.of(drawn.renderer)
        self._screen: NetworkScreen | None = None
        self._version = -1
        self._ranks: dict[str, tuple[PolylineSet, NDArray[np.int64]]] = {}

    @property
    def stale(self) -> bool:
        """Whether the next question will take long."""
        seen = Sight.of(self.drawn.renderer).equals(self._sight)
        return self._screen is None or self._version != self.drawn.network.version or not seen

    def prepare(self) -> NetworkScreen:
        """Project lines and units, if camera or picture are others than before, and return them.

        May run in another thread, while nothing refreshes the scene or moves the camera.
        """
        if self._screen is None or self.stale:
            self._sight, self._version = Sight.of(self.drawn.renderer), self.drawn.network.version
            self._screen = NetworkScreen(self.drawn.network, self._sight)
        return self._screen

    def at(self, x: float, y: float) -> Hit | None:
        """Return what the picture shows at a pixel: of several items the one that is met first; None for nothing."""
        screen, pixel = self.prepare(), self._on_pane(x, y)
        hits = list(self._solid_hits(pixel))
        found = screen.hit(*pixel)
        if found is not None:
            hits.append(self._network_hit(screen, found))
        return min(hits, key=lambda hit: hit.depth, default=None)

    def inside(self, rectangle: Rectangle) -> frozenset[Unit]:
        """Return the units that are seen with their middle inside a rectangle, of items that know their layers."""
        screen = self.prepare()
        left, bottom, right, top = rectangle
        low = self._on_pane(min(left, right), min(bottom, top)) - 0.5
        high = self._on_pane(max(left, right), max(bottom, top)) + 0.5
        pieces = screen.inside(low, high)
        items = screen.geometry.tone[screen.geometry.pairs[pieces, 0], 3]
        found: set[Unit] = set()
        for number, drawn in enumerate(self.drawn.network.drawn):
            units, owners = drawn.item.units, screen.geometry.owners[pieces[items == number]]
            if units is not None:
                found |= {units.split(_number(drawn.item, owner)) for owner in owners.tolist()}
        return frozenset(found)

    def _on_pane(self, x: float, y: float) -> NDArray[np.float64]:
        """Return the middle of a pixel of the window, from the lower left corner of the pane."""
        return np.array([x, y]) - self.drawn.renderer.GetOrigin() + 0.5

    # -- networks --------------------------------------------------------------------------------

    def _owner(self, screen: NetworkScreen, piece: int) -> tuple[BundleItem | GlyphsItem, int, int]:
        """Return the item that a piece is of, its place among those drawn, and the number of the line or unit."""
        geometry = screen.geometry
        number = int(geometry.tone[geometry.pairs[piece, 0], 3])
        return self.drawn.network.drawn[number].item, number, int(geometry.owners[piece])

    def _network_hit(self, screen: NetworkScreen, found: PieceHit) -> Hit:
        geometry = screen.geometry
        item, number, owner = self._owner(screen, found.piece)
        ends = geometry.pairs[found.piece] - geometry.points_of(number).start
        arrays = geometry.items[number].point_arrays
        weights = np.array([1 - found.along, found.along])
        shares = weights @ arrays["class_shares"][ends] if "class_shares" in arrays else np.zeros(0)
        common: dict[str, Any] = _common(item, found.place, found.depth)
        common |= {"shares": tuple(shares.tolist()), "class_names": item.class_names}
        common |= {"class_title": item.class_title, "measured": item.measured}
        if isinstance(item, GlyphsItem):
            unit = _number(item, owner)
            importance = float(arrays["importance"][ends[0]])
            return UnitHit(number=unit, unit=_unit(item, unit), importance=importance, **common)
        own, ranks = item.data.line_arrays, self._ranks_of(item)
        return LineHit(
            line=owner,
            source=_unit(item, own["source"][owner]) if "source" in own else None,
            target=_unit(item, own["target"][owner]) if "target" in own else None,
            t=float(weights @ arrays["t"][ends]),
            weight=float(own["weight"][owner]) if "weight" in own else None,
            importance=float(geometry.tone[geometry.pairs[found.piece, 0], 1]),
            rank=int(ranks[owner]),
            n_lines=len(ranks),
            **common,
        )

    def _ranks_of(self, item: BundleItem) -> NDArray[np.int64]:
        known = self._ranks.get(item.name)
        if known is None or known[0] is not item.data:
            known = item.data, ranks_from_top(as_lines(item.data).line_arrays["importance"])
            self._ranks[item.name] = known
        return known[1]

    # -- volumes and matrices --------------------------------------------------------------------

    def _solid_hits(self, pixel: NDArray[np.float64]) -> Iterator[Hit]:
        start, direction = self._sight.ray(*pixel)
        for artist in self.drawn.shown:
            if isinstance(artist, VolumeArtist) and (voxel := voxel_at(artist, start, direction)):
                index, place = voxel
                yield _volume_hit(artist.item, index.tolist(), _common(artist.item, place, self._sight.depth(place)))
            if isinstance(artist, MatrixArtist) and (cell := cell_at(artist, start, direction)):
                row, column, place = cell
                yield _matrix_hit(artist.item, row, column, _common(artist.item, place, self._sight.depth(place)))
            if isinstance(artist, TilesArtist) and (seen := pixel_at(artist, start, direction)):
                yield _tile_hit(artist, seen, _common(artist.item, seen.place, self._sight.depth(seen.place)))


def _common(item: SceneItem, place: NDArray[np.float64], depth: float) -> dict[str, Any]:
    at: Place = tuple(place.tolist())
    return {"item": item.name, "kind": item.kind, "place": at, "depth": float(depth)}


def _number(item: BundleItem | GlyphsItem, owner: int) -> int:
    """Return the number of the unit that a glyph shows."""
    return int(item.data.arrays["unit"][owner]) if "unit" in item.data.arrays else owner


def _unit(item: BundleItem | GlyphsItem, number: int) -> Unit | None:
    return None if item.units is None else item.units.split(int(number))


def _volume_hit(item: VolumeItem, voxel: list[int], common: dict[str, Any]) -> VolumeHit:
    volume: Volume = item.data
    position, row, column = voxel
    return VolumeHit(
        layer=volume.layer,
        channel=int(volume.channels[position]),
        position=position,
        row=row,
        column=column,
        value=float(volume.values[position, row, column]),
        quantity=volume.quantity,
        axis_names=volume.axis_names,
        importance=None if volume.weights is None else float(volume.weights[position]),
        group=None if volume.groups is None else int(volume.groups[position]),
        **common,
    )


def _matrix_hit(item: MatrixItem, row: int, column: int, common: dict[str, Any]) -> MatrixHit:
    labels = zip((item.row_name, item.column_name), (item.rows, item.columns), (row, column), strict=True)
    texts = [f"{name} {names[index] if names else index}".strip() for name, names, index in labels]
    return MatrixHit(
        row=row,
        column=column,
        row_text=texts[0],
        column_text=texts[1],
        value=float(item.data[row, column]),
        quantity=item.quantity,
        **common,
    )


def _tile_hit(artist: TilesArtist, seen: Pixel, common: dict[str, Any]) -> TileHit:
    maps, shown = artist.item.data, artist.shown
    own = np.flatnonzero(shown.tile_of_map == seen.tile)
    layer, channel = maps.units.split(int(own[0]))
    number = maps.layers.index(layer)
    first = np.cumsum([0, *(len(stack) for stack in shown.stacks)])[number]
    share = float(shown.stacks[number][seen.tile - first, seen.row, seen.column])
    return TileHit(
        layer=layer,
        channel=channel if own.size == 1 else None,
        n_maps=own.size,
        row=seen.row,
        column=seen.column,
        value=share * (float(maps.limits[number]) or 1.0),
        quantity=maps.quantity,
        **common,
    )
