"""What figures of one operation are made of: maps with boxes, grids of numbers, signed bars, tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.palette import RGB
from cnnvis.report.scale import ColourScale
from cnnvis.report.sheet import Sheet, shortened, text_width
from cnnvis.report.style import ACCENT, ALARM, INK, OUTLINE, PANEL, QUIET, SHADE, TEXT, ink_on, minus

BLOCK = 752
"""Width of a block in pixels: two stand beside each other in a figure, one in the window's dock."""

TITLE, LINE = 52, 34
"""Heights of a block's title and of a line of text."""

CELL = 58
"""Pixels of a cell with its number in it."""

MOST_NUMBERS = 4
"""Longest side of a window whose numbers are written out: three such grids fit a block."""

MAP = 232
"""Pixels of a map's longer side."""

SMALL = 8.5
"""Points of the numbers in cells."""

MORE, LESS = (0.76, 0.22, 0.21), (0.16, 0.44, 0.70)
"""Colours of what adds and what takes: those of positive and negative numbers in grids."""

Box = tuple[float, float, float, float]
"""Top, left, bottom, right, in pixels of a map."""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a figure, `BLOCK` wide: `draw(sheet, x, y)` puts its upper left corner there."""

    height: float
    draw: Callable[[Sheet, float, float], None]


def titled(title: str, inner: Sequence[Block]) -> Block:
    """Return blocks one below the other under a title."""

    def draw(sheet: Sheet, x: float, y: float) -> None:
        sheet.text(x, y + TITLE / 2, title, size=PANEL, bold=True, room=BLOCK)
        top = y + TITLE
        for block in inner:
            block.draw(sheet, x, top)
            top += block.height

    return Block(TITLE + sum(block.height for block in inner), draw)


def paragraph(lines: Sequence[str], *, colour: RGB = INK, bold: bool = False) -> Block:
    """Return lines of text, each shortened where it is too long."""

    def draw(sheet: Sheet, x: float, y: float) -> None:
        for row, line in enumerate(lines):
            sheet.text(x, y + LINE * (row + 0.5), minus(line), colour=colour, bold=bold, room=BLOCK)

    return Block(LINE * len(lines) + 8, draw)


def wrapped(text: str, *, colour: RGB = QUIET) -> Block:
    """Return a text in as many lines as it needs."""
    lines, rest = [], text
    while rest:
        fitting = shortened(rest, BLOCK)
        if fitting == rest:
            lines.append(rest)
            break
        cut = fitting.rstrip("…").rfind(" ")
        lines.append(rest[: cut if cut > 0 else len(fitting) - 1])
        rest = rest[len(lines[-1]) :].lstrip()
    return paragraph(lines, colour=colour)


@dataclass(frozen=True, slots=True)
class MapView:
    """A map as a picture: its pixels as colours, (H, W, 3) uint8, what it is, and a box in it."""

    pixels: NDArray[np.uint8]
    title: str
    note: str = ""
    box: Box | None = None


def maps_row(views: Sequence[MapView]) -> Block:
    """Return up to three maps beside each other, each with its title above and its note below."""
    pitch = (BLOCK - MAP) / 2

    def draw(sheet: Sheet, x: float, y: float) -> None:
        for place, view in enumerate(views):
            left = x + place * pitch
            sheet.text(left, y + LINE / 2, view.title, room=MAP + 16, bold=True)
            _draw_map(sheet, left, y + LINE + 4, view)
            sheet.text(left, y + LINE + MAP + 24, minus(view.note), colour=QUIET, room=MAP + 16)

    return Block(MAP + 2 * LINE + 20, draw)


def end_of(text: str) -> str:
    """Return a note under a map, its beginning left out where it is too long: names of layers differ at the end."""
    rest = text
    while text_width(rest) > MAP + 16:
        rest = "…" + rest.lstrip("…")[1:]
    return rest


def _draw_map(sheet: Sheet, x: float, y: float, view: MapView) -> None:
    height, width = view.pixels.shape[:2]
    factor = MAP / max(height, width)
    rows = np.minimum((np.arange(max(round(height * factor), 1)) / factor).astype(int), height - 1)
    columns = np.minimum((np.arange(max(round(width * factor), 1)) / factor).astype(int), width - 1)
    sheet.fill(x - 1, y - 1, len(columns) + 2, len(rows) + 2, colour=OUTLINE)
    sheet.paste(x, y, view.pixels[rows][:, columns])
    if view.box is not None:
        top, left, bottom, right = (factor * edge for edge in view.box)
        frame(sheet, (x + left, y + top, max(right - left, 4), max(bottom - top, 4)), colour=ALARM, width=3)


def frame(sheet: Sheet, box: tuple[float, float, float, float], *, colour: RGB, width: float) -> None:
    """Draw the edges of a box (x, y, width, height), outside of it, with a white line round them."""
    x, y, w, h = box
    for grown, ink in ((width + 1.5, (1.0, 1.0, 1.0)), (width, colour)):
        sheet.fill(x - grown, y - grown, w + 2 * grown, grown, colour=ink)
        sheet.fill(x - grown, y + h, w + 2 * grown, grown, colour=ink)
        sheet.fill(x - grown, y - grown, grown, h + 2 * grown, colour=ink)
        sheet.fill(x + w, y - grown, grown, h + 2 * grown, colour=ink)


@dataclass(frozen=True, slots=True)
class Grid:
    """A window of numbers, (rows, columns), NaN where it lies outside; `marked` is a cell to be framed."""

    values: NDArray[np.float64]
    title: str
    scale: ColourScale
    marked: tuple[int, int] | None = None


def grids_row(grids: Sequence[Grid], signs: Sequence[str], end: str = "") -> Block:
    """Return grids of numbers with signs between them: patch x kernel = products, and at last their sum.

    Parameters
    ----------
    signs : sequence of str
        Behind each grid.
    end : str
        What stands behind the last sign.
    """
    rows, columns = (max(grid.values.shape[axis] for grid in grids) for axis in (0, 1))
    gap, room = 36, BLOCK - (96 if end else 0)
    fits = (room - gap * len(grids)) / (len(grids) * columns)
    cell = min(CELL, fits)
    if rows > MOST_NUMBERS:
        cell = min(cell, 232 / rows)
    height = rows * cell

    def draw(sheet: Sheet, x: float, y: float) -> None:
        for grid, sign in zip(grids, signs, strict=True):
            sheet.text(x, y + LINE / 2, grid.title, colour=QUIET, room=columns * cell + gap - 6)
            _draw_grid(sheet, x, y + LINE, grid, cell)
            x += columns * cell
            sheet.text(x + gap / 2, y + LINE + height / 2, sign, size=PANEL, bold=True, align="center")
            x += gap
        if end:
            sheet.text(x, y + LINE + height / 2, minus(end), size=PANEL, bold=True)

    return Block(LINE + height + 18, draw)


def _draw_grid(sheet: Sheet, x: float, y: float, grid: Grid, cell: float) -> None:
    rows, columns = grid.values.shape
    colours = grid.scale.rgb(grid.values)
    written = cell >= 0.8 * CELL
    numbers = formatted(grid.values) if written else []
    sheet.fill(x - 1, y - 1, columns * cell + 2, rows * cell + 2, colour=OUTLINE)
    for row in range(rows):
        for column in range(columns):
            red, green, blue = (float(part) / 255 for part in colours[row, column])
            outside = np.isnan(grid.values[row, column])
            colour = SHADE if outside else (red, green, blue)
            place = (x + column * cell, y + row * cell)
            sheet.fill(*place, cell - (1 if written else 0), cell - (1 if written else 0), colour=colour)
            if written:
                text = "pad" if outside else numbers[row][column]
                ink = QUIET if outside else ink_on(colour)
                sheet.text(place[0] + cell / 2, place[1] + cell / 2, text, size=SMALL, colour=ink, align="center")
    if grid.marked is not None:
        row, column = grid.marked
        frame(sheet, (x + column * cell, y + row * cell, cell, cell), colour=ALARM, width=3)


def formatted(values: NDArray[np.float64]) -> list[list[str]]:
    """Return numbers as texts of about five characters, with as many decimals as the largest leaves room for."""
    largest = float(np.nanmax(np.abs(values), initial=0.0))
    decimals = 3 if largest < 0.1 else 2 if largest < 10 else 1 if largest < 100 else 0
    return [[short(value, decimals) for value in row] for row in values]


def short(value: float, decimals: int = 2) -> str:
    """Return a number with so many decimals; a nought before the point is left out of three."""
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        return "0"
    return minus(text.replace("0.", ".", 1) if decimals > 2 else text)


@dataclass(frozen=True, slots=True)
class Bar:
    """A line of a bar chart: name, value, and how it is emphasised."""

    name: str
    value: float
    text: str = ""
    bold: bool = False


def bars(entries: Sequence[Bar], *, names: float = 300, signed: bool = True) -> Block:
    """Return one bar for each entry: right of the axis where it adds, left of it where it takes."""
    largest = max((abs(entry.value) for entry in entries if np.isfinite(entry.value)), default=0.0) or 1.0
    numbers = 116
    room = BLOCK - names - numbers
    axis = names + (room / 2 if signed else 0)
    unit = room / (2 if signed else 1) / largest

    def draw(sheet: Sheet, x: float, y: float) -> None:
        for row, entry in enumerate(entries):
            middle = y + LINE * (row + 0.5)
            sheet.text(x, middle, entry.name, bold=entry.bold, room=names - 12)
            if np.isfinite(entry.value):
                length = abs(entry.value) * unit
                left = x + axis - (length if entry.value < 0 else 0)
                colour = INK if entry.bold else LESS if signed and entry.value < 0 else MORE if signed else ACCENT
                sheet.fill(left, middle - 10, max(length, 1), 20, colour=colour)
            text = entry.text or f"{entry.value:.3g}"
            sheet.text(x + BLOCK, middle, minus(text), bold=entry.bold, align="right")
        sheet.fill(x + axis, y, 1, LINE * len(entries), colour=QUIET)

    return Block(LINE * len(entries) + 14, draw)


def curve(before: NDArray[np.float64], after: NDArray[np.float64], at: tuple[float, float], name: str) -> Block:
    """Return pairs of values as points, one of them marked: the graph of a function, as far as it was used."""
    height, left, below = 300.0, 110.0, 60.0
    width = BLOCK - left - 40
    low, high = _span(before)
    bottom, top = _span(after)

    def place(one: float, other: float) -> tuple[float, float]:
        return left + (one - low) / (high - low) * width, height - (other - bottom) / (top - bottom) * height

    def draw(sheet: Sheet, x: float, y: float) -> None:
        y += 10
        sheet.fill(x + left, y, width, height, colour=SHADE)
        if low < 0 < high:
            sheet.fill(x + place(0, bottom)[0], y, 1, height, colour=OUTLINE)
        if bottom < 0 < top:
            sheet.fill(x + left, y + place(low, 0)[1], width, 1, colour=OUTLINE)
        for one, other in zip(before, after, strict=True):
            across, down = place(one, other)
            sheet.fill(x + across - 2, y + down - 2, 5, 5, colour=ACCENT)
        across, down = place(*at)
        frame(sheet, (x + across - 6, y + down - 6, 12, 12), colour=ALARM, width=3)
        for value in (before.min(), before.max()):
            sheet.text(x + place(value, bottom)[0], y + height + 18, minus(f"{value:.3g}"), align="center")
        for value in (after.min(), after.max()):
            sheet.text(x + left - 10, y + place(low, value)[1], minus(f"{value:.3g}"), align="right")
        sheet.text(x + left + width / 2, y + height + 18, name, align="center", room=width - 200, size=TEXT)
        sheet.text(x + left - 10, y + height / 2, "out", align="right")

    return Block(height + below, draw)


def _span(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    room = 0.04 * (high - low) or 0.5
    return low - room, high + room


def columns_of(blocks: Sequence[Block], width: int, *, margin: float, gap: float) -> tuple[list[Box], float]:
    """Return where blocks stand, (x, y, ...) each in the column that is shortest, and how high all is."""
    n_columns = max(int((width - 2 * margin + gap) // (BLOCK + gap)), 1)
    heights = [0.0] * n_columns
    places: list[Box] = []
    for block in blocks:
        column = int(np.argmin(heights))
        places.append((margin + column * (BLOCK + gap), heights[column], BLOCK, block.height))
        heights[column] += block.height + gap
    return places, max(heights) - gap
