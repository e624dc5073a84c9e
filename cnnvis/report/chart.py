"""What charts share: axes by pixels, lines that are told apart without their colour, a key beside the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnvis.core.palette import GROUP_COLOURS, RGB
from cnnvis.report.sheet import Sheet
from cnnvis.report.style import QUIET, SHADE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SOLID = "-"
DOTTED = (0, (1.5, 1.5))

COLOURS: tuple[RGB, ...] = tuple(GROUP_COLOURS[index] for index in (0, 3, 2, 4, 7, 5, 9, 1))
"""Of the colour-blind-safe palette those that are dark enough for a line on white."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

SAMPLE_WIDTH = 84
"""Pixels of a line's sample in a key."""


@dataclass(frozen=True, slots=True)
class LineLook:
    """How a line is drawn; every pair differs in the marker as well as in the colour.

    Parameters
    ----------
    colour : RGB
    marker : str
    dash : str or (offset, lengths)
    filled : bool
        Whether the marker is filled.
    """

    colour: RGB
    marker: str = ""
    dash: Any = SOLID
    filled: bool = True

    def style(self) -> dict[str, Any]:
        """Return the keywords of matplotlib's `plot`."""
        return {
            "color": self.colour,
            "linestyle": self.dash,
            "marker": self.marker or None,
            "markersize": 7,
            "markerfacecolor": self.colour if self.filled else "white",
            "linewidth": 2,
        }


def line_looks(names: Sequence[str]) -> dict[str, LineLook]:
    """Return a look for each name.

    "random" is grey and without markers; "NAME reversed" takes the colour and marker of NAME, dotted and open; the
    others take colours and markers in turn.
    """
    base = list(dict.fromkeys(name.removesuffix(" reversed") for name in names if name != "random"))
    looks = {}
    for name in names:
        if name == "random":
            looks[name] = LineLook(QUIET, dash="--")
            continue
        place = base.index(name.removesuffix(" reversed"))
        back = name.endswith(" reversed")
        # After all pairs of equal index are used up, the markers move on against the colours.
        marker = MARKERS[(place + place // len(COLOURS)) % len(MARKERS)]
        looks[name] = LineLook(COLOURS[place % len(COLOURS)], marker, DOTTED if back else SOLID, filled=not back)
    return looks


def add_axes(figure: Figure, sheet: Sheet, box: tuple[float, float, float, float]) -> Axes:
    """Return axes whose frame is the `box` (left, top, width, height), in pixels from the sheet's upper left corner."""
    left, top, width, height = box
    bottom = sheet.height - top - height
    axes = figure.add_axes((left / sheet.width, bottom / sheet.height, width / sheet.width, height / sheet.height))
    axes.grid(color=SHADE)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def draw_sample(figure: Figure, place: tuple[float, float], style: dict[str, Any]) -> None:
    """Draw a short piece of a line with its marker on a sheet's figure, from `place` (x, y) in pixels to the right."""
    x, y = place
    middle = x + SAMPLE_WIDTH / 2
    # The sheet's own axes are measured in its pixels.
    figure.axes[0].plot([x, middle, x + SAMPLE_WIDTH], [y, y, y], markevery=[1], **style)
