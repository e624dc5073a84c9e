"""Many maps of different sizes in one texture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDTH = 4096
"""Texels of a row."""

HIGHEST = 8192
"""Rows at most; every graphics driver of today takes twice as many."""

Stack = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class TileAtlas:
    """Maps side by side, each with a border of its own outermost texels, so that blending stays within a map.

    Parameters
    ----------
    values : (R, WIDTH) float32
        Row 0 is the upper one; 0 where there is no map.
    boxes : (T, 4) int64
        First column, first row, columns and rows of each map, without its border.
    n_halved : int
        Layers whose maps were made smaller, by means of four pixels, since all would not have had room.
    """

    values: NDArray[np.float32]
    boxes: NDArray[np.int64]
    n_halved: int

    @classmethod
    def of(cls, stacks: Sequence[Stack]) -> TileAtlas:
        """Return the texture of the maps (T, H, W) of each layer, in their order."""
        fitted, halved = list(stacks), set()
        while sum(_rows(stack) for stack in fitted) > HIGHEST:
            largest = max(range(len(fitted)), key=lambda layer: fitted[layer].size)
            fitted[largest] = _half(fitted[largest])
            halved.add(largest)
        values = np.zeros((max(sum(_rows(stack) for stack in fitted), 1), WIDTH), np.float32)
        boxes, top = [], 0
        for stack in fitted:
            block = _block(stack)
            values[top : top + len(block), : block.shape[1]] = block
            boxes.append(_boxes(stack.shape, top))
            top += len(block)
        return cls(values, np.concatenate(boxes), len(halved))

    @property
    def texture_points(self) -> NDArray[np.float32]:
        """(T, 4, 2) texture coordinates of the corners: from the upper left one clockwise; the texture's row 0 is 0."""
        column, row, width, height = self.boxes.T
        x, y = (
            np.stack([column, column + width, column + width, column]),
            np.stack([row, row, row + height, row + height]),
        )
        points = np.stack([x / WIDTH, y / len(self.values)], axis=-1)
        return points.transpose(1, 0, 2).astype(np.float32)


def _per_row(width: int) -> int:
    return max(WIDTH // (width + 2), 1)


def _rows(stack: Stack) -> int:
    n, height, width = stack.shape
    return -(-n // _per_row(width)) * (height + 2) if width + 2 <= WIDTH else HIGHEST + 1


def _half(stack: Stack) -> Stack:
    """Return maps of half as many rows and columns; an odd last one counts by itself."""
    n, height, width = stack.shape
    even = np.pad(stack, ((0, 0), (0, height % 2), (0, width % 2)), mode="edge")
    halved: Stack = even.reshape(n, even.shape[1] // 2, 2, even.shape[2] // 2, 2).mean(axis=(2, 4))
    return halved


def _block(stack: Stack) -> NDArray[np.float32]:
    """Return the maps in rows, with their borders."""
    n, height, width = stack.shape
    columns = min(_per_row(width), n)
    rows = -(-n // columns)
    bordered = np.pad(stack, ((0, 0), (1, 1), (1, 1)), mode="edge")
    whole = np.zeros((rows * columns, height + 2, width + 2), np.float32)
    whole[:n] = bordered
    block = whole.reshape(rows, columns, height + 2, width + 2).transpose(0, 2, 1, 3)
    return block.reshape(rows * (height + 2), columns * (width + 2))


def _boxes(shape: tuple[int, ...], top: int) -> NDArray[np.int64]:
    n, height, width = shape
    row, column = np.divmod(np.arange(n), min(_per_row(width), n))
    sizes = np.tile(np.array([width, height]), (n, 1))
    return np.hstack([np.stack([column * (width + 2) + 1, top + row * (height + 2) + 1], axis=1), sizes])
