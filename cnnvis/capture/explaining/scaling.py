"""What becomes of the answer when one channel is switched off, or scaled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.capture.explaining.explain import first_call
from cnnvis.capture.inputs import as_module
from cnnvis.capture.intervene import intervene
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.state import evaluating
from cnnvis.core.errors import InvalidInputError


def scaled_probabilities(
    model: Any, image: Any, layer: str, channel: int, factors: Sequence[float]
) -> NDArray[np.float64]:
    """Return the probabilities of all classes with one channel of a layer multiplied by each factor.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
        That returns class scores, (N, K).
    image : image file, or tensor or ndarray (1, ...), or None
        As for `explain`.
    layer, channel : str and int
    factors : sequence of float
        0 switches the channel off, 1 leaves it.

    Returns
    -------
    (F, K) float64

    Raises
    ------
    LayerNotFoundError, LayerNotRunError, InvalidInputError
        As for `intervene`, and where the network gives no class scores.

    Notes
    -----
    One forward pass per factor. The model is left as it was.
    """
    module = as_module(model)
    call, _ = first_call(model, image, "scaled_probabilities")
    rows = []
    with evaluating(ModuleTree(module)):
        for factor in factors:
            with intervene(module, {layer: {channel: float(factor)}}):
                given = call.copy()
                output = module(*given.args, **given.kwargs)
            if not isinstance(output, Tensor) or output.ndim != 2:
                raise InvalidInputError(f"{type(module).__name__} returns no class scores (N, K): nothing to compare.")
            rows.append(torch.softmax(output[0].double(), 0).cpu().numpy())
    return np.array(rows).reshape(len(rows), -1)
