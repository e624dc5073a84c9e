"""Importance by the norm of a channel's filter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from cnnvis.capture.filters import filter_layers, filters_first, transposed_groups
from cnnvis.capture.inputs import as_module
from cnnvis.capture.modules import ModuleTree
from cnnvis.core import Importance
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.progress import Progress, silent

_NORMS = {"l1": 1, "l2": 2}


def by_weight(
    model: Any,
    data: Any = None,
    *,
    layers: str | Iterable[str] | None = None,
    progress: Progress = silent,
    norm: str = "l1",
) -> Importance:
    """Return the L1 or L2 norm of the filter behind each channel of convolutions and dense layers.

    Li et al., "Pruning filters for efficient ConvNets" (2017). The bias does not count. Norms grow with
    the size of a filter, so compare them within a layer only.

    Parameters
    ----------
    model, data, layers, progress
        As for `importance`; data and progress are not used.
    norm : {"l1", "l2"}
    """
    if norm not in _NORMS:
        raise InvalidInputError(f"norm must be one of {', '.join(_NORMS)}, got {norm!r}.")
    chosen = filter_layers(ModuleTree(as_module(model)), layers)
    scores = {name: np.linalg.norm(_filters(layer), ord=_NORMS[norm], axis=1) for name, layer in chosen.items()}
    return Importance(scores=scores, method="weight", options={"norm": norm})


def _filters(layer: nn.Module) -> NDArray[np.float64]:
    """Return the weights as (C, weights per channel)."""
    weights = layer.weight.detach().cpu().double()[None]
    filters: NDArray[np.float64] = filters_first(weights, transposed_groups(layer))[0].flatten(1).numpy()
    return filters
