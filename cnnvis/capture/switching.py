"""Where a network has corners: which side of each ReLU, which entry of each maximum a forward pass is on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from cnnvis.capture.naming import operation_name
from cnnvis.capture.nested import map_tensors, tensors_in

_CORNERS = frozenset(
    [
        *("relu", "relu6", "leaky_relu", "prelu", "rrelu", "threshold", "elu", "selu", "celu"),
        *("hardtanh", "hardsigmoid", "hardswish", "hardshrink", "softshrink", "abs", "absolute", "clamp", "clip"),
        *("max_pool1d", "max_pool2d", "max_pool3d", "fractional_max_pool2d", "fractional_max_pool3d"),
        *("adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d"),
        *("max", "min", "amax", "amin", "maximum", "minimum", "fmax", "fmin", "sort", "topk", "median", "kthvalue"),
    ]
)
"""Operations whose derivative jumps, by the name that `operation_name` gives."""

JUMP = 1e-3
"""Difference of a derivative from one end of a step to the other that only a corner makes."""


class Switches(TorchFunctionMode):
    """Context that notes on which side of its corners everything runs: the derivative of every operation with corners.

    Comparisons count by their results, so that a network's own `x * (x > 0)` is seen as well.
    """

    def __init__(self) -> None:
        super().__init__()
        self._sides: list[Tensor] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if operation_name(func) in _CORNERS:
            self._sides += _derivative(func, args, kwargs)  # before func, which may work in place
        result = func(*args, **kwargs)
        if any(tensor.is_floating_point() for _, tensor in tensors_in(args)):
            self._sides += [t.clone() for _, t in tensors_in(result) if t.dtype in (torch.bool, torch.int64)]
        return result

    def differ(self, other: Switches) -> bool:
        """Whether anything is on another side than in `other`."""
        if len(self._sides) != len(other._sides):
            return True
        return any(_is_other(mine, theirs) for mine, theirs in zip(self._sides, other._sides, strict=True))


def _is_other(mine: Tensor, theirs: Tensor) -> bool:
    if mine.shape != theirs.shape:
        return True
    return bool((mine.double() - theirs.double()).abs().gt(JUMP).any())


def _derivative(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> list[Tensor]:
    """Return d sum(result) / d first floating argument, in a list that is empty where there is none."""
    leaves: list[Tensor] = []

    def leaf(tensor: Tensor) -> Tensor:
        if not tensor.is_floating_point():
            return tensor
        leaves.append(tensor.detach().clone().requires_grad_())
        return leaves[-1].clone()  # func may work in place

    with torch.enable_grad():
        result = func(*map_tensors(tuple(args), leaf), **map_tensors(kwargs, leaf))
        values = [tensor.sum() for _, tensor in tensors_in(result) if tensor.requires_grad]
        return list(torch.autograd.grad(sum(values), leaves[:1])) if values else []
