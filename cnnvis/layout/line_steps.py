"""What is done to lines as they are: bundled on, smoothed, carried along with their units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.core import EdgeSet, Layout, PolylineSet
from cnnvis.core.checks import require_number
from cnnvis.core.errors import InvalidInputError
from cnnvis.layout import _kernels
from cnnvis.layout._groups import places
from cnnvis.layout.bundling import ROUNDING, Bundler
from cnnvis.layout.options import BundleOptions


class LineMover(Bundler):
    """Bundles, parts or shakes lines as they are, where `Bundler` begins with straight ones.

    Parameters
    ----------
    lines : PolylineSet
        One per edge, with the point array "t"; how many points they have does not matter.
    edges, layout, profiles, importance, options
        As for `Bundler`. Lines that are bent already are not gathered at hubs once more; smoothing draws them there.

    Raises
    ------
    InvalidInputError
        When lines and edges do not fit each other, or as for `Bundler`.
    """

    def __init__(
        self,
        lines: PolylineSet,
        edges: EdgeSet,
        layout: Layout,
        *,
        profiles: ArrayLike | None = None,
        importance: ArrayLike | None = None,
        options: BundleOptions | None = None,
    ) -> None:
        _require_fit(lines, edges)
        super().__init__(edges, layout, profiles=profiles, importance=importance, options=options)
        self._straight = True
        for group in self._groups:
            found = _at_places(lines.take(group.edges), group.offsets)
            now = ((found - group.origin) / (layout.width or 1.0)).astype(np.float32)
            self._straight &= np.allclose(now, group.points, atol=1e-4)
            group.points[:] = now
            group.keep_inside()

    def _gather(self) -> None:
        if self._straight:
            super()._gather()


def smoothed(lines: PolylineSet, strength: float = 8.0) -> PolylineSet:
    """Return the lines drawn towards the straight ones, short waves more than long ones; both ends stay.

    A wave of m half periods along a line keeps 1 / (1 + 0.01 strength m^2)^2 of its height.

    Parameters
    ----------
    lines : PolylineSet
        Points evenly spaced, as bundled lines are.
    strength : float, default: 8
        0 to 64, as `BundleOptions.smoothing_iterations`.
    """
    require_number("smoothed: strength", strength, 0, 64)
    if strength == 0:
        return lines
    points = lines.points.copy()
    _kernels.round_off(points, lines.offsets, (0, len(lines)), ROUNDING * strength)
    return replace(lines, points=points)


def carried(lines: PolylineSet, edges: EdgeSet, before: Layout, after: Layout) -> PolylineSet:
    """Return lines whose ends have gone along with their units; each point between moves as the nearer end does more.

    Parameters
    ----------
    lines : PolylineSet
        One per edge, with the point array "t".
    edges : EdgeSet
    before, after : Layout
        Of the same units.
    """
    _require_fit(lines, edges)
    moved = after.positions - before.positions
    counts = np.diff(lines.offsets)
    t = lines.point_arrays["t"][:, None]
    shift = (1 - t) * np.repeat(moved[edges.source], counts, axis=0)
    shift += t * np.repeat(moved[edges.target], counts, axis=0)
    return replace(lines, points=lines.points + shift)


def _require_fit(lines: PolylineSet, edges: EdgeSet) -> None:
    if len(lines) != len(edges) or "t" not in lines.point_arrays:
        raise InvalidInputError(
            f"{len(edges):,} edges need as many lines with the point array 't', got {len(lines):,} lines with "
            f"{', '.join(lines.point_arrays) or 'none'}; bundled lines have it."
        )


def _at_places(lines: PolylineSet, offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the points of the lines at even places, as many as the offsets say."""

    def along(ends: NDArray[np.int64], t: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return one growing number for all points: lines follow each other with a gap."""
        starts = np.repeat(2.0 * np.arange(len(ends) - 1), np.diff(ends))
        return np.add(starts, t, dtype=np.float64)

    known, wanted = along(lines.offsets, lines.point_arrays["t"]), along(offsets, places(offsets))
    return np.stack([np.interp(wanted, known, lines.points[:, axis]) for axis in range(3)], axis=1)
