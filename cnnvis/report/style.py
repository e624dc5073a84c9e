"""One place for how figures look: fonts, sizes, neutral colours.

A figure is `WIDTH` pixels wide at `DPI`: 10.7 inches, which is the text column of the report page, so a font
of 11 pt is 11 pt where it is read.
"""

from __future__ import annotations

from typing import Any

from cnnvis.core.palette import RGB

DPI = 150
WIDTH = 1600
MARGIN = 28

FONT = "DejaVu Sans"  # ships with matplotlib: the same letters on every machine
TEXT, PANEL, TITLE = 11, 13, 16
"""Font sizes in points: labels and notes, panel titles, the figure's title."""

INK: RGB = (0.11, 0.13, 0.16)
QUIET: RGB = (0.36, 0.39, 0.43)
PAPER: RGB = (1.0, 1.0, 1.0)
SHADE: RGB = (0.91, 0.92, 0.93)
OUTLINE: RGB = (0.78, 0.79, 0.81)
ALARM: RGB = (0.72, 0.05, 0.05)
ACCENT: RGB = (0.0, 0.45, 0.70)

CHART_STYLE: dict[Any, Any] = {
    "font.family": FONT,
    "font.size": TEXT,
    "text.usetex": False,
    "text.color": INK,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.facecolor": PAPER,
    "axes.unicode_minus": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.facecolor": PAPER,
}
"""Matplotlib settings of a figure, so that a reader's own matplotlibrc does not leak in."""


def to_bytes(colour: RGB) -> tuple[int, int, int]:
    """Return a colour of 0 to 1 as 0 to 255."""
    red, green, blue = (round(255 * part) for part in colour)
    return (red, green, blue)


def minus(number: str) -> str:
    """Return the text of a number with the minus sign that a printed page has."""
    return number.replace("-", "−")


def ink_on(colour: RGB) -> RGB:
    """Return the text colour, dark or white, that has the higher contrast on `colour` (WCAG 2 luminance)."""
    luminance = sum(weight * _linear(part) for weight, part in zip((0.2126, 0.7152, 0.0722), colour, strict=True))
    return INK if luminance > 0.19 else PAPER


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
