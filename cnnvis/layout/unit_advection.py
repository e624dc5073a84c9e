"""Units moved within their layer, so that those that serve the same classes stand together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from numpy.typing import ArrayLike

from cnnvis.core import Layout
from cnnvis.core.progress import Progress, silent
from cnnvis.layout._crowd import crowds
from cnnvis.layout._schedule import KERNEL_DEVIATIONS, class_share, falling_bandwidths
from cnnvis.layout.options import require_within


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitOptions:
    """How units are moved. Lengths are in widths of a layer.

    Parameters
    ----------
    bandwidth : float, default: 0.75
        Of the density in the first iteration, 0.001 to 2.
    node_bandwidth_reduction : float, default: 0.95
        Factor from one iteration to the next, 0 to 0.999.
    sampling_rate : float, default: 15
        Iterations end when the bandwidth is below two thirds of 1 / sampling_rate, as in edge bundling: after 56 with
        the other defaults. 2 to 200.
    class_separation : float, default: 1
        How much the classes count in the end; with 0 nothing moves.
    """

    bandwidth: float = 0.75
    node_bandwidth_reduction: float = 0.95
    sampling_rate: float = 15.0
    class_separation: float = 1.0

    def __post_init__(self) -> None:
        require_within(self, "bandwidth", 1e-3, 2)
        require_within(self, "node_bandwidth_reduction", 0, 0.999)
        require_within(self, "sampling_rate", 2, 200)
        require_within(self, "class_separation", 0, 1)

    @property
    def bandwidths(self) -> tuple[float, ...]:
        """Bandwidth of each iteration."""
        return falling_bandwidths(self.bandwidth, self.node_bandwidth_reduction, self.sampling_rate)


def advect_units(
    layout: Layout,
    profiles: ArrayLike,
    *,
    fixed: Iterable[str] = (),
    options: UnitOptions | None = None,
    progress: Progress = silent,
) -> Layout:
    """Return the layout with the units of each layer moved towards others of the same classes.

    Every unit moves by the difference of two mean shifts in its own layer, both weighted with importance: towards those
    near it that are like it, and away from where all near it stand. Two units are as like as (1 - b) + b c, where c is
    the cosine of their sharpened class profiles and b grows from 0 to `class_separation`. A layer keeps its centre and
    its spread, so that it does not fall into one point; no unit leaves the slab, and in the end units nearer than half
    a pitch of the raster are pushed apart.

    Parameters
    ----------
    layout : Layout
    profiles : (U, K) array_like
        Importance of the units by class; finite, non-negative.
    fixed : iterable of str
        Layers that stay as they are: those of input images, which keep the order of their pixels.
    options : UnitOptions, optional
    progress : callable, optional
        Told (iterations done, iterations planned), over all layers.

    Raises
    ------
    InvalidInputError
        When profiles do not fit the units, or a layer has more than MAX_UNITS units.
    LayerNotFoundError
        When a fixed layer does not exist.

    Notes
    -----
    nn_vis moves the units of all layers in one density, out of their layers, and collapses large layers; this does
    not. Cost: O(n^2) per iteration for a layer of n units.
    """
    options = options or UnitOptions()
    found = crowds(layout, profiles, fixed)
    positions = layout.positions.copy()
    bandwidths = options.bandwidths
    for number, (members, make) in enumerate(found):  # one after the other: each takes n^2 of memory
        crowd = make()
        for done, bandwidth in enumerate(bandwidths, start=1):
            share = class_share(bandwidth, bandwidths, options.class_separation)
            crowd.move(bandwidth / KERNEL_DEVIATIONS * (layout.width or 1.0), share)
            progress(number * len(bandwidths) + done, len(found) * len(bandwidths))
        positions[members, :2] = crowd.pushed_apart()
    return replace(layout, positions=positions)
