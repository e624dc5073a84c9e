"""Whether importance depends on what the network learned at all."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cnnvis.attribution.methods import ImportanceMethodName, importance
from cnnvis.capture.inputs import as_module
from cnnvis.core import Importance
from cnnvis.core.checks import frozen_array, frozen_mapping, require_shape
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.progress import Progress, silent
from cnnvis.core.ranks import rank_correlations


@dataclass(frozen=True, slots=True, eq=False)
class RandomisationCheck:
    """Rank correlation of a method's scores with those it gives once the weights are shuffled.

    Parameters
    ----------
    method : str
    correlations : mapping of str to (n_shuffles,) ndarray of float64
        Spearman, by layer. Near 0: the scores depend on the weights; 1: they do not. NaN where all channels score
        alike.
    """

    method: str
    correlations: Mapping[str, NDArray[np.float64]]

    def __post_init__(self) -> None:
        found = {layer: frozen_array(values, dtype=np.float64) for layer, values in self.correlations.items()}
        for layer, values in found.items():
            require_shape(f"correlations in {layer!r}", values, (None,))
        object.__setattr__(self, "correlations", frozen_mapping(found))

    @property
    def mean(self) -> dict[str, float]:
        """Mean over the shuffles, by layer."""
        return {layer: float(values.mean()) for layer, values in self.correlations.items()}

    @property
    def unmoved(self) -> tuple[str, ...]:
        """Layers whose channels kept their order in every shuffle: there the method ignores the weights."""
        return tuple(layer for layer, values in self.correlations.items() if values.min() > 1 - 1e-9)


def randomisation_check(
    model: Any,
    data: Any,
    method: ImportanceMethodName,
    *,
    n_shuffles: int = 5,
    random_state: int = 0,
    progress: Progress = silent,
    **options: Any,
) -> RandomisationCheck:
    """Return how little the importance of channels changes when all weights of the network are shuffled.

    Scores that come out alike on a network that knows nothing show the data or the architecture, not what was learned:
    the model parameter test of Adebayo et al., "Sanity checks for saliency maps" (2018). All layers are shuffled at
    once (theirs also cascades from the output down), see `shuffled`.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
        Untouched: copies are shuffled.
    data, method, **options
        As for `importance`; data is gone through once per shuffle and once more, so no one-way iterator.
    n_shuffles : int, default: 5
        With few channels a single shuffle says little: by chance alone, the correlation of C channels has a standard
        deviation of 1 / sqrt(C - 1).
    random_state : int, default: 0
    progress : callable, optional
        Called as progress(importance computed, n_shuffles + 1).

    Raises
    ------
    InvalidInputError
        With under one shuffle, or where `importance` raises it: shuffled weights may overflow, too.

    Notes
    -----
    Cost: n_shuffles + 1 runs of the method, and one copy of the network.
    """
    if n_shuffles < 1:
        raise InvalidInputError(f"n_shuffles must be at least 1, got {n_shuffles}.")
    original = importance(model, data, method, **options)
    progress(1, n_shuffles + 1)
    found: dict[str, list[float]] = {layer: [] for layer in original}
    for number in range(n_shuffles):
        scores = importance(shuffled(model, random_state=(random_state, number)), data, method, **options)
        for layer in original:
            found[layer].append(_correlation(original, scores, layer))
        progress(number + 2, n_shuffles + 1)
    return RandomisationCheck(original.method, {layer: np.array(values) for layer, values in found.items()})


def shuffled(model: Any, *, random_state: int | tuple[int, ...] = 0) -> Any:
    """Return a copy of `model` with the entries of each of its parameters in random order.

    Every tensor - filters, biases, scales and shifts of norms - keeps its values and loses where they were. Buffers,
    such as running statistics, stay.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
        Untouched; the copy is of the same kind.
    random_state : int or tuple of int, default: 0
    """
    module = copy.deepcopy(as_module(model))
    generator = np.random.default_rng(random_state)
    with torch.no_grad():
        for parameter in module.parameters():
            order = torch.from_numpy(generator.permutation(parameter.numel())).to(parameter.device)
            parameter.copy_(parameter.flatten()[order].reshape(parameter.shape))
            parameter.grad = None
    return module if isinstance(model, nn.Module) else dataclasses.replace(model, module=module)


def _correlation(first: Importance, second: Importance, layer: str) -> float:
    return float(rank_correlations([first[layer], second[layer]])[0, 1])
