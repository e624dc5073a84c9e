"""Edge bundling: the lines of each gap between layers are drawn to where many of their kind run."""

from __future__ import annotations

import math
import os
from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.core import EdgeSet, Layout, PolylineSet
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.progress import Progress, silent
from cnnvis.layout import _kernels
from cnnvis.layout._compiled import say_compiling
from cnnvis.layout._density import BLOCKS, FINEST_CELL, cell_size, density, grid_shape, n_blocks, spread
from cnnvis.layout._groups import LineGroup, line_groups, places
from cnnvis.layout._hubs import TRUNK
from cnnvis.layout._line_look import line_look
from cnnvis.layout._memory import require_memory
from cnnvis.layout._profiles import SHARES, unit_look
from cnnvis.layout._schedule import KERNEL_DEVIATIONS, class_share, falling_bandwidths
from cnnvis.layout.options import BundleMode, BundleOptions

SPEED = 1.5
"""Over-relaxation of the mean shift; it converges below 2."""

SMOOTHING_TO_TRUNKS = 0.15
"""Strength of one smoothing iteration towards lines with a trunk; weaker, lines of a bundle run apart: more ink."""

SMOOTHING_TO_STRAIGHT = 0.0125
"""The same towards straight lines, without hubs; as strong as above, nothing would be bundled."""

ROUNDING = 0.02
"""Strength of the smoothing that takes the corners off lines with a trunk."""

NOISE = 0.1
"""Standard deviation of the noise mode, in bandwidths."""


class Bundler:
    """Bundles lines one iteration at a time, so that the state of every moment can be seen.

    Parameters
    ----------
    edges : EdgeSet
    layout : Layout
        Place of every unit; stays as it is.
    profiles : (U, K) array_like, optional
        Importance of the units by class, finite and non-negative. With it, lines of unlike classes part in the end.
    importance : (U,) array_like, optional
        Of the units; default: the lengths of their profiles, else all equal. It says how much a line attracts others.
    options : BundleOptions

    Raises
    ------
    InvalidInputError
        When edges name units that have no place, or profiles or importance do not fit the units.
    MemoryBudgetError
        When the memory will not suffice; says what would fit.

    Notes
    -----
    First the lines of each gap between two layers are shared out among a few hubs, by a k-means of their middles and of
    the classes they serve, and bent so that those of a hub share a trunk. (Without it the density of a full gap has one
    peak, and all lines run into one knot: the same ink takes lines a fifth longer.)

    Then each iteration draws the density of the lines of a hub, weighted with link weight and importance, into a grid,
    smooths it with a Gaussian, and moves every point by a mean shift (Comaniciu and Meer, 2002): to where the density
    grows, the farther the faster it grows, and never past its centre. Nothing moves along the axis from layer to layer,
    so no line turns back. After the shift the lines are smoothed towards their bent ones, and the next iteration has a
    narrower kernel (KDEEB: Hurter, Ersoy and Telea, 2012). The attraction of two lines is (1 - b) + b c, where c is the
    cosine of their class profiles, and b grows from 0 to `class_separation`: first everything attracts, at last only
    the like.

    Graphs without layers have no hubs: their lines are bundled by density alone, across their own direction, and a few
    may turn back. So it is between layers that overlap along x, y and z, unless nearly all ways between them lead one
    way along one of these.

    Points are bundled around a place of their own, but returned as float32 scene units, which hold seven digits: a
    layout whose distance from 0 is a million times its width comes back in steps of a tenth of the width. Centre it.

    Cost: O(points K) per iteration; 12 bytes per point and some grids.
    """

    def __init__(
        self,
        edges: EdgeSet,
        layout: Layout,
        *,
        profiles: ArrayLike | None = None,
        importance: ArrayLike | None = None,
        options: BundleOptions | None = None,
    ) -> None:
        self.options = options or BundleOptions()
        self.edges = edges
        self.layout = layout
        self._look = unit_look(edges, layout, profiles, importance)
        require_memory(edges, layout, self.options, self._look)
        self._groups = list(line_groups(edges, layout, self._look, self.options))
        rate, reduction = self.options.sampling_rate, self.options.edge_bandwidth_reduction
        self._finest = FINEST_CELL / rate
        self.bandwidths = falling_bandwidths(self.options.bandwidth, reduction, rate)[: self.options.max_iterations]
        self.done = 0
        self.last_move = math.inf

    @property
    def finished(self) -> bool:
        """Whether the schedule is at its end, or nothing moves any more."""
        return self.done >= len(self.bandwidths) or self.last_move <= self.options.tolerance

    @property
    def grid_cells(self) -> int:
        """Nodes of the finest grids that densities are drawn into, those of the last iteration."""
        if not self.bandwidths:
            return 0
        cell = cell_size(self.bandwidths[-1] / KERNEL_DEVIATIONS, self._finest)
        return sum(math.prod(grid_shape(group.extent, cell)) for group in self._groups)

    def step(self) -> float:
        """Do one iteration and return how far the point that moved most has moved, in layer widths.

        Raises
        ------
        InvalidInputError
            When the schedule is at its end.
        """
        if self.done >= len(self.bandwidths):
            raise InvalidInputError(
                f"Bundling has done its {self.done} iterations; look at `finished` before each step."
            )
        say_compiling()
        bandwidth = self.bandwidths[self.done]
        if self.done == 0 and self.options.mode is BundleMode.ADVECT:
            self._gather()
        with ThreadPoolExecutor(max_workers=min(BLOCKS, _processors())) as pool:
            share = class_share(bandwidth, self.bandwidths, self.options.class_separation)
            vectors = self._look.vectors(share)
            moves = [self._advance(group, bandwidth, vectors, pool) for group in self._groups]
        self.done += 1
        self.last_move = max(moves, default=0.0)
        return self.last_move

    def _gather(self) -> None:
        """Bend the lines of each gap to their hubs."""
        for group in self._groups:
            _kernels.gather(group.points, group.offsets, (0, len(group.edges)), group.bends, TRUNK)

    def _advance(self, group: LineGroup, bandwidth: float, vectors: NDArray[np.float32], pool: Executor) -> float:
        deviation = bandwidth / KERNEL_DEVIATIONS
        cell = cell_size(deviation, self._finest)
        share = SHARES[self.options.edge_importance_type]
        scale = np.array([1 / cell], np.float32)
        added = (group.source, group.target, group.weight, self._look.mass[:, None] * vectors, share, scale)
        felt = (group.source, group.target, group.weight, vectors, share, scale)
        grid = density(group, added, cell, deviation, pool)
        shaken = self._shake(group, NOISE * bandwidth) if self.options.mode is BundleMode.NOISE else 0.0
        strength = SMOOTHING_TO_TRUNKS if group.has_trunk else SMOOTHING_TO_STRAIGHT
        strength *= self.options.smoothing_iterations
        step = (self._speed * deviation**2, bandwidth, strength, TRUNK)

        def advance(first: int, last: int) -> float:
            return _kernels.advance(
                grid, group.points, group.offsets, (first, last), felt, (group.extent, group.axis), group.bends, step
            )

        moves = spread(pool, advance, len(group.edges), n_blocks(group))
        return max(shaken, *moves)

    @property
    def _speed(self) -> float:
        speeds: dict[str, float] = {BundleMode.ADVECT: SPEED, BundleMode.DIVERGE: -SPEED, BundleMode.NOISE: 0.0}
        return speeds[self.options.mode]

    def _shake(self, group: LineGroup, deviation: float) -> float:
        """Move all points but the ends at random, across the axis, and return the largest move."""
        noise = group.random.normal(scale=deviation, size=group.points.shape).astype(np.float32)
        noise *= 1 - group.axis
        noise[group.offsets[:-1]] = 0
        noise[group.offsets[1:] - 1] = 0
        group.points += noise
        group.keep_inside()
        return float(np.linalg.norm(noise, axis=1).max())

    def lines(self) -> PolylineSet:
        """Return the lines as they are now, in the order of the edges.

        Returns
        -------
        PolylineSet
            Point arrays "t" (place on the line, 0 to 1), "importance" (weight times importance of the units, largest
            1), "layer" (index of the source's layer, growing to that of the target's) and, with profiles,
            "class_shares" (P, K); line arrays "source", "target", "weight" and "importance".
        """
        counts = np.zeros(len(self.edges), np.int64)
        for group in self._groups:
            counts[group.edges] = np.diff(group.offsets)
        offsets = np.concatenate([[0], np.cumsum(counts)])
        points = np.empty((int(offsets[-1]), 3), np.float32)
        for group in self._groups:
            within = np.arange(len(group.points)) - np.repeat(group.offsets[:-1], np.diff(group.offsets))
            rounded = group.points.copy()
            if group.has_trunk:
                _kernels.round_off(rounded, group.offsets, (0, len(group.edges)), ROUNDING)
            places_in_scene = group.in_scene(rounded, self.layout.width or 1.0)
            points[np.repeat(offsets[group.edges], np.diff(group.offsets)) + within] = places_in_scene
        points[offsets[:-1]] = self.layout.positions[self.edges.source]
        points[offsets[1:] - 1] = self.layout.positions[self.edges.target]
        t = places(offsets)
        point_arrays, line_arrays = line_look(
            self.edges, self.layout, offsets, t, self._look, self.options.edge_importance_type
        )
        return PolylineSet(points, offsets, point_arrays, line_arrays)


def bundle(
    edges: EdgeSet,
    layout: Layout,
    *,
    profiles: ArrayLike | None = None,
    importance: ArrayLike | None = None,
    options: BundleOptions | None = None,
    progress: Progress = silent,
) -> PolylineSet:
    """Return the edges as bundled polylines; parameters, arrays, cost and source as for `Bundler`.

    Every edge keeps its end points exactly, and no edge is left out. The same input gives the same lines, with any
    number of threads and in any order of the edges.

    Parameters
    ----------
    edges, layout, profiles, importance, options
        As for `Bundler`.
    progress : callable, optional
        Told (iterations done, iterations planned). Raise CancelledError in it to stop; to keep the state reached
        by then, use a `Bundler`.

    Examples
    --------
    >>> import cnnvis
    >>> edges, profiles = cnnvis.layout.random_network([9, 4, 2], random_state=0)
    >>> lines = cnnvis.bundle(edges, cnnvis.layout.place(edges), profiles=profiles)
    """
    bundler = Bundler(edges, layout, profiles=profiles, importance=importance, options=options)
    progress(0, len(bundler.bandwidths))
    while not bundler.finished:
        bundler.step()
        progress(bundler.done, len(bundler.bandwidths))
    return bundler.lines()


def straight_lines(
    edges: EdgeSet,
    layout: Layout,
    *,
    profiles: ArrayLike | None = None,
    importance: ArrayLike | None = None,
    options: BundleOptions | None = None,
) -> PolylineSet:
    """Return the edges as straight polylines with the points and arrays that `bundle` starts from."""
    return Bundler(edges, layout, profiles=profiles, importance=importance, options=options).lines()


def _processors() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1
