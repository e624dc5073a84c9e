"""Importance by the norm of a channel's filter."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from cnnvis.capture.inputs import as_module
from cnnvis.core import Importance
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, did_you_mean
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
    module = as_module(model)
    scores = {
        name: np.linalg.norm(_filters(layer), ord=_NORMS[norm], axis=1)
        for name, layer in _weighted_layers(module, layers).items()
    }
    return Importance(scores=scores, method="weight", options={"norm": norm})


def _weighted_layers(module: nn.Module, layers: str | Iterable[str] | None) -> dict[str, nn.Module]:
    """Return the convolutions and dense layers that `layers` names, in the network's order."""
    found = {name: part for name, part in module.named_modules() if isinstance(part, _ConvNd | nn.Linear)}
    if layers is None:
        return found
    chosen: set[str] = set()
    for pattern in [layers] if isinstance(layers, str) else layers:
        matching = [name for name in found if name == pattern or fnmatchcase(name, pattern)]
        if not matching:
            hint = did_you_mean(pattern, found, what="layers with filters")
            raise LayerNotFoundError(f"No convolution or dense layer {pattern!r} in {type(module).__name__}. {hint}")
        chosen.update(matching)
    return {name: part for name, part in found.items() if name in chosen}


def _filters(layer: nn.Module) -> NDArray[np.float64]:
    """Return the weights as (C, weights per channel)."""
    weight = layer.weight.detach().cpu().double()
    if isinstance(layer, _ConvTransposeNd):  # (in, out / groups, *kernel): output channels are counted group by group
        groups = layer.groups
        weight = weight.unflatten(0, (groups, -1)).transpose(1, 2).flatten(0, 1)
    filters: NDArray[np.float64] = weight.flatten(1).numpy()
    return filters
