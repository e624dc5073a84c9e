"""Where the maps of a network stand as tiles: each layer a line, a circle or a grid, and all between these."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.core.checks import require_number, require_shape
from cnnvis.core.errors import InvalidInputError

Places = NDArray[np.float64]

LONGEST = 5.0
"""Length of a line of tiles across the data flow, at most; scene units, of which the largest tile has one."""

DEPTH = 0.72
"""Length of a line along the data flow, at most, in distances of layers."""

STEP = 0.12
"""From tile to tile along the data flow where there is room, in the side of a tile."""

RADIUS = 1.1
"""Of a circle of tiles."""

GRID = 2.2
"""Side of a grid of tiles."""

UNIT = 0.2
"""Side of the tile of a dense unit."""

BESIDE, ROW = 2.6, 2.9
"""From one branch to the next; from one row of layers to the next."""

ASPECT = 1.6
"""Of all rows together, about: that of a screen."""


@dataclass(frozen=True, slots=True, eq=False)
class Tiles:
    """Tiles across the data flow, which runs along z; columns of a map run along x, rows along y.

    Parameters
    ----------
    centres : (T, 3) float64, scene units
    sides : (T, 2) float64, scene units
        Width and height.
    layer : (T,) int64
        Which layer each is of.
    """

    centres: Places
    sides: Places
    layer: NDArray[np.int64]

    @property
    def corners(self) -> Places:
        """(T, 4, 3): from the upper left one clockwise, as seen along the data flow."""
        half = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
        corners = np.repeat(self.centres[:, None], 4, axis=1)
        corners[..., :2] += half * self.sides[:, None]
        return corners


def place_tiles(  # noqa: PLR0913 - all that a picture of tiles can change
    shapes: Sequence[tuple[int, int, int]],
    depths: ArrayLike,
    *,
    arrangement: float = 2.0,
    turn: float = 1.0,
    layer_distance: float = 3.0,
    spacing: float = 0.1,
    rows: int | None = None,
    same_pixels: bool = False,
    enlarged: Collection[int] = (),
) -> Tiles:
    """Return where the maps of a network stand.

    Parameters
    ----------
    shapes : sequence of (C, H, W)
        Maps of each layer, their rows and columns. Maps of one pixel are units, which stand in a column, or, where
        they are turned, along the data flow as others do.
    depths : (L,) array_like of int
        Of the layers along the data flow; those of one depth stand side by side along x. The flow runs along z, and
        turns round at the end of each row.
    arrangement : float, 0 to 2
        0 a line, 1 a circle, 2 a grid; between these every tile is on its straight way from one to the next.
    turn : float, 0 to 1
        Of the line: 0 across the data flow, along x; 1 along it.
    layer_distance : float
        From one depth to the next, in the side of the largest tile, which is 1.
    spacing : float, 0 to 0.9
        Between tiles, as a share of what there is for each.
    rows : int, optional
        Of layers, one below the other. Default: as many as make the whole about as wide as a screen.
    same_pixels : bool
        Pixels of all layers are of one size, so that tiles are as large as their maps have pixels; otherwise the maps
        of all layers are of one size.
    enlarged : collection of int
        Numbers of layers whose maps stand in a grid whatever `arrangement` says, all of the largest size.

    Returns
    -------
    Tiles

    Raises
    ------
    InvalidInputError
        For numbers out of range.
    """
    require_number("arrangement", arrangement, 0, 2)
    require_number("turn", turn, 0, 1)
    require_number("layer_distance", layer_distance, 0.01, 100)
    require_number("spacing", spacing, 0, 0.9)
    if rows is not None:
        require_number("rows", rows, 1, 1000, whole=True)
    depths = np.asarray(depths, np.int64)
    require_shape("depths", depths, (len(shapes),))
    if not shapes or min(min(shape) for shape in shapes) < 1:
        raise InvalidInputError("place_tiles: every layer needs a map of one pixel at least.")
    largest = max(max(shape[1:]) for shape in shapes)
    centres, sides = [], []
    sheets = [math.isqrt(shape[0] - 1) + 1 if number in enlarged else 0 for number, shape in enumerate(shapes)]
    middles, directions = _middles(depths, layer_distance, rows, np.array(sheets) / (1 - spacing))
    for number, ((n, height, width), middle, direction) in enumerate(zip(shapes, middles, directions, strict=True)):
        is_units = height == width == 1
        whole = UNIT if is_units else max(height, width) / largest if same_pixels else 1.0
        if number in enlarged:
            places, side = _grid(n, 1.0, spacing, side=math.inf)
            centres.append(middle + places)
            sides.append(np.tile(side * np.array([width, height]) / max(height, width), (n, 1)))
            continue
        forms = (
            _line(n, whole, turn, layer_distance, spacing, is_units=is_units),
            _circle(n, whole, spacing),
            _grid(n, whole, spacing),
        )
        places, side = _between(forms, arrangement)
        centres.append(middle + places * np.array([1, 1, direction]))
        sides.append(np.tile(side * np.array([width, height]) / max(height, width), (n, 1)))
    layer = np.repeat(np.arange(len(shapes)), [shape[0] for shape in shapes])
    return Tiles(np.concatenate(centres), np.concatenate(sides), layer)


def _between(forms: tuple[tuple[Places, float], ...], arrangement: float) -> tuple[Places, float]:
    first = min(int(arrangement), len(forms) - 2)
    share = arrangement - first
    (here, side), (there, other) = forms[first : first + 2]
    return (1 - share) * here + share * there, (1 - share) * side + share * other


def _middles(
    depths: NDArray[np.int64], distance: float, rows: int | None, heights: Places
) -> tuple[Places, NDArray[np.int64]]:
    """Return the middle of each layer, (L, 3), and the direction in which data flow there, 1 or -1.

    Rows with a layer that is higher than a grid, see `heights` (L,), are farther from their neighbours.
    """
    middles = np.zeros((depths.size, 3))
    n_depths = int(depths.max()) + 1
    n_rows = rows or max(round(math.sqrt(n_depths * distance / (ASPECT * ROW))), 1)
    per_row = -(-n_depths // n_rows)
    row, place = np.divmod(depths, per_row)
    direction = np.where(row % 2, -1, 1)
    for depth in np.unique(depths):
        beside = np.flatnonzero(depths == depth)
        middles[beside, 0] = BESIDE * (np.arange(beside.size) - (beside.size - 1) / 2)
    needed = np.full(int(row.max()) + 1, ROW)
    np.maximum.at(needed, row, heights + ROW - GRID)
    tops = np.concatenate([[0.0], np.cumsum((needed[1:] + needed[:-1]) / 2)])
    middles[:, 1] = (tops - tops[-1] / 2)[row]
    middles[:, 2] = distance * direction * (place - (per_row - 1) / 2)
    return middles, direction


def _line(
    n: int, whole: float, turn: float, distance: float, spacing: float, *, is_units: bool
) -> tuple[Places, float]:
    angle = turn * np.pi / 2
    across, along = math.cos(angle) ** 2, math.sin(angle) ** 2
    room = min(LONGEST, n * whole / (1 - spacing))
    side = along * whole + across * min(whole, room / n * (1 - spacing))
    steps = (np.arange(n) - (n - 1) / 2) / max(n, 1)
    places = np.zeros((n, 3))
    places[:, 1 if is_units else 0] = across * room * steps
    places[:, 2] = along * min(n * STEP, DEPTH * distance) * steps
    return places, side


def _circle(n: int, whole: float, spacing: float) -> tuple[Places, float]:
    angle = 2 * np.pi * np.arange(n) / n
    radius = RADIUS if n > 1 else 0.0
    places = np.stack([radius * np.sin(angle), -radius * np.cos(angle), np.zeros(n)], axis=1)  # y points down
    return places, min(whole, 2 * math.sin(np.pi / n) * RADIUS * (1 - spacing) if n > 2 else 1.0)


def _grid(n: int, whole: float, spacing: float, *, side: float = GRID) -> tuple[Places, float]:
    columns = math.isqrt(n - 1) + 1
    rows = -(-n // columns)
    pitch = min(side / columns, whole / (1 - spacing))
    row, column = np.divmod(np.arange(n), columns)
    places = np.stack([column - (columns - 1) / 2, row - (rows - 1) / 2, np.zeros(n)], axis=1)
    return pitch * places, min(whole, pitch * (1 - spacing))


def lines_between(starts: Places, ends: Places, gathered: ArrayLike, *, n_points: int = 9) -> Places:
    """Return curves from the first to the second places, each through a point that pulls its middle.

    Parameters
    ----------
    starts, ends : (E, 3) ndarray
    gathered : (E, 3) array_like
        What the middle of each line goes through.
    n_points : int

    Returns
    -------
    (E, n_points, 3) float64
    """
    t = np.linspace(0, 1, n_points)[None, :, None]
    pull = np.asarray(gathered)[:, None] - (starts + ends)[:, None] / 2
    curves: Places = (1 - t) * starts[:, None] + t * ends[:, None] + 4 * t * (1 - t) * pull
    return curves
