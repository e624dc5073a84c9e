"""One importance for channels that several layers share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import ChannelSpaces, Importance
from cnnvis.core.errors import InvalidInputError


def space_scores(
    spaces: ChannelSpaces, importance: Importance | Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[np.float64]]:
    """Return one score per channel of each space, 0 to 1, so that spaces can be compared.

    Every layer is divided by its largest score; of layers that share a space (a residual stream), the mean counts,
    divided by its largest again.

    Parameters
    ----------
    spaces : ChannelSpaces
    importance : Importance, or mapping of layer to (C,) array
        Layers that have no space of their own (a pooling) are not used.

    Returns
    -------
    dict of str to (C,) ndarray
        By name of the space, in order of execution; spaces of which no layer has importance are left out.

    Raises
    ------
    InvalidInputError
        When scores are negative, not finite, or not one per channel.
    """
    if not isinstance(importance, Importance):
        importance = Importance(importance, method="scores")
    scaled = importance.scaled()
    found = {}
    for space in spaces:
        names = space.layers or tuple(read.value for read in space.reads)
        members = {name: scaled[name] for name in names if name in scaled}
        for name, scores in members.items():
            if scores.size != space.size:
                raise InvalidInputError(
                    f"The importance of {name!r} has {scores.size} scores, but the layer has {space.size} channels; "
                    "it was made for another network."
                )
        if members:
            mean = np.mean(list(members.values()), axis=0)
            found[space.name] = mean / (mean.max(initial=0.0) or 1.0)
    return found
