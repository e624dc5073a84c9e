"""What stands around and on a matrix: outline, labels and names of rows and columns, texts on the cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.pane import Margins, Pane
from cnnvis.rendering.screen_box import Edge, ScreenBox, frame_lines
from cnnvis.rendering.screen_texts import SMALL, ScreenTexts, half_extent
from cnnvis.rendering.style import text_width
from cnnvis.scene import MatrixItem

LABEL_SHARE = 0.25
"""Of the pane's width, the most that a label may take; a longer one loses its middle."""

GAP = 0.65
"""Between an edge and its labels, in letters."""

MIN_CELL_FONT = 8
"""Pixels below which nothing is written on the cells."""

MAX_CELL_TEXTS = 2000
"""Cells above which nothing is written on them: each is a text of its own, and costs time."""


def labels_of(item: MatrixItem, pane: Pane) -> tuple[list[str], list[str]]:
    """Return the labels of rows and columns, shortened where they are too long for the pane."""
    given = zip((item.rows, item.columns), item.data.shape, strict=True)
    found = [labels or tuple(map(str, range(length))) for labels, length in given]
    rows, columns = ([pane.shorten(text, SMALL * pane.font, LABEL_SHARE) for text in texts] for texts in found)
    return rows, columns


def margins(item: MatrixItem, pane: Pane, taken: Margins) -> Margins:
    """Return what labels and names take of a pane beside `taken`."""
    rows, columns = (max(text_width(text, SMALL * pane.font) for text in texts) for texts in labels_of(item, pane))
    name = 1.6 * pane.font
    beside = (GAP + 0.5) * pane.font + rows + (name if item.row_name else 0)
    below = (GAP + 0.5) * pane.font + 1.2 * SMALL * pane.font + (name if item.column_name else 0)
    if item.style == "bars":  # labels run sideways on both sides, whichever way it is turned
        beside = max(beside, (GAP + 0.5) * pane.font + columns + (name if item.column_name else 0))
        return Margins(beside / pane.width, beside / pane.width, 2 * name / pane.height, pane.letter_y)
    room_x = pane.width * (1 - taken.left - taken.right) - beside - pane.font
    room_y = pane.height * (1 - taken.bottom - taken.top) - below - pane.font
    scale = min(room_x / item.extent[0], room_y / item.extent[1])
    if item.columns and columns > scale * item.cell[0]:  # names will stand upright
        below += columns
    return Margins(beside / pane.width, pane.letter_x, below / pane.height, pane.letter_y)


class MatrixFrame:
    """Frame of one matrix item, built for one point of view, with texts among those that are there."""

    def __init__(self, item: MatrixItem, box: ScreenBox, texts: ScreenTexts) -> None:
        self.item = item
        self.box = box
        self.pane, self.texts = texts.pane, texts
        self.letter = texts.pane.letter_y

    def outline(self, floor: float | None) -> vtk.vtkActor:
        """Return the outline, of bars without the edges before them, and a ring where the value zero stands."""
        corners, pairs = self.box.outline()
        if floor is None:
            return frame_lines(corners, pairs, self.pane)
        nearest = int(np.argmin(self.box.projection.depth(corners)))
        pairs = [pair for pair in pairs if nearest not in pair]
        ring = corners[[0, 1, 5, 4]].copy()
        ring[:, 1] = floor
        return frame_lines(np.concatenate([corners, ring]), [*pairs, [8, 9, 10, 11, 8]], self.pane)

    # -- labels ----------------------------------------------------------------------------------

    def labels(self) -> Iterator[vtk.vtkProp]:
        """Yield labels and names of columns and rows."""
        rows, columns = labels_of(self.item, self.pane)
        row_axis = 1 if self.item.style == "cells" else 2
        yield from self._labels_along(0, columns, self.item.column_name)
        yield from self._labels_along(row_axis, rows if row_axis == 1 else rows[::-1], self.item.row_name)

    def _labels_along(self, axis: int, labels: Sequence[str], name: str) -> Iterator[vtk.vtkProp]:
        silhouette = self.box.silhouette(axis)
        if silhouette is None:
            return
        edge = silhouette[0]
        away = self.box.away(axis, edge)
        places = self.item.origin[axis] + (np.arange(len(labels)) + 0.5) * self.item.cell[0 if axis == 0 else 1]
        at = self.box.projection(self.box.on_edge(axis, edge, places))
        upright, step = self._arrangement(labels, at, away)
        reach = 0.0
        for text, point in list(zip(labels, at, strict=True))[::step]:
            size = self.texts.size(text, SMALL, upright=upright)
            reach = max(reach, GAP * self.letter + 2 * half_extent(size, away))
            yield from self.texts.number(text, self._beside(point, size, away), upright=upright)
        if name:
            yield from self._name(axis, edge, name, reach)

    def _name(self, axis: int, edge: Edge, name: str, reach: float) -> Iterator[vtk.vtkProp]:
        away = self.box.away(axis, edge)
        upright = bool(abs(away[0]) > 0.9)
        offset = reach + 0.35 * self.letter + half_extent(self.texts.size(name, 1.0, upright=upright), away)
        middle = self.box.projection(self.box.ends(axis, edge)).mean(axis=0)
        yield from self.texts.title(name, middle + offset * away, upright=upright)

    def _beside(
        self, point: NDArray[np.float64], size: NDArray[np.float64], away: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the centre of a label: straight below or above its point, or, beside a steeper edge, left or right."""
        axis = 0 if abs(away[0]) > 0.25 else 1
        centre = point + 0.4 * self.letter * np.array([0.0, away[1]]) * (axis == 0)  # clear of a sloping edge
        centre[axis] += np.sign(away[axis]) * (GAP * self.letter + size[axis] / 2)
        return centre

    def _arrangement(
        self, labels: Sequence[str], at: NDArray[np.float64], away: NDArray[np.float64]
    ) -> tuple[bool, int]:
        """Return whether labels stand upright, and that each `step`-th is shown: as many as stand apart and fit.

        Only names below or above stand upright; of numbers, some are enough.
        """
        found = []
        may_stand = abs(away[0]) <= 0.25 and not all(text.lstrip("+").isdecimal() for text in labels)
        for upright in (False, True) if may_stand else (False,):
            sizes = np.array([self.texts.size(text, SMALL, upright=upright) for text in labels])
            centres = np.array([self._beside(point, size, away) for point, size in zip(at, sizes, strict=True)])
            inside = all(self.texts.has_room(text, c, upright=upright) for text, c in zip(labels, centres, strict=True))
            step = next(step for step in _steps(len(labels)) if self._apart(sizes[::step], centres[::step]))
            found.append((not inside, step, upright))
        _, step, upright = min(found)
        return upright, step

    def _apart(self, sizes: NDArray[np.float64], centres: NDArray[np.float64]) -> bool:
        """Whether no label comes near to the next one: a third of a letter across, nothing upwards."""
        gaps = np.array([self.letter / 3, 0.0])
        return all(
            np.any(np.abs(centres[i] - centres[j]) >= (sizes[i] + sizes[j]) / 2 + gaps)
            for i, j in pairwise(range(len(sizes)))
        )

    # -- cells -----------------------------------------------------------------------------------

    def cell_texts(self, colours: NDArray[np.float32]) -> Iterator[vtk.vtkProp]:
        """Yield the texts on the cells, where all of them fit.

        Parameters
        ----------
        colours : (R, C, 3) ndarray of float32
            RGB of the cells: texts are dark on light ones, light on dark ones.
        """
        exists = self.item.exists()
        if self.item.cell_text == "none" or exists.sum() > MAX_CELL_TEXTS:
            return
        texts = _cell_texts(self.item)[exists]
        row, column = np.nonzero(exists)
        middles = self.box.low + np.array([*self.item.cell, 0]) * np.stack([column + 0.5, row + 0.5, 0 * row], axis=1)
        size = self._font_on_cells(texts) / self.pane.font
        if size == 0:
            return
        dark = colours[exists] @ np.array([0.2126, 0.7152, 0.0722], np.float32) < 0.5
        for text, at, on_dark in zip(texts, self.box.projection(middles), dark, strict=True):
            colour = (1.0, 1.0, 1.0) if on_dark else (0.0, 0.0, 0.0)
            yield self.texts.actor(text, at, size=size, colour=colour)

    def _font_on_cells(self, texts: Sequence[str]) -> int:
        """Return the size in pixels at which the widest text fits on a cell; 0 where none does, or cells slant."""
        width, height = self.item.cell
        first = self.box.low + np.array([[0, 0, 0], [width, 0, 0], [0, height, 0]])
        at = self.box.projection(first) * self.pane.height
        across, down = at[1] - at[0], at[2] - at[0]
        if abs(across[1]) > 0.1 * abs(across[0]) or abs(down[0]) > 0.1 * abs(down[1]):
            return 0
        room = 0.86 * np.array([abs(across[0]), abs(down[1])])
        fitting = (
            font
            for font in range(self.pane.font, MIN_CELL_FONT - 1, -1)
            if 1.17 * font <= room[1] and max(text_width(text, font) for text in texts) <= room[0]
        )
        return next(fitting, 0)


def _cell_texts(item: MatrixItem) -> NDArray[np.str_]:
    """Return the text (R, C) of every cell: its running number, or its value; missing values get none."""
    if item.cell_text == "number":
        return np.arange(item.data.size).reshape(item.data.shape).astype(str)
    top = np.abs(item.data[np.isfinite(item.data)]).max(initial=0.0)
    digits = 2 - int(np.floor(np.log10(top))) if top > 0 else 0  # the same for all, so that small ones are seen as such
    rounded = np.round(item.data, digits) + 0.0
    texts = [f"{value:.3g}".replace("-", "\N{MINUS SIGN}") if np.isfinite(value) else "" for value in rounded.flat]
    return np.array(texts).reshape(item.data.shape)


def _steps(n: int) -> Iterator[int]:
    """Yield 1, 2, 5, 10, 20 ... and at last a step that leaves only the first of `n` labels."""
    for power in range(12):
        for step in (10**power, 2 * 10**power, 5 * 10**power):
            yield step
            if step >= n:
                return
