"""Order by the first principal component."""

from __future__ import annotations

import numpy as np

from cnnvis.analysis.methods._base import Arrangement, OrderOptions, centred, direction
from cnnvis.analysis.moments import ChannelMoments


def by_pca(moments: ChannelMoments, options: OrderOptions) -> Arrangement:
    """Return the channels by their score on the first principal component, ascending.

    Channels are the samples, values the features. The scores come from the C x C Gram matrix
    (Turk and Pentland's compact trick, 1991): the leading eigenvector times the root of its
    eigenvalue. Sign by `direction`: from dark to bright; ties: the lower channel first. Where the
    two largest eigenvalues are equal the component is not unique, nor is the order.

    Cost: O(C^3), 0.3 s for 2048 channels.
    """
    from scipy.linalg import eigh

    kernel = centred(moments.inner(options.normalize))
    last = kernel.shape[0] - 1
    values, vectors = eigh(kernel, subset_by_index=[last, last], overwrite_a=True, check_finite=False)
    scores = vectors[:, 0] * np.sqrt(max(float(values[0]), 0.0))
    scores *= direction(scores, moments.mean)
    return Arrangement(np.argsort(scores, kind="stable"), scores=scores)
