"""Where the groups of an ordering stand in a stack. Numpy only."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.volume import Volume


class GroupSpan(NamedTuple):
    """A run of neighbouring positions whose channels belong to one group.

    Parameters
    ----------
    group : int
        Group number; -1 for constant channels.
    start, stop : int
        Positions `start` to `stop - 1`.
    """

    group: int
    start: int
    stop: int


def group_spans(volume: Volume) -> list[GroupSpan]:
    """Return the runs of equal group along the channels, in the order shown; none without groups.

    A group occurs more than once where the order does not keep it together.
    """
    if volume.groups is None:
        return []
    edges = np.concatenate([[0], np.flatnonzero(np.diff(volume.groups)) + 1, [volume.groups.size]])
    return [GroupSpan(int(volume.groups[start]), int(start), int(stop)) for start, stop in pairwise(edges)]


def group_boundaries(volume: Volume) -> NDArray[np.float64]:
    """Return the z positions, in scene units, half-way between the last channel of a group and the first of the next.

    Returns
    -------
    (B,) ndarray of float64
        Rising; empty for one group or none. Channel i stands at z = i * spacing[2].
    """
    inner = [span.start for span in group_spans(volume)[1:]]
    return (np.asarray(inner, dtype=np.float64) - 0.5) * volume.spacing[2]
