"""Draws the maps of a network as tiles, the flow of data, and the links between maps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.palette import MISSING_COLOUR
from cnnvis.layout.tiles import Tiles, place_tiles
from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.artist import Artist
from cnnvis.rendering.legend import Legend
from cnnvis.rendering.screen_box import Projection
from cnnvis.rendering.screen_texts import ScreenTexts
from cnnvis.rendering.style import RGB, Theme
from cnnvis.rendering.tile_atlas import TileAtlas
from cnnvis.rendering.tile_links import NO_LINES, Lines, PixelLineSets, lines_of_maps
from cnnvis.scene.tiles_item import ShownMaps, TilesItem

LABEL = 0.8
"""Size of a layer's name, in letters."""

FADED = 0.12
"""Opacity of links beside those of a selected map."""

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
        self._flow, self._links, self._pixel_links = line_actor(2.0), line_actor(1.0), line_actor(1.0)

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
        show_lines(
            self._flow,
            self._flow_lines(),
            np.tile(_mixed(theme.text, theme.background, 0.35), (len(item.data.flow), 1)),
        )
        yield self._flow
        self.drawn_links = self._link_lines() if item.links else (NO_LINES, NO_LINES)
        if item.links:
            for actor, lines in zip((self._links, self._pixel_links), self.drawn_links, strict=True):
                if len(lines.points):
                    show_lines(actor, lines.points, lines.colours(theme.text, theme.background, item.link_brightness))
                    yield actor

    def _take_maps(self) -> None:
        """Make the texture's values and the quads, unless they are those of the last time."""
        item = self.item
        key = (id(item.data), item.depth, item.n_reduced, item.folded_layers, item.enlarged_layers, item.in_colour)
        if key == self._maps_of:
            return
        self._maps_of, self._coloured, self._placed = key, (), ()
        self._data = item.data  # kept: its id stands for it
        self.shown: ShownMaps = item.shown()
        self._line_sets: PixelLineSets | None = None
        self._values = np.concatenate([stack.ravel() for stack in self.shown.stacks])
        self.atlas = TileAtlas.of(self.shown.stacks)
        self._actor.GetMapper().SetInputData(_quads(self.atlas.texture_points))

    def _colour(self, theme: Theme) -> None:
        transfer = self.item.transfer
        key = (transfer, self._span, theme, self.item.brightness)
        if key == self._coloured:
            return
        self._coloured = key
        positions = transfer.normalise(self.item.brightness * self.atlas.values, self._span)
        alpha = transfer.opacity_at(positions)[..., None]
        seen = transfer.colours(positions) * alpha + np.array(theme.background, np.float32) * (1 - alpha)
        seen[np.isnan(positions)] = MISSING_COLOUR
        rgb = np.round(255 * seen).astype(np.uint8)
        for layer, picture in self.shown.pictures.items():
            self._paint(rgb, int(np.searchsorted(self.tiles().layer, layer)), picture)
        image = self._actor.GetTexture().GetInput()
        image.SetDimensions(rgb.shape[1], rgb.shape[0], 1)
        image.GetPointData().SetScalars(vtk.numpy_to_vtk(rgb.reshape(-1, 3), deep=True))
        image.Modified()

    def _paint(self, rgb: NDArray[np.uint8], tile: int, picture: NDArray[np.uint8]) -> None:
        """Put a picture (H, W, 3) in the place of a tile in the texture, its border included."""
        column, row, width, height = self.atlas.boxes[tile]
        rows, columns = (np.arange(n) * size // n for n, size in zip((height, width), picture.shape[:2], strict=True))
        bordered = np.pad(picture[rows][:, columns], ((1, 1), (1, 1), (0, 0)), mode="edge")
        rgb[row - 1 : row + height + 1, column - 1 : column + width + 1] = bordered

    # -- places ----------------------------------------------------------------------------------

    def tiles(self) -> Tiles:
        """Return where the tiles are, scene units."""
        item = self.item
        self._take_maps()
        key = (item.arrangement, item.turn, item.layer_distance, item.spacing, item.rows)
        key += (item.same_pixels, item.enlarged_layers, item.origin)
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
                enlarged=[item.data.layers.index(layer) for layer in item.enlarged_layers],
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

    def _link_lines(self) -> tuple[Lines, Lines]:
        """Return the links that are drawn: between maps, and between pixels."""
        item, tiles = self.item, self.tiles()
        between_maps = lines_of_maps(item, self.shown, tiles, self.boxes().mean(axis=1))
        if item.expansion <= 1 or not item.data.pixel_links:
            return between_maps, NO_LINES
        if self._line_sets is None or self._line_sets.most != item.most_links:
            self._line_sets = PixelLineSets(item.data, item.most_links)
        return between_maps, self._line_sets.lines(item, self.shown, tiles)

    def fade_links(self, fade: bool) -> None:
        """Let links step back behind those that are marked, or come forward again."""
        for actor in (self._links, self._pixel_links):
            actor.GetProperty().SetOpacity(FADED if fade else 1.0)

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
        shown += sum(len(maps.values[layer]) - 1 for layer in self.shown.pictures)
        n_missing = int(np.count_nonzero(~np.isfinite(self._values)))
        notes = [f"{shown:,} of {len(maps.units):,} maps are drawn"] if shown < len(maps.units) else []
        if self.item.brightness != 1:
            notes.append(f"colours of {self.item.brightness:g} times the values")
        if self.item.links and (len(maps.link_ends) or maps.pixel_links):
            notes.append(self._note_of_links())
        if self.atlas.n_halved:
            notes.append(f"maps of {self.atlas.n_halved} layers are drawn with fewer pixels: all have no room")
        return notes + ([f"{n_missing:,} values NaN or infinite (magenta)"] if n_missing else [])

    def _note_of_links(self) -> str:
        """Say which links are drawn, and what their colours are."""
        item, maps = self.item, self.item.data
        if item.expansion <= 1 or not maps.pixel_links:
            return f"{maps.caption}; orange: positive weight, purple: negative"
        everywhere = item.expansion > 2
        whole = sum(links.n_calculations if everywhere else links.n_entries for links in maps.pixel_links)
        where = "at all positions" if everywhere else "at one position"
        return (
            f"the {len(self.drawn_links[1].points):,} strongest of {whole:,} products {where}; "
            f"orange: positive {item.links_by}, purple: negative"
        )


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


def line_actor(width: float) -> vtk.vtkActor:
    """Return an actor for lines of so many pixels."""
    actor = vtk.vtkActor()
    actor.SetMapper(vtk.vtkPolyDataMapper())
    actor.GetProperty().LightingOff()
    actor.GetProperty().SetLineWidth(width)
    return actor


def show_lines(actor: vtk.vtkActor, lines: NDArray[np.float64], colours: NDArray[np.float64]) -> None:
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
