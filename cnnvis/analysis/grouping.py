"""The groups of a survey's channels, by the rule that the survey carries."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnnvis.analysis._similarity import similarity
from cnnvis.analysis.communities import communities, link_weights
from cnnvis.core import Grouping, LayerSurvey


def likeness(layer: LayerSurvey, rule: Grouping) -> NDArray[np.float64]:
    """Return how alike the channels are, (C, C), as `rule` has it.

    Raises
    ------
    NoSpatialMapsError
        For maps, of a survey that did not look at positions.
    """
    return similarity(layer, "spatial" if rule.alike == "maps" else "averages")


def linked(alike: NDArray[np.float64], rule: Grouping) -> NDArray[np.float64]:
    """Return the weights of the links, (C, C)."""
    return link_weights(alike, rule.weights, exponent=rule.exponent)


def grouped(alike: NDArray[np.float64], rule: Grouping) -> NDArray[np.int64]:
    """Return the group of each channel, (C,)."""
    return communities(
        alike,
        weights=rule.weights,
        exponent=rule.exponent,
        algorithm=rule.algorithm,
        resolution=rule.resolution,
        random_state=rule.random_state,
    )


def rule_in_words(rule: Grouping) -> str:
    """Return the rule in words."""
    values = "averages over images" if rule.alike == "averages" else "maps over images and positions"
    weights = f"max(r, 0)^{rule.power:g}" if rule.weights == "power" else f"exp({rule.power:g} r)"
    resolution = "" if rule.resolution == 1 else f", resolution {rule.resolution:g}"
    return f"{rule.algorithm.capitalize()}, links {weights} of the correlation r of {values}{resolution}"
