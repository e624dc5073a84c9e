"""How far several methods find the same channels important."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cnnvis.core import Importance, ImportanceAgreement
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.ranks import rank_correlations


def compare_importance(importances: Mapping[str, Importance]) -> ImportanceAgreement:
    """Return Spearman's rank correlation of every two methods in every layer that at least two of them score.

    Only the order of the channels within a layer counts, not the size of the scores. Equal scores share their mean
    rank.

    Parameters
    ----------
    importances : mapping of str to Importance
        At least two, by the name to show.

    Raises
    ------
    InvalidInputError
        With under two, without a layer in common, or when a layer has other numbers of channels.

    Notes
    -----
    Cost: O(C log C) per method and layer.
    """
    if len(importances) < 2:
        raise InvalidInputError(f"Agreement compares at least two methods, got {len(importances)}.")
    layers = [
        layer
        for layer in dict.fromkeys(layer for scores in importances.values() for layer in scores)
        if sum(layer in scores for scores in importances.values()) > 1
    ]
    if not layers:
        raise InvalidInputError(f"{', '.join(importances)} score no layer in common; give all of them the same layers.")
    matrices = {layer: rank_correlations(_scores(importances, layer)) for layer in layers}
    return ImportanceAgreement(tuple(importances), matrices)


def _scores(importances: Mapping[str, Importance], layer: str) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return the scores of a layer, one row per method; NaN for a method that has none."""
    sizes = {name: scores[layer].size for name, scores in importances.items() if layer in scores}
    if len(set(sizes.values())) > 1:
        raise InvalidInputError(
            f"Layer {layer!r} has other numbers of channels by method: {sizes}. Compare scores of one network."
        )
    none = np.full(next(iter(sizes.values())), np.nan)
    return np.array([scores.scores.get(layer, none) for scores in importances.values()])
