"""Similarity of channels."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from cnnvis.analysis._values import MapsLike, as_values
from cnnvis.analysis.moments import channel_moments
from cnnvis.core import LayerSurvey, Survey
from cnnvis.core.checks import parse_choice
from cnnvis.core.errors import InvalidInputError, NoSpatialMapsError


class Similarity(StrEnum):
    """What is correlated, channel by channel.

    `pearson`: all values as they come, be they maps or averages. `spatial`: those of maps, over images and positions:
    two channels are alike where they answer in the same places; averages are refused. `averages`: one number per image,
    the mean of the map: they are alike where they answer to the same images.
    """

    PEARSON = "pearson"
    SPATIAL = "spatial"
    AVERAGES = "averages"


SimilarityName = Literal["pearson", "spatial", "averages"]


@overload
def similarity(maps: Survey, method: SimilarityName = ...) -> dict[str, NDArray[np.float64]]: ...
@overload
def similarity(maps: MapsLike | LayerSurvey, method: SimilarityName = ...) -> NDArray[np.float64]: ...
def similarity(
    maps: MapsLike | Survey | LayerSurvey, method: SimilarityName = "pearson"
) -> NDArray[np.float64] | dict[str, NDArray[np.float64]]:
    """Return how alike the channels are, (C, C), symmetric, 1 on the diagonal.

    Parameters
    ----------
    maps : Survey, LayerSurvey, FeatureMaps, or (C, H, W), (N, C, H, W) or (N, C) array
        NaN and infinite values count as their channel's mean. A survey holds the correlation of averages over all its
        images, and that of maps where `SurveyOptions(space=True)` asked for it.
    method : {"pearson", "spatial", "averages"}
        See `Similarity`. Channels whose averages correlate may still disagree in space, and those that agree in space
        may be told apart by their averages.

    Returns
    -------
    (C, C) ndarray of float64; of a survey a dict of these by layer
        Between -1 and 1. A constant channel is similar to itself only: exactly 0 elsewhere.

    Raises
    ------
    InvalidInputError
        On empty maps, an unknown method, one value per channel, or a survey of one image.
    NoSpatialMapsError
        When averages are to be compared in space, or the maps of a survey that did not look at their positions.

    Notes
    -----
    ReactCNN's exp(20 r) is no similarity but a weight of links: `communities(..., weights="exponential")`.

    Cost: C^2 x values per channel; maps are read in chunks and never copied whole. A survey has the result.
    """
    chosen = parse_choice(Similarity, method, what="similarity")
    if isinstance(maps, Survey):
        return {name: _of_layer(layer, chosen) for name, layer in maps.layers.items()}
    if isinstance(maps, LayerSurvey):
        return _of_layer(maps, chosen)
    values = as_values(maps)
    if chosen is Similarity.SPATIAL and values.ndim == 2:
        raise NoSpatialMapsError(
            f"Values of shape {values.shape} have no positions; maps (N, C, H, W) are compared in space. "
            'Use "pearson" for averages.'
        )
    if chosen is Similarity.AVERAGES and values.ndim > 2:
        with np.errstate(invalid="ignore"):
            values = values.reshape(*values.shape[:2], -1).mean(axis=2, dtype=np.float64)
    return channel_moments(values).pearson()


def _of_layer(layer: LayerSurvey, method: Similarity) -> NDArray[np.float64]:
    """Return the correlations that a survey holds, those of constant channels defined."""
    if len(layer.window) < 2:
        raise InvalidInputError("Correlation needs at least two images, the survey has one: survey more.")
    found = layer.spatial if method is Similarity.SPATIAL else layer.correlation
    if found is None:
        raise NoSpatialMapsError(
            "This survey did not look at positions: survey with SurveyOptions(space=True), or record images and "
            "compare their maps."
        )
    matrix = np.nan_to_num(found, nan=0.0)
    np.fill_diagonal(matrix, 1.0)
    return matrix
