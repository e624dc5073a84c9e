"""The part of a window that one scene is drawn in, and how it is shared out between scene and texts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cnnvis.rendering.style import Theme, font_size, text_width

WIDE = 1.15
"""Width / height above which the scalar bar stands at the right."""

ROOMY = 13
"""Smaller side, in letters, below which a pane has no place for ticks and scalar bar."""

LEAST_ROOM = 0.4
"""Share of a pane's width and height that the scene gets in any case."""


@dataclass(frozen=True, slots=True)
class Pane:
    """Size in pixels, colours and base font size in pixels."""

    width: int
    height: int
    theme: Theme
    font: int

    @classmethod
    def of(cls, width: int, height: int, theme: Theme) -> Pane:
        """Return a pane with the font size that suits it."""
        return cls(width, height, theme, font_size(width, height))

    @property
    def upright(self) -> bool:
        """Whether the scalar bar stands at the right; narrow panes lay it at the bottom."""
        return self.width > WIDE * self.height

    @property
    def roomy(self) -> bool:
        """Whether ticks and scalar bar have a place; a smaller pane shows title and outline only."""
        return min(self.width, self.height) >= ROOMY * self.font

    @property
    def letter_x(self) -> float:
        """Height of a letter as a share of the pane's width."""
        return self.font / self.width

    @property
    def letter_y(self) -> float:
        """Height of a letter as a share of the pane's height."""
        return self.font / self.height

    def fits(self, text: str, size: float, share: float = 1.0) -> bool:
        """Whether a line of text fits into that share of the pane's width at `size` pixels."""
        return text_width(text, size) <= share * self.width - 1.8 * self.font

    def shorten(self, text: str, size: float, share: float = 1.0) -> str:
        """Return a line that fits into that share of the pane's width: what is too long loses its middle."""
        if self.fits(text, size, share):
            return text
        kept = len(text) - 1
        while kept > 2 and not self.fits(_without_middle(text, kept), size, share):
            kept -= 1
        return _without_middle(text, kept)


@dataclass(frozen=True, slots=True)
class Margins:
    """What is kept free at the sides of a pane, as shares of its width and height."""

    left: float
    right: float
    bottom: float
    top: float

    def __add__(self, other: Margins) -> Margins:
        return Margins(
            self.left + other.left, self.right + other.right, self.bottom + other.bottom, self.top + other.top
        )

    @classmethod
    def widest(cls, margins: Iterable[Margins]) -> Margins:
        """Return the margins in which all of these have room."""
        sides = zip(*((each.left, each.right, each.bottom, each.top) for each in margins), strict=True)
        return cls(*(max(side) for side in sides))

    def limited(self) -> Margins:
        """Return the margins, smaller where they would leave too little between them."""
        across = min(1.0, (1 - LEAST_ROOM) / max(self.left + self.right, 1e-9))
        upwards = min(1.0, (1 - LEAST_ROOM) / max(self.bottom + self.top, 1e-9))
        return Margins(self.left * across, self.right * across, self.bottom * upwards, self.top * upwards)


def _without_middle(text: str, kept: int) -> str:
    head = kept // 2
    return f"{text[:head]}\N{HORIZONTAL ELLIPSIS}{text[len(text) - (kept - head) :]}"
