"""Which line or unit is seen at a pixel, found without the graphics card: VTK's own picking takes seconds for them.

Once for each picture all pieces of lines that can be seen are projected and listed by the cells of a grid over the
pane; after that a look-up reads the few cells around a pixel.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnnvis.rendering.network_actor import NetworkActor
from cnnvis.rendering.pick_grid import PieceGrid
from cnnvis.rendering.scene_shapes import look_of
from cnnvis.rendering.shapes import FAINTER
from cnnvis.rendering.sight import Sight
from cnnvis.scene import Stance

Floats = NDArray[np.float32]
Numbers = NDArray[np.integer]

REACH = 3.0
"""Pixels beside a line or unit at which it can still be hit."""

BESIDE = 0.5
"""What something counts that only just misses the pixel."""

SEEN = 0.02
"""Opacity from which something can be hit: five steps of a screen's colours."""

RIBBONS = ("lines", "tubes")
"""Modes of lines whose pieces are ribbons from end to end."""

STEP = 0.01
"""Part of a piece by which the way of a line at its end is found."""

THINNEST, MARKED_LINE, MARKED_UNIT = 0.75, 1.5, 4.0
"""As in network.geom.glsl."""


class PieceHit(NamedTuple):
    """A piece of a line, or a unit: its number among the pairs of the geometry, where on it, place and depth there."""

    piece: int
    along: float
    place: NDArray[np.float64]
    depth: float


class NetworkScreen:
    """Lines and units as they are seen on one pane.

    Parameters
    ----------
    actor : NetworkActor
        As it was drawn last.
    sight : Sight

    Notes
    -----
    0.15 s for 68,000 lines of 14 points; a look-up takes about a millisecond.
    """

    def __init__(self, actor: NetworkActor, sight: Sight) -> None:
        self.geometry = geometry = actor.geometry
        self._sight = sight
        self._blends = np.array([one.blend for one in actor.drawn], np.float32)
        self._ribbons = np.array([str(getattr(one.item, "mode", "")) in RIBBONS for one in actor.drawn], bool)
        self._places = _places(actor)
        self._at, self._scale = sight.pixels(self._places)
        self._depth = sight.depth(self._places)
        self._opacity, self._radius = self._looks(actor, sight)
        seen = (self._opacity >= SEEN) & np.isfinite(self._scale)
        first, last = geometry.pairs.T
        single = first == last
        self._units = np.flatnonzero(single & seen[first])
        lines = np.flatnonzero(~single & (seen[first] | seen[last]))
        self._grid = PieceGrid(lines, geometry.pairs, self._at, sight.size)
        self._widest = float(self._radius[first[lines]].max(initial=0.0))

    def _looks(self, actor: NetworkActor, sight: Sight) -> tuple[Floats, Floats]:
        """Return opacity and radius in pixels of each point, as the shaders have them where it is seen in full.

        What has faded counts as if it had not: it can still be pointed at.
        """
        opacity, radius = np.zeros((2, len(self._places)), np.float32)
        middle, half = actor.box
        reach = max(float(np.abs(sight.forward) @ half), 1e-20)
        nearness = np.clip(0.5 - 0.5 * (self._depth - sight.forward @ middle) / reach, 0, 1).astype(np.float32)
        for number, one in enumerate(actor.drawn):
            points, look = self.geometry.points_of(number), look_of(one.item)
            importance, strength, share, _ = self.geometry.tone[points].T
            stance = self.geometry.mixed[points, 3]
            marked = stance == Stance.MARKED
            fade = share * (1 - look.depth_opacity + look.depth_opacity * nearness[points])
            alpha = look.opacity_of(importance, fade, np.where(stance == Stance.FADED, Stance.PLAIN, stance))
            size = look.size * (importance if look.grows else 1) * self._scale[points]
            least = np.where(marked, MARKED_UNIT if one.item.kind == "glyphs" else MARKED_LINE, 0)
            radius[points] = np.maximum(size, least)
            hidden = (stance == Stance.HIDDEN) | ((strength < look.importance_threshold) & ~marked)
            opacity[points] = np.where(hidden, 0, alpha * np.minimum(radius[points] / THINNEST, 1))
        return opacity, radius

    def hit(self, x: float, y: float) -> PieceHit | None:
        """Return what makes the most of a pixel's colour; None where nothing is seen.

        Of what is seen there, from front to back, each gets what those before it let through. What is beside the pixel
        hides nothing and counts less, the less the farther. A unit goes before lines that run in its ball or
        behind it: all that end in it do, and who points at a ball means it, not what shines through.
        """
        pieces, along, gap = self._candidates(np.array([x, y], np.float32))
        if not pieces.size:
            return None
        pairs = self.geometry.pairs[pieces]
        stance = self.geometry.mixed[pairs[:, 0], 3]
        opacity = self._between(self._opacity, pairs, along)
        opacity[stance == Stance.FADED] *= FAINTER
        order = np.lexsort((self._drawn_depth(pairs), stance < Stance.CHOSEN))
        cover = np.clip(0.5 - gap, 0, 1)  # of the pixel, as the soft rims of the figures have it
        through = np.concatenate([[1.0], np.cumprod(1 - (opacity * cover)[order])[:-1]])
        counts = np.maximum(cover, BESIDE * (1 - gap / (REACH + 1)))
        best = order[np.argmax((opacity * counts)[order] * through)]
        found = self._piece_hit(pieces[best], float(along[best]))
        balls = self._balls_before(found.depth, pairs, gap)
        if pairs[best, 0] == pairs[best, 1] or not balls.size:
            return found
        return self._piece_hit(pieces[balls[np.argmax(opacity[balls])]], 0.0)

    def _balls_before(self, depth: float, pairs: NDArray[np.int32], gap: Floats) -> NDArray[np.intp]:
        """Return which of the pieces are units whose ball covers the pixel, and is met before a depth there."""
        middles = pairs[:, 0]
        radii = self._radius[middles]
        swell = np.sqrt(np.maximum(radii**2 - (radii + gap) ** 2, 0)) / self._scale[middles]
        front = self._depth[middles] - swell
        return np.flatnonzero((middles == pairs[:, 1]) & (gap <= 0) & (front < depth))

    def _piece_hit(self, piece: np.integer, along: float) -> PieceHit:
        """Return the hit of a piece `along` its picture."""
        pair = self.geometry.pairs[piece]
        at = self._in_space(pair, along)
        ends = self._places[pair].astype(np.float64)
        depth = float(np.array([1 - at, at]) @ self._depth[pair])
        return PieceHit(int(piece), at, (1 - at) * ends[0] + at * ends[1], depth)

    def inside(self, low: NDArray[np.floating], high: NDArray[np.floating]) -> Numbers:
        """Return the pieces of those units that are seen with their middle between two corners, pixels."""
        at = self._at[self.geometry.pairs[self._units, 0]]
        found: Numbers = self._units[((at >= low) & (at <= high)).all(axis=1)]
        return found

    def _candidates(self, pixel: Floats) -> tuple[Numbers, Floats, Floats]:
        """Return the pieces in reach of a pixel, where on them it is nearest, and how far from their rim, pixels.

        Inside of them that is negative.
        """
        pieces = np.concatenate([self._units, self._grid.around(pixel, self._widest + REACH)])
        pairs = self.geometry.pairs[pieces]
        first, last = self._at[pairs[:, 0]], self._at[pairs[:, 1]]
        ways = last - first
        lengths = np.maximum((ways * ways).sum(axis=1), 1e-12)
        along = np.clip(((pixel - first) * ways).sum(axis=1) / lengths, 0, 1)
        beside = np.linalg.norm(first + along[:, None] * ways - pixel, axis=1)
        near = np.flatnonzero(beside - self._between(self._radius, pairs, along) <= REACH)
        near = near[np.unique(pieces[near], return_index=True)[1]]  # a piece is listed in several cells
        pieces, pairs, along = pieces[near], pairs[near], along[near]
        radii = self._radius[pairs] * self._narrowed(pairs)
        gap = beside[near] - (radii[:, 0] + along * (radii[:, 1] - radii[:, 0]))
        close = gap <= REACH
        return pieces[close], along[close], gap[close]

    def _narrowed(self, pairs: NDArray[np.int32]) -> Floats:
        """Return how wide pieces are at both ends, (N, 2), as shares of their radii.

        The ends of a ribbon lie across the way of the line there, which at a bend is not across the piece.
        """
        share = np.ones(pairs.shape, np.float32)
        number = self.geometry.tone[pairs[:, 0], 3].astype(np.intp)
        ribbons = np.flatnonzero(self._ribbons[number] & (pairs[:, 0] != pairs[:, 1]))
        ends, blend = pairs[ribbons], self._blends[number[ribbons]][:, None]
        piece = _directions(self._at[ends[:, 1]] - self._at[ends[:, 0]])
        straight = self.geometry.straight[ends[:, 1]] - self.geometry.straight[ends[:, 0]]
        for end in (0, 1):
            points = ends[:, end]
            way = straight + blend * (self.geometry.tangent[points] - straight)
            onwards, _ = self._sight.pixels(self._places[points] + np.float32(STEP) * way)
            share[ribbons, end] = np.abs((_directions(onwards - self._at[points]) * piece).sum(axis=1))
        return share

    def _drawn_depth(self, pairs: NDArray[np.int32]) -> Floats:
        """Return the depth by which pieces are drawn: of their middle; of a unit that of its nearest point."""
        depth = self._depth[pairs].mean(axis=1)
        units = pairs[:, 0] == pairs[:, 1]
        middles = pairs[units, 0]
        depth[units] -= self._radius[middles] / self._scale[middles]
        return depth

    @staticmethod
    def _between(values: Floats, pairs: NDArray[np.int32], along: Floats) -> Floats:
        first, last = values[pairs[:, 0]], values[pairs[:, 1]]
        between: Floats = first + along * (last - first)
        return between

    def _in_space(self, pair: NDArray[np.int32], along: float) -> float:
        """Return where on the piece itself something is that lies `along` its picture: what is far is foreshortened."""
        first, last = self._scale[pair].astype(float)
        return along * last / max(along * last + (1 - along) * first, 1e-30) if along else 0.0


def _directions(ways: Floats) -> Floats:
    """Return ways (N, 2) as unit vectors."""
    directions: Floats = ways / np.maximum(np.linalg.norm(ways, axis=1, keepdims=True), 1e-12)
    return directions


def _places(actor: NetworkActor) -> Floats:
    """Return where all points are as far as they are bundled now, (P, 3)."""
    geometry = actor.geometry
    if all(one.blend == 1 for one in actor.drawn):
        return geometry.bundled
    places = geometry.straight.copy()
    for number, one in enumerate(actor.drawn):
        points = geometry.points_of(number)
        places[points] += np.float32(one.blend) * (geometry.bundled[points] - places[points])
    return places
