"""Which parameters read flattened maps: there TensorFlow counts rows, columns, channels, torch channels first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from cnnvis.core.errors import InvalidInputError
from cnnvis.models._reason import first_sentence

Maps = tuple[int, ...]
"""(C, *S) of the maps that were flattened."""

_REARRANGING = ("permute", "transpose", "movedim", "moveaxis", "swapaxes", "swapdims", "einsum", "rearrange")


def read_flattened(module: nn.Module, example: Iterable[Tensor]) -> dict[str, Maps]:
    """Return parameters and buffers that multiply or norm flattened maps, with the shape (C, *S) of those maps.

    The network runs once. Where its own code brings channels to the end before it flattens, it already counts as
    TensorFlow does, and nothing is returned.

    Parameters
    ----------
    module : nn.Module
    example : iterable of tensor

    Raises
    ------
    InvalidInputError
        When it cannot be run.
    """
    named = [*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False)]
    watch = _Watch({id(tensor): name for name, tensor in named})
    try:
        with torch.no_grad(), watch:
            module(*example)
    except Exception as error:
        raise InvalidInputError(
            f"{type(module).__name__} cannot be run with its example input ({first_sentence(error)}), which is needed "
            "to see where maps are flattened."
        ) from error
    return watch.found


class _Watch(TorchFunctionMode):
    """Follows flattened maps from where they are flattened to the parameters that they meet."""

    def __init__(self, names: dict[int, str]) -> None:
        super().__init__()
        self.found: dict[str, Maps] = {}
        self._names = names
        self._flattened: dict[int, tuple[Tensor, Maps]] = {}  # keeps the tensors alive, so that no id is used again
        self._rearranged: dict[int, Tensor] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if isinstance(out, Tensor):
            self._follow(func, list(_tensors([*args, *(kwargs or {}).values()])), out)
        return out

    def _follow(self, func: Any, inputs: list[Tensor], out: Tensor) -> None:
        maps = next((self._flattened[id(one)][1] for one in inputs if id(one) in self._flattened), None)
        if maps is not None:
            self.found |= {self._names[id(one)]: maps for one in inputs if id(one) in self._names}
            if any(one.shape == out.shape for one in inputs):  # an activation, a norm, dropout
                self._flattened[id(out)] = (out, maps)
        for one in inputs:
            if func.__name__ in _REARRANGING or (id(one) in self._rearranged and one.shape == out.shape):
                self._rearranged[id(out)] = out
            elif id(one) not in self._rearranged and _flattens(one, out):
                self._flattened[id(out)] = (out, tuple(one.shape[1:]))


def _flattens(before: Tensor, after: Tensor) -> bool:
    """Return whether maps (N, C, H, W, ...) of several pixels became vectors (N, C * H * W * ...)."""
    return before.ndim >= 4 and after.shape == (len(before), before[0].numel()) and before[0, 0].numel() > 1


def _tensors(values: Iterable[Any]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)
