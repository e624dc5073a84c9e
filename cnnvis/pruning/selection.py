"""Which channels go, so that a wanted share stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import ChannelSpace
from cnnvis.pruning.options import PruneOptions
from cnnvis.pruning.ranking import rank


def select(
    spaces: Sequence[ChannelSpace], scores: Mapping[str, NDArray[np.float64]], options: PruneOptions
) -> dict[str, NDArray[np.int64]]:
    """Return the channels to remove, by name of the space, lowest scores first.

    Where grouped convolutions cut a space into G stretches, the channels at the same place of each go together: their
    mean score counts. Of the share wanted, the whole number is met where bundles and `min_channels` allow it, else
    fewer go.

    Parameters
    ----------
    spaces : sequence of ChannelSpace
    scores : mapping of str to (C,) ndarray
        By name of the space.
    options : PruneOptions
    """
    bundles = {space.name: _bundles(space) for space in spaces}
    means = {name: scores[name][members].mean(axis=1) for name, members in bundles.items()}
    if not means:
        return {}
    positions = rank(means, scope=options.scope, random_state=options.random_state).positions
    regions = [spaces] if options.scope == "global" else [[space] for space in spaces]
    gone: dict[str, list[NDArray[np.int64]]] = {space.name: [] for space in spaces}
    for region in regions:
        left = int(np.floor((1 - options.keep) * sum(space.size for space in region) + 0.5))
        sizes = {space.name: space.size for space in region}
        queue = sorted((place, name, index) for name in sizes for index, place in enumerate(positions[name]))
        for _, name, index in queue:
            members = bundles[name][index]
            if members.size <= left and sizes[name] - members.size >= options.min_channels:
                gone[name].append(members)
                sizes[name] -= members.size
                left -= members.size
    return {name: np.sort(np.concatenate(parts)) for name, parts in gone.items() if parts}


def _bundles(space: ChannelSpace) -> NDArray[np.int64]:
    """Return the channels that go together, (bundles, groups)."""
    return np.arange(space.size).reshape(space.groups, -1).T
