"""Key of a picture: what single colours stand for, as patches with names. Positions are shares of the pane."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.pane import Margins, Pane
from cnnvis.rendering.style import RGB, overlay_actor, overlay_text, quad_polydata, style_text, text_width

SMALL = 0.9
"""Size of the names, in letters."""

LINE = 1.45
"""From one name to the next, in letters."""

NAME_SHARE = 0.25
"""Of the pane's width, the most that a name may take; a longer one loses its middle."""

FEW = 6
"""Names for which a column needs room, or a wide pane has its key at the bottom, too."""

HEIGHT_SHARE, ROWS_SHARE = 0.7, 0.25
"""Of the pane's height, the most that an upright key, and one at the bottom, may take."""


@dataclass(frozen=True, slots=True)
class Key:
    """What single colours mean.

    Parameters
    ----------
    quantity : str
        Headline.
    names : tuple of str
    colours : tuple of (r, g, b)
        One per name, as seen on the background.
    """

    quantity: str
    names: tuple[str, ...]
    colours: tuple[RGB, ...]


class KeyBox:
    """A key in a pane: in one column at the right of a wide pane, in rows at the bottom of others, also flat ones.

    Parameters
    ----------
    key : Key
    pane : Pane
    beside : Margins
        What scalar bars take already.
    top : float
        Height of the title, a share of the pane.
    """

    def __init__(self, key: Key, pane: Pane, beside: Margins, top: float) -> None:
        self.pane = pane
        self.top = top
        self.beside = beside
        self.quantity = key.quantity
        letter = LINE * pane.letter_y
        names = [pane.shorten(name, SMALL * pane.font, NAME_SHARE) for name in key.names]
        head = text_width(key.quantity, pane.font) / pane.width
        self.step, more = self._width(names), self._width([f"{len(names):,} more"])
        columns = max(1, int((1 - 2 * pane.letter_x) / self.step))
        in_rows = columns * max(1, int(ROWS_SHARE / letter) - 1)
        if len(names) > in_rows:
            in_rows = max(1, in_rows + 1 - math.ceil(more / self.step))  # the last of them is wider
        in_column = max(1, int(min(HEIGHT_SHARE, 1 - top - beside.bottom - 3 * letter) / letter) - 1)
        self.upright = pane.upright and in_column >= min(len(names), in_rows, FEW)
        self.columns, places = (1, in_column) if self.upright else (columns, in_rows)
        left = len(names) - places
        self.names = names if left <= 0 else [*names[: places - 1], f"{left + 1:,} more"]
        self.colours = key.colours[: len(self.names) - (left > 0)]
        self.rows = -(-len(self.names) // self.columns)
        self.height = (self.rows + 1) * letter
        self.width = max(self.step, head + pane.letter_x, more if left > 0 else 0.0)

    def _width(self, texts: list[str]) -> float:
        """Return what the widest of some names takes with its patch, as a share of the pane."""
        widest = max(text_width(text, SMALL * self.pane.font) for text in texts)
        return (2.2 * self.pane.font + widest) / self.pane.width

    @property
    def margins(self) -> Margins:
        """What the key takes of the pane, beside the scalar bars."""
        if self.upright:
            return Margins(0, self.width, 0, 0)
        return Margins(0, 0, self.height + self.pane.letter_y, 0)

    def props(self) -> Iterator[vtk.vtkProp]:
        """Yield headline, patches and names."""
        letter = LINE * self.pane.letter_y
        if self.upright:
            free = 1 - self.top
            left, top = 1 - self.beside.right - self.width, free - max((free - self.height) / 2, 0)
        else:
            left, top = self.pane.letter_x, self.beside.bottom + self.height + 0.5 * self.pane.letter_y
        yield self._text(self.quantity, left, top - letter / 2, 1.0)
        places = []
        for index, name in enumerate(self.names):
            row, column = divmod(index, self.columns)
            at = np.array([left + column * self.step, top - (row + 1.5) * letter])
            if index < len(self.colours):
                places.append(at)
            yield self._text(name, at[0] + 1.3 * self.pane.letter_x, at[1], SMALL)
        half = 0.5 * np.array([self.pane.letter_x, self.pane.letter_y])
        square = np.array([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)])
        corners = [np.array([at[0] + half[0], at[1], 0]) + square * np.append(half, 0) for at in places]
        yield overlay_actor(quad_polydata(corners, np.round(255 * np.array(self.colours))))

    def _text(self, text: str, x: float, y: float, size: float) -> vtk.vtkTextActor:
        actor = overlay_text(text, (x, y))
        style_text(
            actor.GetTextProperty(), colour=self.pane.theme.text, size=round(size * self.pane.font), vertical="centre"
        )
        return actor
