"""Draws the maps of a network as tiles, the flow of data, and the links between maps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import NetworkMaps
from cnnvis.core.palette import MISSING_COLOUR
from cnnvis.layout.tiles import Tiles, lines_between, place_tiles
from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.artist import Artist
from cnnvis.rendering.legend import Legend
from cnnvis.rendering.screen_box import Projection
from cnnvis.rendering.screen_texts import ScreenTexts
from cnnvis.rendering.style import RGB, Theme
from cnnvis.rendering.tile_atlas import TileAtlas
from cnnvis.scene.tiles_item import ShownMaps, TilesItem

LABEL = 0.8
"""Size of a layer's name, in letters."""

POSITIVE, NEGATIVE = np.array([230, 97, 1]) / 255, np.array([94, 60, 153]) / 255
"""Colours of links, orange and purple: told apart by the colour-blind, too, and from the values of maps."""

FAINTEST = 0.08
"""How much of its colour the weakest link has."""

BELOW = 0.12
"""Between a layer and its name."""


class TilesArtist(Artist[TilesItem]):
    """Draws a tiles item. The texture is made anew for other values or colours only: what moves are corners."""

    def __init__(self, item: TilesItem, renderer: vtk.vtkRenderer) -> None:
        super().__init__(item, renderer)
        self._maps_of: tuple[Any, ...] = ()
        self._coloured: tuple[Any, ...] = ()
        self._placed: tuple[Any, ...] = ()
        self._actor = _textured_actor()
        self._flow, self._links = _line_actor(2.0), _line_actor(1.0)

    def build(self, theme: Theme) -> Iterator[vtk.vtkProp]:
        """Yield the tiles, the flow of data, and the links."""
        item = self.item
        self._take_maps()
        self._span = item.transfer.span_of(self._values)
        self.legend = Legend(item.transfer, self._span, item.measured) if item.legend else None
        self._colour(theme)
        tiles = self.tiles()
        self._actor.GetMapper().GetInput().GetPoints().SetData(
            vtk.numpy_to_vtk(tiles.corners.reshape(-1, 3), deep=True)
        )
        self._actor.GetMapper().GetInput().Modified()
        self._actor.GetTexture().SetInterpolate(item.pixels == "soft")
        self._actor.GetProperty().SetOpacity(item.opacity)
        yield self._actor
        _show_lines(
            self._flow,
            self._flow_lines(),
            np.tile(_mixed(theme.text, theme.background, 0.35), (len(item.data.flow), 1)),
        )
        yield self._flow
        if item.links and len(item.data.link_ends):
            _show_lines(self._links, *self._link_lines(tiles, theme))
            yield self._links

    def _take_maps(self) -> None:
        """Make the texture's values and the quads, unless they are those of the last time."""
        item = self.item
        key = (id(item.data), item.depth, item.n_reduced, item.folded_layers)
        if key == self._maps_of:
            return
        self._maps_of, self._coloured, self._placed = key, (), ()
        self._data = item.data  # kept: its id stands for it
        self.shown: ShownMaps = item.shown()
        self._values = np.concatenate([stack.ravel() for stack in self.shown.stacks])
        self.atlas = TileAtlas.of(self.shown.stacks)
        self._actor.GetMapper().SetInputData(_quads(self.atlas.texture_points))

    def _colour(self, theme: Theme) -> None:
        transfer = self.item.transfer
        key = (transfer, self._span, theme)
        if key == self._coloured:
            return
        self._coloured = key
        positions = transfer.normalise(self.atlas.values, self._span)
        alpha = transfer.opacity_at(positions)[..., None]
        seen = transfer.colours(positions) * alpha + np.array(theme.background, np.float32) * (1 - alpha)
        seen[np.isnan(positions)] = MISSING_COLOUR
        rgb = np.round(255 * seen).astype(np.uint8)
        image = self._actor.GetTexture().GetInput()
        image.SetDimensions(rgb.shape[1], rgb.shape[0], 1)
        image.GetPointData().SetScalars(vtk.numpy_to_vtk(rgb.reshape(-1, 3), deep=True))
        image.Modified()

    # -- places ----------------------------------------------------------------------------------

    def tiles(self) -> Tiles:
        """Return where the tiles are, scene units."""
        item = self.item
        self._take_maps()
        key = (item.arrangement, item.turn, item.layer_distance, item.spacing, item.rows)
        key += (item.same_pixels, item.origin)
        if key != self._placed:
            self._placed = key
            found = place_tiles(
                self.shown.shapes,
                item.data.depths,
                arrangement=item.arrangement,
                turn=item.turn,
                layer_distance=item.layer_distance,
                spacing=item.spacing,
                rows=item.rows,
                same_pixels=item.same_pixels,
            )
            self._tiles = Tiles(found.centres + np.array(item.origin), found.sides, found.layer)
            self._boxes = _boxes_of(self._tiles, len(self.shown.stacks))
        return self._tiles

    def boxes(self) -> NDArray[np.float64]:
        """Return two opposite corners of each layer, (L, 2, 3)."""
        self.tiles()
        return self._boxes

    def bounds(self) -> NDArray[np.float64]:
        """Return two opposite corners of all tiles."""
        boxes = self.boxes()
        return np.stack([boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)])

    def _flow_lines(self) -> NDArray[np.float64]:
        """Return a line for each flow of data, from the end of one layer to the beginning of the other."""
        boxes, flow = self.boxes(), self.item.data.flow
        ends = boxes.mean(axis=1)[flow]
        way = ends[:, 1] - ends[:, 0]
        axis = np.where(np.abs(way[:, 2]) > 1e-6, 2, 1)  # down to the next row, else along the row
        forwards = np.take_along_axis(way, axis[:, None], axis=1)[:, 0] > 0
        for end, side in enumerate((forwards, ~forwards)):
            faces = boxes[flow[:, end], side.astype(int)]
            np.put_along_axis(ends[:, end], axis[:, None], np.take_along_axis(faces, axis[:, None], axis=1), axis=1)
        return ends

    def _link_lines(self, tiles: Tiles, theme: Theme) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        maps: NetworkMaps = self.item.data
        ends = self.shown.tile_of_map[maps.link_ends]
        there = (ends >= 0).all(axis=1)
        order = np.flatnonzero(there)[np.argsort(np.abs(maps.link_weights[there]), kind="stable")]  # strong ones last
        starts, stops = tiles.centres[ends[order, 0]], tiles.centres[ends[order, 1]]
        boxes = self.boxes()
        layers = tiles.layer[ends[order]]
        gate = boxes.mean(axis=1)[layers].mean(axis=1)
        straight = (starts + stops) / 2
        lines = lines_between(starts, stops, straight + self.item.gathered * (gate - straight))
        weight = maps.link_weights[order]
        share = FAINTEST + (1 - FAINTEST) * np.abs(weight) / max(np.abs(weight).max(initial=0.0), 1e-12)
        ink = np.where(weight[:, None] < 0, NEGATIVE, POSITIVE)
        return lines, ink * share[:, None] + np.array(theme.background) * (1 - share[:, None])

    # -- around it -------------------------------------------------------------------------------

    def frame(self, projection: Projection, texts: ScreenTexts) -> Iterator[vtk.vtkProp]:
        """Yield the names of the layers, each below its tiles."""
        boxes = self.boxes()
        at = boxes.mean(axis=1)
        at[:, 1] = boxes[:, 1, 1] + BELOW
        shapes = [len(stack) for stack in self.item.data.values]
        for place, name, n in zip(projection(at), self.item.data.layers, shapes, strict=True):
            text = f"{name} ({n})"
            yield from texts.text(text, texts.kept_whole(text, place, size=LABEL), size=LABEL)

    def notes(self) -> list[str]:
        """Say what is not drawn, and what the links are."""
        maps, shown = self.item.data, sum(len(stack) for stack in self.shown.stacks)
        n_missing = int(np.count_nonzero(~np.isfinite(self._values)))
        notes = [f"{shown:,} of {len(maps.units):,} maps are drawn"] if shown < len(maps.units) else []
        if self.item.links and len(maps.link_ends):
            notes.append(f"{maps.caption}; orange: positive weight, purple: negative")
        if self.atlas.n_halved:
            notes.append(f"maps of {self.atlas.n_halved} layers are drawn with fewer pixels: all have no room")
        return notes + ([f"{n_missing:,} values NaN or infinite (magenta)"] if n_missing else [])


def _boxes_of(tiles: Tiles, n_layers: int) -> NDArray[np.float64]:
    corners, first = tiles.corners, np.searchsorted(tiles.layer, np.arange(n_layers))
    low = np.minimum.reduceat(corners.min(axis=1), first)
    return np.stack([low, np.maximum.reduceat(corners.max(axis=1), first)], axis=1)


def _mixed(ink: RGB, background: RGB, share: float) -> NDArray[np.float64]:
    mixed: NDArray[np.float64] = share * np.array(ink) + (1 - share) * np.array(background)
    return mixed


def _textured_actor() -> vtk.vtkActor:
    texture = vtk.vtkTexture()
    texture.SetInputData(vtk.vtkImageData())
    texture.SetRepeat(False)
    actor = vtk.vtkActor()
    actor.SetMapper(vtk.vtkPolyDataMapper())
    actor.SetTexture(texture)
    actor.GetProperty().LightingOff()
    return actor


def _quads(texture_points: NDArray[np.float32]) -> vtk.vtkPolyData:
    """Return a quad per tile, all corners at 0 as yet."""
    n = len(texture_points)
    polydata, points, cells = vtk.vtkPolyData(), vtk.vtkPoints(), vtk.vtkCellArray()
    points.SetData(vtk.numpy_to_vtk(np.zeros((4 * n, 3)), deep=True))
    polydata.SetPoints(points)
    ends, corners = np.arange(0, 4 * n + 1, 4), np.arange(4 * n)
    cells.SetData(*(vtk.numpy_to_vtkIdTypeArray(array, deep=True) for array in (ends, corners)))
    polydata.SetPolys(cells)
    polydata.GetPointData().SetTCoords(vtk.numpy_to_vtk(texture_points.reshape(-1, 2), deep=True))
    return polydata


def _line_actor(width: float) -> vtk.vtkActor:
    actor = vtk.vtkActor()
    actor.SetMapper(vtk.vtkPolyDataMapper())
    actor.GetProperty().LightingOff()
    actor.GetProperty().SetLineWidth(width)
    return actor


def _show_lines(actor: vtk.vtkActor, lines: NDArray[np.float64], colours: NDArray[np.float64]) -> None:
    """Show (E, P, 3) lines in one colour (E, 3) each."""
    n_lines, n_points = lines.shape[:2]
    polydata, points, cells = vtk.vtkPolyData(), vtk.vtkPoints(), vtk.vtkCellArray()
    points.SetData(vtk.numpy_to_vtk(lines.reshape(-1, 3), deep=True))
    polydata.SetPoints(points)
    ends = np.arange(0, n_lines * n_points + 1, n_points)
    cells.SetData(*(vtk.numpy_to_vtkIdTypeArray(array, deep=True) for array in (ends, np.arange(n_lines * n_points))))
    polydata.SetLines(cells)
    rgb = np.round(255 * colours).astype(np.uint8).reshape(-1, 3)
    polydata.GetCellData().SetScalars(vtk.numpy_to_vtk(rgb, deep=True))
    actor.GetMapper().SetInputData(polydata)
