"""Flat parts of a picture: scalar bar and title. Positions are fractions of the pane."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.style import Theme, format_value, overlay_actor, overlay_text, quad_polydata, style_text
from cnnvis.rendering.viewpoint import WIDE
from cnnvis.scene import TransferFunction

LABELS = 5


@dataclass(frozen=True, slots=True)
class Pane:
    """Size and style of the pane a legend is laid out in: pixels."""

    width: int
    height: int
    theme: Theme
    font: int

    @property
    def upright(self) -> bool:
        """Whether the scalar bar stands at the right; narrow panes lay it at the bottom."""
        return self.width > WIDE * self.height


@dataclass(frozen=True, slots=True)
class Legend:
    """What the colours of an item mean: the data range of its transfer function, and the quantity."""

    transfer: TransferFunction
    span: tuple[float, float]
    quantity: str


def scalar_bar(legend: Legend, pane: Pane) -> Iterator[vtk.vtkProp]:
    """Yield a colour bar with its title and labels in data units.

    Half of the bar shows the colours, the other half the same colours under the opacity curve: what the
    legend shows faint, the picture shows faint.
    """
    thick_px, positions = 1.1 * pane.font, np.linspace(0, 1, 65)
    if pane.upright:
        start, length = np.array([1 - 6.2 * pane.font / pane.width, 0.25]), 0.5
        thick = thick_px / pane.width
    else:
        start, length = np.array([0.2, 2.0 * pane.font / pane.height]), 0.6
        thick = thick_px / pane.height
    middles = (positions[1:] + positions[:-1]) / 2
    solid = legend.transfer.colours(middles)
    alpha = legend.transfer.opacity_at(middles)[:, None]
    seen = solid * alpha + np.array(pane.theme.background) * (1 - alpha)
    quads, colours = [], []
    for lane, rgb in enumerate((solid, seen)):
        for low, high, colour in zip(positions[:-1], positions[1:], rgb, strict=True):
            across = (lane * thick, (lane + 1) * thick)
            quads.append(_quad(start, length * low, length * high, across, upright=pane.upright))
            colours.append(np.round(255 * colour))
    yield overlay_actor(quad_polydata(np.array(quads), np.array(colours)))
    yield from _bar_labels(legend, start, length, 2 * thick, pane)
    anchor = start + (np.array([0.0, length]) if pane.upright else np.array([length / 2, 2 * thick]))
    text = overlay_text(legend.quantity, (float(anchor[0]), float(anchor[1] + 0.6 * pane.font / pane.height)))
    style_text(
        text.GetTextProperty(),
        colour=pane.theme.text,
        size=pane.font,
        horizontal="left" if pane.upright else "centre",
    )
    yield text


def _quad(
    start: np.ndarray, low: float, high: float, across: tuple[float, float], *, upright: bool
) -> list[list[float]]:
    corners = [(across[0], low), (across[1], low), (across[1], high), (across[0], high)]
    if not upright:
        corners = [(along, over) for over, along in corners]
    return [[float(start[0] + x), float(start[1] + y), 0.0] for x, y in corners]


def _bar_labels(legend: Legend, start: np.ndarray, length: float, thick: float, pane: Pane) -> Iterator[vtk.vtkProp]:
    fractions = np.linspace(0, 1, LABELS)
    for fraction, value in zip(fractions, legend.transfer.denormalise(fractions, legend.span), strict=True):
        if pane.upright:
            position = (start[0] + thick + 0.4 * pane.font / pane.width, start[1] + length * fraction)
        else:
            position = (start[0] + length * fraction, start[1] - 0.35 * pane.font / pane.height)
        text = overlay_text(format_value(float(value)), (float(position[0]), float(position[1])))
        style_text(
            text.GetTextProperty(),
            colour=pane.theme.text,
            size=round(0.82 * pane.font),
            horizontal="left" if pane.upright else "centre",
            vertical="centre" if pane.upright else "top",
        )
        yield text


def title(lines: Sequence[str], pane: Pane) -> Iterator[vtk.vtkProp]:
    """Yield the title, large, and the lines under it, at the top left."""
    top = 1 - 0.9 * pane.font / pane.height
    for index, line in enumerate(lines):
        size = round(1.25 * pane.font) if index == 0 else round(0.9 * pane.font)
        text = overlay_text(line, (0.9 * pane.font / pane.width, top))
        style_text(text.GetTextProperty(), colour=pane.theme.text, size=size, vertical="top")
        yield text
        top -= 1.45 * size / pane.height
