"""Display state of a network as tiles: each map of each layer a small picture in space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from cnnvis.core import LayerRole, NetworkMaps
from cnnvis.core.errors import InvalidInputError, did_you_mean
from cnnvis.scene.items import ValueItem

BOX = np.full((16, 16, 3), 205, np.uint8)
"""Of a layer without values: grey, with an edge."""
BOX[[0, -1]] = BOX[:, [0, -1]] = 120

RGB_MAPS = ("red", "green", "blue")


class Depth(StrEnum):
    """How many maps of a layer are drawn: all, its strongest ones, or one slab, which shows their mean."""

    FULL = "full"
    REDUCED = "reduced"
    SLAB = "slab"


@dataclass(frozen=True, slots=True, eq=False)
class ShownMaps:
    """The maps that are drawn.

    Parameters
    ----------
    stacks : tuple of (T, H, W) float32
        By layer, as shares of the layer's limit.
    tile_of_map : (U,) int64
        The tile, numbered through, that stands for each map of the network; -1 for none.
    pictures : mapping of int to (H, W, 3) uint8
        By number the layers whose one tile is a picture in colour.
    """

    stacks: tuple[NDArray[np.float32], ...]
    tile_of_map: NDArray[np.int64]
    pictures: Mapping[int, NDArray[np.uint8]] = field(default_factory=dict)

    @property
    def shapes(self) -> list[tuple[int, int, int]]:
        """Tiles, rows and columns by layer."""
        return [(len(stack), *stack.shape[1:]) for stack in self.stacks]


class TilesItem(ValueItem):
    """The maps of a whole network: as tiles in space, layer after layer along the data flow.

    Data: NetworkMaps.

    Parameters
    ----------
    arrangement : float, 0 to 2
        Of the maps in a layer: 0 a line, 1 a circle, 2 a grid.
    turn : float, 0 to 1
        Of the line: 0 across the data flow, 1 along it.
    depth : Depth
    n_reduced : int
        Maps of a layer that are drawn when `depth` is "reduced": those with the largest mean of |value|.
    folded_layers : tuple of str
        Layers drawn as one slab whatever `depth` says.
    enlarged_layers : tuple of str
        Layers drawn as a sheet of all their maps, each as large as the largest tile, whatever `depth` and
        `arrangement` say.
    in_colour : bool
        An input of three maps is drawn as one picture in colour; otherwise as its three maps.
    layer_distance, spacing : float
        Between layers, in the side of the largest tile; between tiles, as a share of what there is for each.
    rows : int or None
        Of layers, one below the other; None: as many as suit a screen.
    same_pixels : bool
        Pixels of all layers are of one size; otherwise their maps are.
    pixels : {"square", "soft"}
    brightness : float, 0 to 5
        Of the values: more lets weak ones be seen, and cuts strong ones off.
    links : bool
        Lines between maps: coloured by the sign of the kernel, the stronger the fuller.
    expansion : float, 0 to 3
        Of links: at 0 all between two layers go through one point, at 1 straight from map to map, at 2 from the pixels
        that a window reads to the pixel it makes, at one position, at 3 at all positions.
    row, column : float, 0 to 1
        That position, as shares of the height and width of the maps.
    links_by : {"weight", "product"}
        What links between pixels show: the weight, or what it makes of the pixel.
    link_brightness : float, 0 to 5
    most_links : int
        Links between pixels at most, the strongest.
    """

    kind: Literal["tiles"] = "tiles"
    arrangement: float = Field(default=2.0, ge=0, le=2)
    turn: float = Field(default=1.0, ge=0, le=1)
    depth: Depth = Depth.FULL
    n_reduced: int = Field(default=8, ge=1)
    folded_layers: tuple[str, ...] = ()
    enlarged_layers: tuple[str, ...] = ()
    in_colour: bool = True
    layer_distance: float = Field(default=3.0, ge=0.05, le=10)
    spacing: float = Field(default=0.1, ge=0, le=0.9)
    rows: int | None = Field(default=None, ge=1)
    same_pixels: bool = False
    pixels: Literal["square", "soft"] = "square"
    brightness: float = Field(default=1.0, ge=0, le=5)
    links: bool = True
    expansion: float = Field(default=1.0, ge=0, le=3)
    row: float = Field(default=0.5, ge=0, le=1)
    column: float = Field(default=0.5, ge=0, le=1)
    links_by: Literal["weight", "product"] = "weight"
    link_brightness: float = Field(default=1.0, ge=0, le=5)
    most_links: int = Field(default=20_000, ge=1)

    data_type: ClassVar[type] = NetworkMaps
    look = (
        *("visible", "opacity", "arrangement", "turn", "depth", "n_reduced", "layer_distance", "spacing"),
        *("rows", "same_pixels", "pixels", "brightness", "links", "expansion", "row", "column"),
        *("links_by", "link_brightness", "most_links"),
    )

    @field_validator("folded_layers", "enlarged_layers")
    @classmethod
    def _once_each(cls, layers: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(layers))

    @staticmethod
    def values_of(data: NetworkMaps) -> NDArray[np.floating]:
        """Return all values, each as a share of its layer's limit, (V,) float32."""
        return np.concatenate([stack.ravel() for stack in data.normalised()])

    @property
    def measured(self) -> str:
        """The quantity that the values are of."""
        maps: NetworkMaps = self.data
        return f"{maps.quantity}, share of the layer's largest"

    def _check(self, data: NetworkMaps) -> None:
        for layer in (*self.folded_layers, *self.enlarged_layers):
            if layer not in data.layers:
                raise InvalidInputError(
                    f"Item {self.name!r}: there is no layer {layer!r} to fold or enlarge. "
                    f"{did_you_mean(layer, data.layers, what='layers')}"
                )

    def shown(self) -> ShownMaps:
        """Return the maps that are drawn, as `depth` and `folded_layers` say."""
        maps: NetworkMaps = self.data
        stacks, tiles, n_tiles = [], [], 0
        pictures = {}
        for number, (layer, whole) in enumerate(zip(maps.layers, maps.normalised(), strict=True)):
            if self.in_colour and maps.roles[number] is LayerRole.INPUT and len(whole) == len(RGB_MAPS):
                stack, own = _mean(whole), np.zeros(len(whole), np.int64)
                pictures[number] = _in_colour(maps.values[number])
            elif maps.roles[number] is LayerRole.OTHER and not np.isfinite(whole).any():
                stack, own = np.zeros((1, *BOX.shape[:2]), np.float32), np.zeros(len(whole), np.int64)
                pictures[number] = BOX
            else:
                stack, own = self._drawn(layer, whole)
            tiles.append(np.where(own < 0, -1, n_tiles + own))
            stacks.append(stack)
            n_tiles += len(stack)
        return ShownMaps(tuple(stacks), np.concatenate(tiles), pictures)

    def _drawn(self, layer: str, stack: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return the tiles of a layer, and which of them stands for each map, -1 for none."""
        own = np.arange(len(stack))
        if layer in self.enlarged_layers:
            return stack, own
        if self.depth is Depth.SLAB or layer in self.folded_layers:
            return _mean(stack), np.zeros_like(own)
        if self.depth is Depth.FULL or len(stack) <= self.n_reduced:
            return stack, own
        kept = _strongest(stack, self.n_reduced)
        own = np.full(len(stack), -1)
        own[kept] = np.arange(len(kept))
        return stack[kept], own


def _mean(stack: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean map, (1, H, W), of those that have a value at a pixel; NaN where none has."""
    there = np.isfinite(stack)
    total = np.where(there, stack, 0).sum(axis=0, keepdims=True)
    count = there.sum(axis=0, keepdims=True)
    mean: NDArray[np.float32] = np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
    return mean


def _in_colour(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return red, green and blue (3, H, W) as a picture, from the darkest value to the brightest; missing is black."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    shares = np.nan_to_num((values - low) / ((high - low) or 1.0), nan=0, posinf=1, neginf=0)
    return np.ascontiguousarray(np.round(255 * np.moveaxis(shares, 0, -1)).astype(np.uint8))


def _strongest(stack: NDArray[np.float32], n: int) -> NDArray[np.int64]:
    """Return the numbers of the maps with the largest mean of |value|, rising; of equal ones the first."""
    strength = np.where(np.isfinite(stack), np.abs(stack), 0).mean(axis=(1, 2))
    return np.sort(np.argsort(-strength, kind="stable")[:n])
