"""Switch channels of a running network off, or scale them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from cnnvis.capture.calls import Call, Value
from cnnvis.capture.inputs import as_module
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.selection import Selection
from cnnvis.core.errors import InvalidInputError


@contextmanager
def intervene(model: Any, factors: Mapping[str, Mapping[int, float]]) -> Iterator[None]:
    """Multiply channels of layers by factors in every forward pass of `model` inside the ``with`` block.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
        Mode, gradients and parameters are not touched; `record`, gradients and training see the changed values.
    factors : mapping of str to mapping of int to float
        By layer, named as in `trace`, and channel: 0 switches it off. ``{"features.0": {3: 0.0, 5: 2.0}}``

    Raises
    ------
    LayerNotFoundError, LayerNotRunError
        From the forward pass: no such layer, or it was not reached.
    InvalidInputError
        When a layer has no such channel or no tensor, a factor is not finite, or the name is that of a block.

    Notes
    -----
    A channel switched off by 0 is 0 also where it was NaN or infinite. Cost: one product with the
    values of each layer named, besides what `record` costs to follow the pass. Hooks are gone on
    exit, also after an error.
    """
    module = as_module(model)
    if not factors:
        yield
        return
    for layer, by_channel in factors.items():
        _check_factors(layer, by_channel)
    selection = Selection(ModuleTree(module), factors)
    surgeon = _Surgeon(selection, factors)
    with selection.listen(surgeon.change, on_end=surgeon.check):
        yield


class _Surgeon:
    """Listens to a tracer and returns changed values."""

    def __init__(self, selection: Selection, factors: Mapping[str, Mapping[int, float]]) -> None:
        self._selection = selection
        self._factors = factors
        self._changed: list[str] = []
        self._ran: list[str] = []

    def change(self, call: Call) -> Tensor | None:
        if not call.is_block:
            self._ran.append(call.name)
        if call.name not in self._factors:
            return None
        if call.is_block:
            raise InvalidInputError(f"{call.name!r} ({call.type}) is a block of layers; name the layer that ends it.")
        if not call.values:
            raise InvalidInputError(f"Layer {call.name!r} ({call.type}) returns no tensor; there is nothing to scale.")
        self._changed.append(call.name)
        return _scaled(call.values[0], self._factors[call.name])

    def check(self) -> None:
        ran, changed, self._ran, self._changed = self._ran, self._changed, [], []
        self._selection.check(changed, ran)


def _scaled(value: Value, factors: Mapping[int, float]) -> Tensor:
    tensor, axis = value.tensor, value.axes.channel
    n_channels = tensor.shape[axis] if tensor.ndim > 1 else 0
    wrong = [channel for channel in factors if not 0 <= channel < n_channels]
    if wrong:
        raise InvalidInputError(
            f"Layer {value.name!r} has {n_channels} channels, numbered from 0; there is no channel {wrong[0]}."
        )
    scale = torch.ones(n_channels, dtype=tensor.dtype, device=tensor.device)
    scale[list(factors)] = torch.tensor(list(factors.values()), dtype=tensor.dtype, device=tensor.device)
    shape = [n_channels if place == axis else 1 for place in range(tensor.ndim)]
    scale = scale.view(shape)
    # a product alone would keep NaN in a channel that is switched off
    return torch.where(scale == 0, torch.zeros_like(tensor), tensor * scale)


def _check_factors(layer: str, factors: Mapping[int, float]) -> None:
    for channel, factor in factors.items():
        if not torch.isfinite(torch.tensor(float(factor))):
            raise InvalidInputError(f"The factor of channel {channel} of {layer!r} must be finite, got {factor}.")
