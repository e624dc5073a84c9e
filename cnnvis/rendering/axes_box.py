"""The frame around a stack: outline, named axes with ticks, marks at group boundaries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import GroupSpan, Volume
from cnnvis.core.ordering import method_title
from cnnvis.core.palette import group_colour
from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.pane import Margins, Pane
from cnnvis.rendering.style import (
    RGB,
    line_polydata,
    overlay_actor,
    overlay_text,
    quad_polydata,
    style_text,
    text_width,
)
from cnnvis.scene import VolumeItem

TICKS = 6
"""About so many ticks on an axis."""

SHORTEST = 0.17
"""An axis that is shorter on screen than this share of the pane's height is seen end-on and gets no labels."""

MAX_GROUP_LABELS = 12

SMALL = 0.8
"""Size of tick labels, in letters."""

Edge = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Projection:
    """How scene points land on a pane, in units of the pane's height, from its centre."""

    matrix: NDArray[np.float64]
    aspect: float

    @classmethod
    def of(cls, renderer: vtk.vtkRenderer, aspect: float) -> Projection:
        """Read it off the renderer's camera."""
        matrix = renderer.GetActiveCamera().GetCompositeProjectionTransformMatrix(aspect, -1, 1)
        return cls(np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)]), aspect)

    def __call__(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Project (P, 3) scene points to (P, 2)."""
        homogeneous = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ self.matrix.T
        return homogeneous[:, :2] / homogeneous[:, 3:4] / 2 * np.array([self.aspect, 1.0])


def margins(pane: Pane) -> Margins:
    """Return what ticks, names and group marks take of a pane around the stack.

    The same with and without groups, so that all orders of a layer are drawn at one scale.
    """
    return Margins(5.2 * pane.letter_x, 2.4 * pane.letter_x, 4.8 * pane.letter_y, 4.0 * pane.letter_y)


class AxesBox:
    """Frame of one volume item, built for one point of view.

    Names stand along the outline's lowest and leftmost edges as seen from the camera, at a distance given in
    letters, so a new camera or pane needs a new frame; it costs about a millisecond. Texts stay clear of `taken`,
    the margins with title and scalar bar: names move aside, numbers are left out.
    """

    def __init__(
        self, item: VolumeItem, bounds: NDArray[np.float64], projection: Projection, pane: Pane, taken: Margins
    ) -> None:
        self.item = item
        self.volume: Volume = item.data
        self.projection = projection
        self.pane = pane
        self.letter = pane.letter_y
        gap = 0.4 * np.array([pane.letter_x, pane.letter_y])
        scale = np.array([projection.aspect, 1.0])
        self._texts_low = (np.array([taken.left, taken.bottom]) + gap - 0.5) * scale
        self._texts_high = (0.5 - np.array([taken.right, taken.top]) - gap) * scale
        self.first = np.array(item.origin, dtype=float)
        self.low, self.high = bounds
        self.middle = projection(((self.low + self.high) / 2)[None])[0]
        self._placed: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []

    def props(self) -> Iterator[vtk.vtkProp]:
        """Yield outline, ticks, names and group marks."""
        yield self._lines(*self._outline(), colour=self.pane.theme.faint)
        for axis in (2, 0, 1) if self.pane.roomy else ():
            silhouette = self._silhouette(axis)
            if silhouette is not None:
                yield from self._axis(axis, silhouette[0])
        spans = self.volume.group_spans
        if self.item.group_marks and len(spans) > 1:
            yield from self._group_marks(spans)

    # -- geometry --------------------------------------------------------------------------------

    def _outline(self) -> tuple[NDArray[np.float64], list[list[int]]]:
        corners = np.array([self._corner(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)])
        pairs = [[a, b] for a in range(8) for b in range(a + 1, 8) if (a ^ b).bit_count() == 1]
        return corners, pairs

    def _corner(self, x: int, y: int, z: int) -> NDArray[np.float64]:
        return np.where([x, y, z], self.high, self.low)

    def _ends(self, axis: int, edge: Edge) -> NDArray[np.float64]:
        """Return both ends (2, 3) of the edge along `axis` at the sides `edge` of the two other axes."""
        sides = [(*edge[:axis], along, *edge[axis:]) for along in (0, 1)]
        return np.array([self._corner(*corner) for corner in sides])

    def _silhouette(self, axis: int) -> tuple[Edge, Edge] | None:
        """Return the two edges along `axis` that bound the box on screen, the one to label first.

        That is the lower one, for an upright axis the left one. None for an axis seen end-on.
        """
        edges: list[Edge] = [(a, b) for a in (0, 1) for b in (0, 1)]
        screen = np.array([self.projection(self._ends(axis, edge)) for edge in edges])
        along = (screen[:, 1] - screen[:, 0]).mean(axis=0)
        if np.linalg.norm(along) < SHORTEST:
            return None
        across, upwards = np.abs(along)
        downwards = np.array([-1.0, 0.0] if upwards > 1.2 * across else [0.0, -1.0])
        normal = np.array([-along[1], along[0]])
        normal = normal if normal @ downwards > 0 else -normal
        reach = screen.mean(axis=1) @ normal
        return edges[int(np.argmax(reach))], edges[int(np.argmin(reach))]

    def _away(self, axis: int, edge: Edge) -> NDArray[np.float64]:
        """Return the unit direction on screen that leads from an edge away from the box."""
        ends = self.projection(self._ends(axis, edge))
        along = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
        away = np.array([-along[1], along[0]])
        return away if away @ (ends.mean(axis=0) - self.middle) > 0 else -away

    def _on_edge(self, axis: int, edge: Edge, positions: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return scene points (P, 3) of the given indices along an edge."""
        points = np.repeat(self._ends(axis, edge)[:1], len(positions), axis=0)
        points[:, axis] = self.first[axis] + positions * self.volume.spacing[axis]
        return points

    # -- axes ------------------------------------------------------------------------------------

    def _axis(self, axis: int, edge: Edge) -> Iterator[vtk.vtkProp]:
        positions, texts = self._ticks(axis)
        away = self._away(axis, edge)
        at = self.projection(self._on_edge(axis, edge, positions))
        yield self._tick_lines(at, at + 0.45 * self.letter * away)
        reach = 0.0
        for point, text in zip(at, texts, strict=True):
            half = _half_extent(self._size(text, SMALL), away)
            reach = max(reach, 0.65 * self.letter + 2 * half)
            yield from self._number(text, point + (0.65 * self.letter + half) * away)
        name = self._name(axis)
        middle = self.projection(self._ends(axis, edge)).mean(axis=0)
        offset = reach + 0.35 * self.letter + _half_extent(self._size(name, 1.0), away)
        yield from self._title(name, middle + offset * away)

    @property
    def _identity(self) -> bool:
        return bool(np.array_equal(self.volume.channels, np.arange(self.volume.shape[0])))

    def _name(self, axis: int) -> str:
        if axis == 2:
            return "channel" if self._identity else "position (#channel)"
        return ("column", "row")[axis]

    def _ticks(self, axis: int) -> tuple[NDArray[np.int64], list[str]]:
        positions = round_ticks(self.volume.shape[2 - axis])
        if axis != 2 or self._identity:
            return positions, [str(position) for position in positions]
        return positions, [f"{position}\n#{self.volume.channels[position]}" for position in positions]

    # -- groups ----------------------------------------------------------------------------------

    def _group_marks(self, spans: Sequence[GroupSpan]) -> Iterator[vtk.vtkProp]:
        """Yield a coloured bar per run of equal groups along the top, and a thin frame between runs."""
        starts, stops = (np.array(ends) for ends in zip(*((s.start, s.stop) for s in spans), strict=True))
        yield self._frames_at(starts[1:] - 0.5)
        silhouette = self._silhouette(2)
        if silhouette is None:
            return
        edge = silhouette[1]
        ends = self.projection(self._ends(2, edge))
        away = self._away(2, edge)
        low = self.projection(self._on_edge(2, edge, starts - 0.44))
        high = self.projection(self._on_edge(2, edge, stops - 0.56))
        inner, outer = 0.3 * self.letter * away, 0.95 * self.letter * away
        quads = np.stack([low + inner, high + inner, high + outer, low + outer], axis=1)
        colours = [np.round(255 * np.array(group_colour(span.group))) for span in spans]
        yield self._overlay_quads(quads, np.array(colours))
        if not self.pane.roomy:
            return
        if len(spans) <= MAX_GROUP_LABELS:
            for span, at in zip(spans, (low + high) / 2, strict=True):
                text = str(span.group) if span.group >= 0 else "const."
                yield from self._number(text, at + 1.6 * self.letter * away)
        name = f"{method_title(self.volume.method)} groups"
        offset = 2.5 * self.letter + _half_extent(self._size(name, 1.0), away)
        yield from self._title(name, ends.mean(axis=0) + offset * away)

    def _frames_at(self, positions: NDArray[np.floating]) -> vtk.vtkActor:
        sides = [(self.low[0], self.low[1]), (self.high[0], self.low[1])]
        sides += [(self.high[0], self.high[1]), (self.low[0], self.high[1])]
        heights = self.first[2] + positions * self.volume.spacing[2]
        points = np.array([(x, y, z) for z in heights for x, y in sides])
        rings = [[4 * ring, 4 * ring + 1, 4 * ring + 2, 4 * ring + 3, 4 * ring] for ring in range(len(positions))]
        return self._lines(points, rings, colour=self.pane.theme.faint)

    # -- props -----------------------------------------------------------------------------------

    def _lines(self, points: NDArray[np.float64], lines: list[list[int]], *, colour: RGB) -> vtk.vtkActor:
        mapper = vtk.vtkPolyDataMapper()
        mapper.SetInputData(line_polydata(points, lines))
        actor = vtk.vtkActor()
        actor.SetMapper(mapper)
        actor.GetProperty().LightingOff()
        actor.GetProperty().SetColor(*colour)
        actor.GetProperty().SetLineWidth(self.pane.font / 16)
        actor.PickableOff()
        return actor

    def _fraction(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points on screen as fractions of the pane."""
        return at / np.array([self.projection.aspect, 1.0]) + 0.5

    def _tick_lines(self, base: NDArray[np.float64], tips: NDArray[np.float64]) -> vtk.vtkActor2D:
        points = self._fraction(np.concatenate([base, tips]))
        points = np.concatenate([points, np.zeros((len(points), 1))], axis=1)
        colours = np.tile(np.round(255 * np.array(self.pane.theme.text)), (len(base), 1))
        pairs = [[index, index + len(base)] for index in range(len(base))]
        return overlay_actor(line_polydata(points, pairs, colours), line_width=self.pane.font / 14)

    def _overlay_quads(self, quads: NDArray[np.float64], colours: NDArray[np.float64]) -> vtk.vtkActor2D:
        corners = np.concatenate([self._fraction(quads), np.zeros((*quads.shape[:2], 1))], axis=2)
        return overlay_actor(quad_polydata(corners, colours))

    def _size(self, text: str, size: float) -> NDArray[np.float64]:
        """Return (width, height) of a text, in units of the pane's height; `size` is in letters."""
        pixels = round(size * self.pane.font)
        return np.array([text_width(text, pixels), 1.17 * pixels * (text.count("\n") + 1)]) / self.pane.height

    def _number(self, text: str, at: NDArray[np.float64]) -> Iterator[vtk.vtkTextActor]:
        """Yield a small text where there is room for it; moved aside it would name another place."""
        half = self._size(text, SMALL) / 2
        if np.all(at - half >= self._texts_low) and np.all(at + half <= self._texts_high):
            yield from self._text(text, at, size=SMALL)

    def _title(self, text: str, at: NDArray[np.float64]) -> Iterator[vtk.vtkTextActor]:
        """Yield the name of an axis, moved so far that all of it is seen."""
        text = self.pane.shorten(text, self.pane.font)
        half = self._size(text, 1.0) / 2
        yield from self._text(text, np.clip(at, self._texts_low + half, self._texts_high - half), size=1.0)

    def _text(self, text: str, at: NDArray[np.float64], *, size: float) -> Iterator[vtk.vtkTextActor]:
        """Yield a text centred on a point of the screen, unless it would cover one that is there."""
        half = self._size(text, size) / 2
        if any(np.all(np.abs(at - other) < half + reach) for other, reach in self._placed):
            return
        self._placed.append((at, half))
        fraction = self._fraction(at)
        actor = overlay_text(text, (float(fraction[0]), float(fraction[1])))
        style_text(
            actor.GetTextProperty(),
            colour=self.pane.theme.text,
            size=round(size * self.pane.font),
            horizontal="centre",
            vertical="centre",
        )
        yield actor


def round_ticks(n: int) -> NDArray[np.int64]:
    """Return tick indices for an axis of `n`: multiples of 1, 2 or 5 times a power of ten, and the last index."""
    step = next(s for p in range(12) for s in (10**p, 2 * 10**p, 5 * 10**p) if s * TICKS >= n - 1)
    ticks = np.arange(0, n, step)
    if n - 1 - ticks[-1] >= 0.6 * step:
        return np.append(ticks, n - 1)
    if len(ticks) > 1:
        ticks[-1] = n - 1
    return ticks


def _half_extent(size: NDArray[np.float64], direction: NDArray[np.float64]) -> float:
    """Return how far a box of this size reaches from its centre in a direction."""
    return float(np.abs(direction) @ size) / 2
