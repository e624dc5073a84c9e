"""Display state of a network as tiles: each map of each layer a small picture in space."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from cnnvis.core import NetworkMaps
from cnnvis.core.errors import InvalidInputError, did_you_mean
from cnnvis.scene.items import ValueItem


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
    """

    stacks: tuple[NDArray[np.float32], ...]
    tile_of_map: NDArray[np.int64]

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
    layer_distance, spacing : float
        Between layers, in the side of the largest tile; between tiles, as a share of what there is for each.
    rows : int or None
        Of layers, one below the other; None: as many as suit a screen.
    same_pixels : bool
        Pixels of all layers are of one size; otherwise their maps are.
    pixels : {"square", "soft"}
    links : bool
        Lines between maps: coloured by the sign of the kernel, the stronger the fuller.
    gathered : float, 0 to 1
        How far links are pulled through one point half-way between two layers.
    """

    kind: Literal["tiles"] = "tiles"
    arrangement: float = Field(default=2.0, ge=0, le=2)
    turn: float = Field(default=1.0, ge=0, le=1)
    depth: Depth = Depth.FULL
    n_reduced: int = Field(default=8, ge=1)
    folded_layers: tuple[str, ...] = ()
    layer_distance: float = Field(default=3.0, ge=0.05, le=10)
    spacing: float = Field(default=0.1, ge=0, le=0.9)
    rows: int | None = Field(default=None, ge=1)
    same_pixels: bool = False
    pixels: Literal["square", "soft"] = "square"
    links: bool = True
    gathered: float = Field(default=0.0, ge=0, le=1)

    data_type: ClassVar[type] = NetworkMaps
    look = (
        *("visible", "opacity", "arrangement", "turn", "depth", "n_reduced", "layer_distance", "spacing"),
        *("rows", "same_pixels", "pixels", "links", "gathered"),
    )

    @field_validator("folded_layers")
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
        for layer in self.folded_layers:
            if layer not in data.layers:
                raise InvalidInputError(
                    f"Item {self.name!r}: there is no layer {layer!r} to fold. "
                    f"{did_you_mean(layer, data.layers, what='layers')}"
                )

    def shown(self) -> ShownMaps:
        """Return the maps that are drawn, as `depth` and `folded_layers` say."""
        maps: NetworkMaps = self.data
        stacks, tiles, n_tiles = [], [], 0
        for layer, whole in zip(maps.layers, maps.normalised(), strict=True):
            stack, own = self._drawn(layer, whole)
            tiles.append(np.where(own < 0, -1, n_tiles + own))
            stacks.append(stack)
            n_tiles += len(stack)
        return ShownMaps(tuple(stacks), np.concatenate(tiles))

    def _drawn(self, layer: str, stack: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return the tiles of a layer, and which of them stands for each map, -1 for none."""
        own = np.arange(len(stack))
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


def _strongest(stack: NDArray[np.float32], n: int) -> NDArray[np.int64]:
    """Return the numbers of the maps with the largest mean of |value|, rising; of equal ones the first."""
    strength = np.where(np.isfinite(stack), np.abs(stack), 0).mean(axis=(1, 2))
    return np.sort(np.argsort(-strength, kind="stable")[:n])
