"""Links from the pixels that a window reads to the pixel it makes, of one layer: at one position, or at all.

A window's entries are the same at every position: an *entry* is a map of the source, a map of the target, a place in
the window and a weight. Tables of taps (see `operation_rules`) say which pixel of the source it meets at which
position.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.checks import frozen_array, frozen_integers, require_shape
from cnnvis.core.errors import InvalidInputError

Numbers = NDArray[np.int64]


class PixelLines(NamedTuple):
    """Lines between pixels.

    Parameters
    ----------
    entry : (N,) int64
        Of the window.
    source, target : (N, 2) int64
        Row and column in the map of each.
    """

    entry: Numbers
    source: Numbers
    target: Numbers


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PixelLinks:
    """What a layer reads, pixel by pixel.

    Parameters
    ----------
    source, target : int
        Layers, by number in the network's maps.
    maps : (E, 2) int64
        Map of the source and of the target, by number in their layers.
    places : (E, 2) int64
        Row and column in the window.
    weights : (E,) float64
        Of the kernel; 1 for a pooling.
    weighted : bool
        False for a pooling: all its entries count the same.
    rows : (height, window) int64
        For each row of the target the rows of the source that the window meets, -1 for none.
    columns : (width, window) int64
    n_entries : int
        Entries that the layer has in all, of which these are the strongest.
    """

    source: int
    target: int
    maps: Numbers
    places: Numbers
    weights: NDArray[np.float64]
    rows: Numbers
    columns: Numbers
    n_entries: int = 0
    weighted: bool = True

    def __post_init__(self) -> None:
        for name in ("maps", "places", "rows", "columns"):
            object.__setattr__(self, name, frozen_integers(name, getattr(self, name)))
        object.__setattr__(self, "weights", frozen_array(self.weights, dtype=np.float64))
        n = len(self.weights)
        for name, shape in (("maps", (n, 2)), ("places", (n, 2)), ("rows", (None, None)), ("columns", (None, None))):
            require_shape(name, getattr(self, name), shape)
        window = (self.rows.shape[1], self.columns.shape[1])
        if n and ((self.places < 0).any() or (self.places >= window).any()):
            raise InvalidInputError("PixelLinks: an entry lies outside the window.")
        object.__setattr__(self, "n_entries", max(int(self.n_entries), n))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the target's maps."""
        return len(self.rows), len(self.columns)

    @property
    def n_calculations(self) -> int:
        """Products that the layer computes for one image, padding included."""
        return self.n_entries * self.shape[0] * self.shape[1]

    def position(self, share: tuple[float, float]) -> tuple[int, int]:
        """Return the row and column at a place in the map, as shares of its height and width from 0 to 1."""
        row, column = (min(int(part * size), size - 1) for part, size in zip(share, self.shape, strict=True))
        return row, column

    def at(self, positions: Numbers) -> PixelLines:
        """Return the lines of all entries at some positions, those that meet padding left out.

        Parameters
        ----------
        positions : (P, 2) ndarray of int
        """
        n_entries, n_positions = len(self.weights), len(positions)
        entry = np.tile(np.arange(n_entries), n_positions)
        target = np.repeat(positions, n_entries, axis=0)
        source = np.stack(
            [
                self.rows[target[:, 0], self.places[entry, 0]],
                self.columns[target[:, 1], self.places[entry, 1]],
            ],
            axis=1,
        )
        inside = (source >= 0).all(axis=1)
        return PixelLines(entry[inside], source[inside], target[inside])

    def values(self, lines: PixelLines, source_maps: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the value that each line hands on times its weight, (N,); 0 where it is missing.

        Parameters
        ----------
        lines : PixelLines
        source_maps : (C, H, W) float32
            Of the source.
        """
        read = source_maps[self.maps[lines.entry, 0], lines.source[:, 0], lines.source[:, 1]]
        products: NDArray[np.float64] = self.weights[lines.entry] * np.nan_to_num(read, nan=0, posinf=0, neginf=0)
        return products

    def strongest(self, n: int, source_maps: NDArray[np.float32]) -> PixelLines:
        """Return the `n` lines of all positions whose product is the largest, of equal ones those that come first."""
        rows, columns = self.shape
        n_positions = rows * columns
        # as many entries as leave each its positions: a line in the middle of nowhere would explain nothing
        n_kept = min(len(self.weights), max(4 * n // n_positions, 1))
        order = np.argsort(-np.abs(self.weights), kind="stable")[:n_kept]
        some = self._only(np.sort(order))
        lines = some.at(np.stack(np.divmod(np.arange(n_positions), columns), axis=1))
        strength = np.abs(some.values(lines, source_maps))
        chosen = np.sort(np.argsort(-strength, kind="stable")[:n])
        return PixelLines(np.sort(order)[lines.entry[chosen]], lines.source[chosen], lines.target[chosen])

    def _only(self, entries: Numbers) -> PixelLinks:
        return PixelLinks(
            source=self.source,
            target=self.target,
            maps=self.maps[entries],
            places=self.places[entries],
            weights=self.weights[entries],
            rows=self.rows,
            columns=self.columns,
        )
