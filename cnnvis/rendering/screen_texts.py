"""Texts over a scene: none covers another, none leaves its part of the pane."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.pane import Margins, Pane
from cnnvis.rendering.style import RGB, line_polydata, overlay_actor, overlay_text, style_text, text_width

SMALL = 0.8
"""Size of tick labels, in letters."""


FACES = ((0, 1, 3, 2), (4, 5, 7, 6), (0, 1, 5, 4), (2, 3, 7, 6), (0, 2, 6, 4), (1, 3, 7, 5))
"""Corners of the faces of a box, around each, by their numbers in `box_corners`."""

PLACES = np.array([(x, y) for x in (-1.0, 0.0, 1.0) for y in (-1.0, 0.0, 1.0)])
"""Of a text that are looked at, in halves of its size from its middle."""


class ScreenTexts:
    """Places texts around what is drawn, in units of the pane's height from its centre.

    They stay clear of `taken`, the margins with title and scalar bar, of each other, and of what stands in front of
    what they belong to. Sizes are in letters; an upright text runs from bottom to top.
    """

    def __init__(self, pane: Pane, taken: Margins) -> None:
        self.pane = pane
        self._scale = np.array([pane.width / pane.height, 1.0])
        gap = 0.4 * np.array([pane.letter_x, pane.letter_y])
        self._low = (np.array([taken.left, taken.bottom]) + gap - 0.5) * self._scale
        self._high = (0.5 - np.array([taken.right, taken.top]) - gap) * self._scale
        self._placed: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
        self._in_front: list[NDArray[np.float64]] = []

    def stay_beside(self, corners: NDArray[np.float64]) -> None:
        """Let no text that comes from now on stand on a box, given by its corners (8, 2) as `box_corners` has them."""
        self._in_front += [corners[list(face)] for face in FACES]

    def covered(self, points: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which of the points (P, 2) lie on such a box."""
        found = np.zeros(len(points), bool)
        for face in self._in_front:
            sides, from_corner = np.roll(face, -1, axis=0) - face, points[:, None] - face
            turns = sides[:, 0] * from_corner[..., 1] - sides[:, 1] * from_corner[..., 0]
            found |= (turns > 0).all(axis=1) | (turns < 0).all(axis=1)
        return found

    def size(self, text: str, letters: float, *, upright: bool = False) -> NDArray[np.float64]:
        """Return (width, height) of a text."""
        pixels = round(letters * self.pane.font)
        size = np.array([text_width(text, pixels), 1.17 * pixels * (text.count("\n") + 1)]) / self.pane.height
        return size[::-1] if upright else size

    def fraction(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points on screen as fractions of the pane."""
        return at / self._scale + 0.5

    def has_room(self, text: str, at: NDArray[np.float64], *, upright: bool = False) -> bool:
        """Whether a small text at this place stays within its part of the pane."""
        half = self.size(text, SMALL, upright=upright) / 2
        return bool(np.all(at - half >= self._low) and np.all(at + half <= self._high))

    def number(self, text: str, at: NDArray[np.float64], *, upright: bool = False) -> Iterator[vtk.vtkTextActor]:
        """Yield a small text where there is room for it; moved aside it would name another place."""
        if self.has_room(text, at, upright=upright):
            yield from self.text(text, at, size=SMALL, upright=upright)

    def title(self, text: str, at: NDArray[np.float64], *, upright: bool = False) -> Iterator[vtk.vtkTextActor]:
        """Yield the name of an axis, moved so far that all of it is seen."""
        text = self.pane.shorten(text, self.pane.font)
        half = self.size(text, 1.0, upright=upright) / 2
        yield from self.text(text, np.clip(at, self._low + half, self._high - half), size=1.0, upright=upright)

    def kept_whole(self, text: str, at: NDArray[np.float64], *, size: float) -> NDArray[np.float64]:
        """Return where a text in the pane is whole: moved in from the border that would cut it. Others stay outside."""
        edge = 0.5 * self._scale
        room = np.maximum(edge - self.size(text, size) / 2, 0)
        return np.clip(at, -room, room) if np.all(np.abs(at) <= edge) else at

    def text(
        self, text: str, at: NDArray[np.float64], *, size: float, upright: bool = False
    ) -> Iterator[vtk.vtkTextActor]:
        """Yield a text centred on a point of the screen, unless it would cover one, or a box, that is there."""
        half = self.size(text, size, upright=upright) / 2
        if any(np.all(np.abs(at - other) < half + reach) for other, reach in self._placed):
            return
        if self.covered(at + half * PLACES).any():
            return
        self._placed.append((at, half))
        actor = self.actor(text, at, size=size, colour=self.pane.theme.text)
        actor.GetTextProperty().SetOrientation(90 if upright else 0)
        yield actor

    def actor(self, text: str, at: NDArray[np.float64], *, size: float, colour: RGB) -> vtk.vtkTextActor:
        """Return a text centred on a point of the screen, whatever is there."""
        x, y = self.fraction(at)
        actor = overlay_text(text, (float(x), float(y)))
        style_text(
            actor.GetTextProperty(),
            colour=colour,
            size=round(size * self.pane.font),
            horizontal="centre",
            vertical="centre",
        )
        return actor

    def tick_lines(self, base: NDArray[np.float64], tips: NDArray[np.float64]) -> vtk.vtkActor2D:
        """Return a line from each point (P, 2) to its tip."""
        points = self.fraction(np.concatenate([base, tips]))
        points = np.concatenate([points, np.zeros((len(points), 1))], axis=1)
        colours = np.tile(np.round(255 * np.array(self.pane.theme.text)), (len(base), 1))
        pairs = [[index, index + len(base)] for index in range(len(base))]
        return overlay_actor(line_polydata(points, pairs, colours), line_width=self.pane.font / 14)


def half_extent(size: NDArray[np.float64], direction: NDArray[np.float64]) -> float:
    """Return how far a box of this size reaches from its centre in a direction."""
    return float(np.abs(direction) @ size) / 2
