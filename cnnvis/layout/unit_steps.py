"""Units moved one iteration at a time: towards the like, away from them, or at random."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from cnnvis.core import Layout
from cnnvis.core.checks import parse_choice
from cnnvis.core.errors import InvalidInputError
from cnnvis.layout._crowd import SPEED, crowds
from cnnvis.layout._schedule import KERNEL_DEVIATIONS, class_share
from cnnvis.layout.options import BundleMode, BundleModeName
from cnnvis.layout.unit_advection import UnitOptions

NOISE = 0.05
"""Standard deviation of the noise mode in one iteration, in bandwidths."""


class UnitMover:
    """Moves units one iteration at a time, so that the state of every moment can be seen.

    Parameters
    ----------
    layout : Layout
        Stays as it is.
    profiles : (U, K) array_like
        Importance of the units by class; finite, non-negative.
    fixed : iterable of str
        Layers that stay as they are.
    options : UnitOptions, optional
    mode : {"advect", "diverge", "noise"}
        `advect`: to others of the same classes, as `advect_units`. `diverge`: away from them. `noise`: at random.
    random_state : int
        Of the noise; not negative.

    Raises
    ------
    InvalidInputError
        When profiles do not fit the units, or a layer has too many of them.
    LayerNotFoundError
        When a fixed layer does not exist.

    Notes
    -----
    Cost: O(n^2) time per iteration and memory for a layer of n units.
    """

    def __init__(
        self,
        layout: Layout,
        profiles: ArrayLike,
        *,
        fixed: Iterable[str] = (),
        options: UnitOptions | None = None,
        mode: BundleMode | BundleModeName = BundleMode.ADVECT,
        random_state: int = 0,
    ) -> None:
        self._options = options or UnitOptions()
        self._mode = parse_choice(BundleMode, mode, what="mode")
        self._random = np.random.default_rng(random_state)
        self._start = layout
        self._crowds = [(members, make()) for members, make in crowds(layout, profiles, fixed)]
        self.bandwidths = self._options.bandwidths
        self.done = 0

    @property
    def finished(self) -> bool:
        """Whether the schedule is at its end."""
        return self.done >= len(self.bandwidths)

    def step(self) -> None:
        """Do one iteration.

        Raises
        ------
        InvalidInputError
            When the schedule is at its end.
        """
        if self.finished:
            raise InvalidInputError(f"The units have moved {self.done} times; look at `finished` before each step.")
        bandwidth = self.bandwidths[self.done]
        share = class_share(bandwidth, self.bandwidths, self._options.class_separation)
        width = self._start.width or 1.0
        speed = -SPEED if self._mode is BundleMode.DIVERGE else SPEED
        for _, crowd in self._crowds:
            if self._mode is BundleMode.NOISE:
                crowd.shake(self._random.normal(scale=NOISE * bandwidth * width, size=crowd.places.shape))
            else:
                crowd.move(bandwidth / KERNEL_DEVIATIONS * width, share, speed)
        self.done += 1

    def layout(self) -> Layout:
        """Return where the units are now, those that came too near to each other pushed apart."""
        positions = self._start.positions.copy()
        for members, crowd in self._crowds:
            positions[members, :2] = crowd.pushed_apart()
        return replace(self._start, positions=positions)
