"""Parts that figures share: header, group legend, colour bar, checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.errors import InvalidInputError
from cnnvis.core.palette import MISSING_COLOUR, group_colour
from cnnvis.core.provenance import Provenance
from cnnvis.core.volume import Volume
from cnnvis.report.scale import ColourScale
from cnnvis.report.sheet import Sheet, shortened, text_width
from cnnvis.report.style import ALARM, INK, MARGIN, PANEL, QUIET, TITLE, ink_on, minus

HEADER_HEIGHT = 104
LEGEND_HEIGHT = 148
TITLE_HEIGHT = 52
"""Pixels of the figure's header, of the colour bar with its notes, and of a panel's title."""

BAR_WIDTH, BAR_HEIGHT = 560, 22
CHIP_WIDTH = 46


def check_volumes(volumes: Mapping[str, Volume]) -> Volume:
    """Return the first of `volumes`, which must be one layer's maps in several orders.

    Raises
    ------
    InvalidInputError
        When there is none, or shapes or layers differ.
    """
    if not volumes:
        raise InvalidInputError("No volume to draw; give at least one, by the name of its order.")
    first = next(iter(volumes.values()))
    for name, volume in volumes.items():
        if (volume.shape, volume.layer) != (first.shape, first.layer):
            raise InvalidInputError(
                f"One figure compares orders of one layer: {name!r} is {volume.layer!r} {volume.shape}, "
                f"the first is {first.layer!r} {first.shape}. Make a figure for each layer."
            )
    return first


def volume_title(volume: Volume) -> str:
    """Return the title of a figure of a layer's maps: layer, number and size of the maps."""
    channels, height, width = volume.shape
    unit = "channel" if channels == 1 else "channels"
    return f"{volume.layer or 'layer'}: {channels} {unit} of {height} × {width}"


def draw_header(sheet: Sheet, title: str, provenance: Provenance) -> None:
    """Write title and origin over the whole width, `HEADER_HEIGHT` pixels high. Random weights are said in red."""
    room = sheet.width - 2 * MARGIN
    sheet.text(MARGIN, 36, title, size=TITLE, bold=True, room=room)
    random = provenance.weights == "random"
    sheet.text(MARGIN, 78, provenance.caption, colour=ALARM if random else QUIET, bold=random, room=room)


def draw_panel_title(
    sheet: Sheet, origin: tuple[float, float], name: str, *, groups: NDArray[np.int64] | None, room: float
) -> None:
    """Write a panel's name and, within `room` pixels, its groups: a chip in each one's colour with its number."""
    x, y = origin[0], origin[1] + TITLE_HEIGHT / 2 - 4
    present = [] if groups is None else [int(group) for group in np.unique(groups) if group >= 0]
    name = shortened(name, room * (0.5 if present else 1), size=PANEL, bold=True)
    sheet.text(x, y, name, size=PANEL, bold=True)
    end = x + room
    x += text_width(name, size=PANEL, bold=True) + 26
    title = "groups, largest first"
    if not present or x + text_width(title) + 5 * CHIP_WIDTH > end:
        return
    sheet.text(x, y, title, colour=QUIET)
    x += text_width(title) + 12
    fitting = int((end - x) // CHIP_WIDTH)
    shown = present if len(present) <= fitting else present[: fitting - 2]
    for group in shown:
        colour = group_colour(group)
        sheet.fill(x, y - 15, CHIP_WIDTH - 4, 30, colour=colour)
        sheet.text(x + CHIP_WIDTH / 2 - 2, y, str(group), colour=ink_on(colour), align="center")
        x += CHIP_WIDTH
    if len(shown) < len(present):
        sheet.text(x + 4, y, f"… {present[-1]}", colour=QUIET)


def draw_legend(
    sheet: Sheet, y: float, scale: ColourScale, *, quantity: str, missing: int = 0, notes: Sequence[str] = ()
) -> None:
    """Draw the colour bar with title, ticks and range at height y, and notes to its right."""
    draw_colour_bar(sheet, (MARGIN, y), scale, quantity=quantity)
    x, room = MARGIN + BAR_WIDTH + 70, sheet.width - 2 * MARGIN - BAR_WIDTH - 70
    lines: list[tuple[str, bool]] = [(scale.note, False), *((note, False) for note in notes)]
    if missing:
        lines.append((f"missing: {missing} values are NaN or infinite", True))
    for line, (text, chip) in enumerate(lines):
        middle = y + 12 + 34 * line
        if chip:
            sheet.fill(x, middle - 11, 22, 22, colour=MISSING_COLOUR)
        indent = 32 if chip else 0
        sheet.text(x + indent, middle, text, colour=INK if chip else QUIET, room=room - indent)


def draw_colour_bar(sheet: Sheet, origin: tuple[float, float], scale: ColourScale, *, quantity: str) -> None:
    """Draw a horizontal colour bar: its title above, five ticks below."""
    x, y = origin
    sheet.text(x, y + 12, quantity, bold=True, room=BAR_WIDTH)
    values = np.linspace(scale.low, scale.high, BAR_WIDTH)
    top = y + 34
    sheet.paste(x, top, np.broadcast_to(scale.rgb(values), (BAR_HEIGHT, BAR_WIDTH, 3)))
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        at = x + share * (BAR_WIDTH - 1)
        sheet.fill(at - 1, top + BAR_HEIGHT, 2, 7, colour=INK)
        value = scale.low + share * (scale.high - scale.low)
        align = {0.0: "left", 1.0: "right"}.get(share, "center")
        sheet.text(at, top + BAR_HEIGHT + 22, minus(f"{value:.3g}"), align=align)
