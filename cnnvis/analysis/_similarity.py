"""Similarity of channels."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cnnvis.analysis._values import MapsLike, as_values
from cnnvis.analysis.moments import channel_moments
from cnnvis.core.checks import parse_choice


class Similarity(StrEnum):
    """`pearson`: correlation of the values of two channels over all images and positions."""

    PEARSON = "pearson"


SimilarityName = Literal["pearson"]


def similarity(maps: MapsLike, method: SimilarityName = "pearson") -> NDArray[np.float64]:
    """Return how alike the channels are, (C, C), symmetric, 1 on the diagonal.

    Parameters
    ----------
    maps : FeatureMaps, or (C, H, W), (N, C, H, W) or (N, C) array
        NaN and infinite values count as their channel's mean.
    method : {"pearson"}

    Returns
    -------
    (C, C) ndarray of float64
        Between -1 and 1. A constant channel is similar to itself only: 0 elsewhere.

    Raises
    ------
    InvalidInputError
        On empty maps, an unknown method, or one value per channel.

    Notes
    -----
    Cost: C^2 x values per channel; maps are read in chunks and never copied whole.
    """
    parse_choice(Similarity, method, what="similarity")
    return channel_moments(as_values(maps)).pearson()
