"""Flat parts of a picture: scalar bar and title. Positions are shares of the pane."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.pane import LEAST_ROOM, Margins, Pane
from cnnvis.rendering.style import (
    format_values,
    overlay_actor,
    overlay_text,
    quad_polydata,
    style_text,
    text_width,
)
from cnnvis.scene import TransferFunction

STEPS = 64
"""Colours of a scalar bar."""

SMALL = 0.82
"""Size of a scalar bar's labels, in letters."""

TITLE_SHARE = 0.45
"""Of the pane's height, the most that title and notes may take."""

BREAKS = re.compile(r"((?<=:) | · | (?=[(−]))")
"""Where a line that is too long may be broken."""


@dataclass(frozen=True, slots=True)
class Legend:
    """What the colours of an item mean: the data range of its transfer function, and the quantity."""

    transfer: TransferFunction
    span: tuple[float, float]
    quantity: str


class Title:
    """The title and the lines under it, at the top left: the first `large` ones are large.

    A line that is too long is broken after a colon, at a dot, before a bracket or a minus sign, no oftener than it must
    be; then it is shortened.
    """

    def __init__(self, lines: Sequence[str], pane: Pane, *, large: int = 1) -> None:
        self.pane = pane
        self.lines: list[tuple[str, float, float]] = []  # text, size in letters, top in letters from the pane's top
        top = 0.9
        for index, line in enumerate(lines):
            size = 1.25 if index < large else 0.9
            pixels = round(size * pane.font)
            for part in _wrapped(line, pixels, pane):
                if self.lines and (top + size) * pane.letter_y > TITLE_SHARE:
                    break
                self.lines.append((pane.shorten(part, pixels), size, top))
                top += 1.45 * size
        self.height = top * pane.letter_y if self.lines else 0.0
        """Share of the pane."""

    def props(self) -> Iterator[vtk.vtkProp]:
        """Yield one text per line."""
        for line, size, top in self.lines:
            at = np.array([0.9 * self.pane.letter_x, 1 - top * self.pane.letter_y])
            yield _text(line, at, self.pane, size=size, vertical="top")


def _wrapped(line: str, pixels: int, pane: Pane) -> list[str]:
    """Return a line in pieces that fit, where it can be broken so."""
    first, *rest = BREAKS.split(line)
    lines = [first]
    for gap, part in zip(rest[::2], rest[1::2], strict=True):
        longer = lines[-1] + gap + part
        if pane.fits(longer, pixels):
            lines[-1] = longer
        else:
            lines.append(part)
    return lines


class ScalarBar:
    """A colour bar with its title and labels in data units.

    Half of the bar shows the colours, the other half the same colours under the opacity curve: what the
    legend shows faint, the picture shows faint.
    """

    def __init__(self, legend: Legend, pane: Pane, low: float, high: float) -> None:
        """`low` and `high` bound an upright bar, `low` is the place of another one, in shares of the pane's height."""
        self.legend = legend
        self.pane = pane
        self.quantity = pane.shorten(legend.quantity, pane.font)
        self.texts = self._labels(5)
        if pane.upright:
            self.thick = 1.1 * pane.letter_x
            self.start, self.length = np.array([1 - self._width() / pane.width, low]), high - low
            return
        self.thick = 1.1 * pane.letter_y
        self.start, self.length = np.array([0.18, low]), 0.64
        widest = max(text_width(text, SMALL * pane.font) for text in self.texts)
        if 4.6 * widest > self.length * pane.width:  # five labels would run into each other
            self.texts = self._labels(3)

    def _labels(self, n: int) -> list[str]:
        return format_values(self.legend.transfer.denormalise(np.linspace(0, 1, n), self.legend.span))

    def _width(self) -> float:
        """Return the width of an upright bar with all its texts, in pixels."""
        labels = max(text_width(text, SMALL * self.pane.font) for text in self.texts)
        return max(2.6 * self.pane.font + labels, text_width(self.quantity, self.pane.font)) + 0.9 * self.pane.font

    @property
    def margins(self) -> Margins:
        """What the bar takes of the pane."""
        if self.pane.upright:
            return Margins(0, float(1 - self.start[0]), 0, 0)
        return Margins(0, 0, float(self.start[1]) + 4.0 * self.pane.letter_y, 0)

    def props(self) -> Iterator[vtk.vtkProp]:
        """Yield bar, labels and title."""
        yield overlay_actor(self._bar())
        yield from self._label_texts()
        end = (0.0, self.length) if self.pane.upright else (self.length / 2, 2 * self.thick)
        at = self.start + np.array(end) + np.array([0.0, 0.6 * self.pane.letter_y])
        side = "left" if self.pane.upright else "centre"
        yield _text(self.quantity, at, self.pane, horizontal=side)

    def _bar(self) -> vtk.vtkPolyData:
        along = np.linspace(0, self.length, STEPS + 1)
        middles = (np.arange(STEPS) + 0.5) / STEPS
        solid = self.legend.transfer.colours(middles)
        alpha = self.legend.transfer.opacity_at(middles)[:, None]
        seen = solid * alpha + np.array(self.pane.theme.background) * (1 - alpha)
        quads = [
            self._quad(along[step], along[step + 1], lane * self.thick) for lane in (0, 1) for step in range(STEPS)
        ]
        return quad_polydata(np.array(quads), np.round(255 * np.concatenate([solid, seen])))

    def _quad(self, low: float, high: float, across: float) -> NDArray[np.float64]:
        corners = np.array([(across, low), (across + self.thick, low), (across + self.thick, high), (across, high)])
        corners = self.start + (corners if self.pane.upright else corners[:, ::-1])
        return np.concatenate([corners, np.zeros((4, 1))], axis=1)

    def _label_texts(self) -> Iterator[vtk.vtkProp]:
        for share, text in zip(np.linspace(0, self.length, len(self.texts)), self.texts, strict=True):
            if self.pane.upright:
                at = self.start + np.array([2 * self.thick + 0.4 * self.pane.letter_x, share])
                yield _text(text, at, self.pane, size=SMALL, vertical="centre")
            else:
                at = self.start + np.array([share, -0.35 * self.pane.letter_y])
                yield _text(text, at, self.pane, size=SMALL, horizontal="centre", vertical="top")


def scalar_bars(legends: Sequence[Legend], pane: Pane, title: Title) -> list[ScalarBar]:
    """Return one bar for each of the legends, as many as have room: above each other, the first on top."""
    if not pane.roomy or not legends:
        return []
    letter = pane.letter_y
    if not pane.upright:
        room = int((1 - LEAST_ROOM - title.height) / (6 * letter))
        places = [(2 + 6 * index) * letter for index in range(len(legends))][: max(room, 1)]
        return [ScalarBar(legend, pane, low, low) for legend, low in zip(legends, places[::-1], strict=False)]
    if len(legends) == 1:
        return [ScalarBar(legends[0], pane, 0.25, 0.25 + min(0.5, 0.75 - title.height - 2 * letter))]
    top, bottom = 1 - title.height - letter, 2 * letter
    slot = max((top - bottom) / len(legends), 8 * letter)
    starts = [low for index in range(len(legends)) if (low := top - (index + 1) * slot) >= bottom - 1e-9]
    return [ScalarBar(legend, pane, low, low + slot - 3 * letter) for legend, low in zip(legends, starts, strict=False)]


def _text(text: str, at: NDArray[np.float64], pane: Pane, *, size: float = 1.0, **anchor: str) -> vtk.vtkTextActor:
    actor = overlay_text(text, (float(at[0]), float(at[1])))
    style_text(actor.GetTextProperty(), colour=pane.theme.text, size=round(size * pane.font), **anchor)
    return actor
