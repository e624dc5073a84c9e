"""The frame around a stack: outline, named axes with ticks, marks at group boundaries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import GroupSpan, Volume
from cnnvis.core.ordering import method_title
from cnnvis.core.palette import group_colour
from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.pane import Margins, Pane
from cnnvis.rendering.screen_box import Edge, Projection, ScreenBox, frame_lines
from cnnvis.rendering.screen_texts import SMALL, ScreenTexts, half_extent
from cnnvis.rendering.style import overlay_actor, quad_polydata
from cnnvis.scene import VolumeItem

TICKS = 6
"""About so many ticks on an axis."""

MAX_GROUP_LABELS = 12


def margins(pane: Pane) -> Margins:
    """Return what ticks, names and group marks take of a pane around the stack.

    The same with and without groups, so that all orders of a layer are drawn at one scale.
    """
    return Margins(5.2 * pane.letter_x, 2.4 * pane.letter_x, 4.8 * pane.letter_y, 4.0 * pane.letter_y)


class AxesBox:
    """Frame of one volume item, built for one point of view.

    Names stand along the outline's lowest and leftmost edges as seen from the camera, at a distance given in
    letters, so a new camera or pane needs a new frame; it costs about a millisecond. Where `texts` have no room, names
    move aside and numbers are left out. Of a `named` item, one of several, the name stands with that of the channels.
    """

    def __init__(
        self,
        item: VolumeItem,
        bounds: NDArray[np.float64],
        projection: Projection,
        texts: ScreenTexts,
        *,
        named: bool = False,
    ) -> None:
        self.item = item
        self.named = named
        self.volume: Volume = item.data
        self.box = ScreenBox(bounds, projection)
        self.projection = projection
        self.pane, self.texts = texts.pane, texts
        self.letter = texts.pane.letter_y

    def props(self) -> Iterator[vtk.vtkProp]:
        """Yield outline, ticks, names and group marks."""
        yield frame_lines(*self.box.outline(), self.pane)
        for axis in (2, 0, 1) if self.pane.roomy else ():
            silhouette = self.box.silhouette(axis)
            if silhouette is not None:
                yield from self._axis(axis, silhouette[0])
        spans = self.volume.group_spans
        if self.item.group_marks and len(spans) > 1:
            yield from self._group_marks(spans)

    def _on_edge(self, axis: int, edge: Edge, positions: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return where the given indices along an edge are on screen, (P, 2)."""
        places = self.item.origin[axis] + positions * self.volume.spacing[axis]
        return self.projection(self.box.on_edge(axis, edge, places))

    # -- axes ------------------------------------------------------------------------------------

    def _axis(self, axis: int, edge: Edge) -> Iterator[vtk.vtkProp]:
        positions, texts = self._ticks(axis)
        away = self.box.away(axis, edge)
        at = self._on_edge(axis, edge, positions)
        tips = at + 0.45 * self.letter * away
        seen = ~self.texts.covered(tips)
        yield self.texts.tick_lines(at[seen], tips[seen])
        reach = 0.0
        for point, text in zip(at, texts, strict=True):
            half = half_extent(self.texts.size(text, SMALL), away)
            reach = max(reach, 0.65 * self.letter + 2 * half)
            yield from self.texts.number(text, point + (0.65 * self.letter + half) * away)
        name = self._name(axis)
        middle = self.projection(self.box.ends(axis, edge)).mean(axis=0)
        offset = reach + 0.35 * self.letter + half_extent(self.texts.size(name, 1.0), away)
        yield from self.texts.title(name, middle + offset * away)

    @property
    def _identity(self) -> bool:
        return bool(np.array_equal(self.volume.channels, np.arange(self.volume.shape[0])))

    def _name(self, axis: int) -> str:
        name = self.volume.axis_names[2 - axis]
        if axis != 2:
            return name
        name = name if self._identity else f"position (#{name})"
        return f"{self.item.name}: {name}" if self.named else name

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
        silhouette = self.box.silhouette(2)
        if silhouette is None:
            return
        edge = silhouette[1]
        ends = self.projection(self.box.ends(2, edge))
        away = self.box.away(2, edge)
        low, high = self._on_edge(2, edge, starts - 0.44), self._on_edge(2, edge, stops - 0.56)
        inner, outer = 0.3 * self.letter * away, 0.95 * self.letter * away
        quads = np.stack([low + inner, high + inner, high + outer, low + outer], axis=1)
        colours = [np.round(255 * np.array(group_colour(span.group))) for span in spans]
        yield self._overlay_quads(quads, np.array(colours))
        if not self.pane.roomy:
            return
        if len(spans) <= MAX_GROUP_LABELS:
            for span, at in zip(spans, (low + high) / 2, strict=True):
                text = str(span.group) if span.group >= 0 else "const."
                yield from self.texts.number(text, at + 1.6 * self.letter * away)
        name = f"{method_title(self.volume.method)} groups"
        offset = 2.5 * self.letter + half_extent(self.texts.size(name, 1.0), away)
        yield from self.texts.title(name, ends.mean(axis=0) + offset * away)

    def _frames_at(self, positions: NDArray[np.floating]) -> vtk.vtkActor:
        low, high = self.box.low, self.box.high
        sides = [(low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1])]
        heights = self.item.origin[2] + positions * self.volume.spacing[2]
        points = np.array([(x, y, z) for z in heights for x, y in sides])
        rings = [[4 * ring, 4 * ring + 1, 4 * ring + 2, 4 * ring + 3, 4 * ring] for ring in range(len(positions))]
        return frame_lines(points, rings, self.pane)

    def _overlay_quads(self, quads: NDArray[np.float64], colours: NDArray[np.float64]) -> vtk.vtkActor2D:
        corners = np.concatenate([self.texts.fraction(quads), np.zeros((*quads.shape[:2], 1))], axis=2)
        return overlay_actor(quad_polydata(corners, colours))


def round_ticks(n: int) -> NDArray[np.int64]:
    """Return tick indices for an axis of `n`: multiples of 1, 2 or 5 times a power of ten, and the last index."""
    step = next(s for p in range(12) for s in (10**p, 2 * 10**p, 5 * 10**p) if s * TICKS >= n - 1)
    ticks = np.arange(0, n, step)
    if n - 1 - ticks[-1] >= 0.6 * step:
        return np.append(ticks, n - 1)
    if len(ticks) > 1:
        ticks[-1] = n - 1
    return ticks
