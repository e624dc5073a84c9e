"""Shift whole channels of a running network, each image of a batch by its own amounts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.capture.calls import Call, channels_first
from cnnvis.capture.inputs import as_module
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.selection import Selection
from cnnvis.core.errors import InvalidInputError


@contextmanager
def shift(model: Any, layer: str, shifts: NDArray[Any]) -> Iterator[None]:
    """Add a number to every position of each channel of a layer, in every forward pass inside the ``with`` block.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
    layer : str
        Named as in `trace`.
    shifts : (N, C) array
        By image of the batch and channel; finite.

    Raises
    ------
    LayerNotFoundError, LayerNotRunError
        From the forward pass: no such layer, or it was not reached.
    InvalidInputError
        When the layer's value has another number of images or channels.
    """
    amounts = torch.as_tensor(shifts)
    selection = Selection(ModuleTree(as_module(model)), [layer])
    changed: list[str] = []
    ran: list[str] = []

    def change(call: Call) -> Tensor | None:
        ran.append(call.name)
        if call.name != layer or not call.values:
            return None
        changed.append(layer)
        value = call.values[0]
        maps = channels_first(value.tensor, value.axes)
        if maps.shape[:2] != amounts.shape:
            raise InvalidInputError(
                f"Layer {layer!r} gives {maps.shape[0]} images of {maps.shape[1]} channels; there are shifts for "
                f"{amounts.shape[0]} of {amounts.shape[1]}."
            )
        added = amounts.to(maps).reshape(*amounts.shape, *(1,) * (maps.ndim - 2))
        return (maps + added).movedim((0, 1), value.axes)

    def check() -> None:
        selection.check(changed, ran)
        changed.clear()
        ran.clear()

    with selection.listen(change, on_end=check):
        yield
