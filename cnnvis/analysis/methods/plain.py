"""Orders that do not look at the maps: the network's own, and a given importance."""

from __future__ import annotations

import numpy as np

from cnnvis.analysis.methods._base import Arrangement, OrderOptions
from cnnvis.analysis.moments import ChannelMoments
from cnnvis.core.errors import InvalidInputError


def original(moments: ChannelMoments, options: OrderOptions) -> Arrangement:
    """Return the channels as the network numbers them."""
    return Arrangement(np.arange(moments.mean.size))


def by_importance(moments: ChannelMoments, options: OrderOptions) -> Arrangement:
    """Return the most important channel first; ties: the lower channel first."""
    scores = options.importance
    if scores is None:
        raise InvalidInputError(
            'Method "importance" needs importance=: an Importance with this layer, or one number per channel.'
        )
    return Arrangement(np.argsort(-scores, kind="stable"), scores=scores)
