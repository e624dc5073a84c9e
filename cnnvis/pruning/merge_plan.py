"""In which order channels are merged, and into which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import ChannelMoments, ChannelPair, ChannelSpace
from cnnvis.core.redundancy import ALONE


class Planned(NamedTuple):
    """One channel to be merged.

    Parameters
    ----------
    layer : str
        Name of the channel space.
    kept : int
        The channel that it is merged into; `ALONE` where a constant takes its place.
    merged : int
    explained : float
        Share of the variance of the channel merged that the kept one explains, where that is least.
    cost : float
        Expected change of what is read: variance that the kept channel does not explain, as the layers behind
        weigh it, per unit of the variance of all channels weighed alike; summed over the values read.
    """

    layer: str
    kept: int
    merged: int
    explained: float
    cost: float


def planned_merges(
    space: ChannelSpace,
    pairs: list[ChannelPair],
    moments: ChannelMoments,
    energy: NDArray[np.float64],
    explained: float,
) -> list[tuple[Planned, ...]]:
    """Return what to merge in one space, cheapest first; what is in one tuple must be done together.

    Each channel that goes is merged into one that stays. Of the two directions of a pair, the cheaper one that is
    still possible is taken. Where grouped convolutions cut the space into G stretches, both channels lie in one
    stretch, and one merge of each stretch makes a tuple; merges left over are dropped.

    Parameters
    ----------
    space : ChannelSpace
    pairs : list of ChannelPair
        Verified ones of this space.
    moments : ChannelMoments
    energy : (R, C) ndarray of float64
        Sum of squared weights of the channels, by value read.
    explained : float
        Share of its variance that the kept channel must explain of the one merged.
    """
    stretch = space.size // space.groups
    queues: list[list[Planned]] = [[] for _ in range(space.groups)]
    costs, shares = _costs(moments, energy), moments.explained().min(axis=0)
    for pair in pairs:
        if pair.first == ALONE:
            queues[pair.second // stretch].append(Planned(space.name, ALONE, pair.second, 1.0, 0.0))
        elif pair.first // stretch == pair.second // stretch:
            for kept, merged in ((pair.first, pair.second), (pair.second, pair.first)):
                share, cost = float(shares[kept, merged]), float(costs[kept, merged])
                if share >= explained:
                    queues[merged // stretch].append(Planned(space.name, kept, merged, share, cost))
    return list(zip(*(_chosen(queue, stretch) for queue in queues), strict=False))


def in_order(plans: Mapping[str, list[tuple[Planned, ...]]]) -> list[tuple[Planned, ...]]:
    """Return the merges of all spaces, cheapest first; of equals, the first layer."""
    every = [part for plan in plans.values() for part in plan]
    return sorted(every, key=lambda part: sum(merge.cost for merge in part))


def _costs(moments: ChannelMoments, energy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cost (C, C) of merging channel j into i, at [i, j]."""
    weighed = np.nan_to_num(moments.variance) * energy
    total = weighed.sum(axis=1, keepdims=True)
    relative = np.divide(weighed, total, out=np.zeros(weighed.shape), where=total > 0)
    left: NDArray[np.float64] = ((1 - moments.explained()) * relative[:, None, :]).sum(axis=0)
    return left


def _chosen(queue: list[Planned], n_channels: int) -> list[Planned]:
    """Return the merges that go together, cheapest first: what stays is never merged, what went takes nothing on."""
    gone: set[int] = set()
    needed: set[int] = set()
    chosen = []
    for merge in sorted(queue, key=lambda merge: (merge.cost, merge.merged, merge.kept)):
        is_possible = merge.merged not in gone | needed and merge.kept not in gone
        if is_possible and len(gone) < n_channels - 1:
            chosen.append(merge)
            gone.add(merge.merged)
            needed.add(merge.kept)
    return chosen
