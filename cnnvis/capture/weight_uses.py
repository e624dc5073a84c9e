"""How a weight is used by a dense layer or a convolution, and the gradient of each of its filters image by image.

With x what is fed in and d the gradient of what comes out, the gradient of one image is d x^T for a dense layer, and
for a convolution d times the patches of x that the kernel meets, one matrix product per image and group. A transposed
convolution is the same with x and d exchanged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional

CHUNK = 2**20
"""Values of patches and gradients made at once: 4 MB in float32 stay in the cache. A chunk is one image or more."""


class Use(Protocol):
    """One use of a weight in a forward pass."""

    fed: Tensor
    weight: Tensor

    def n_values(self) -> int:
        """Return how many values `filters` makes for one image."""

    def filters(self, delta: Tensor, rows: slice) -> Tensor:
        """Return d f / d filter, (n, C, values per filter), of the images `rows`; `delta` is d f / d result."""

    def products(self, delta: Tensor) -> Tensor:
        """Return filter . d f / d filter, (N, C), without making the gradients: it is delta . (result - bias)."""


@dataclass(frozen=True, eq=False)
class DenseUse:
    """x (N, in) or, with further axes, (N, *T, in), times weight (out, in) transposed."""

    fed: Tensor
    weight: Tensor

    def n_values(self) -> int:
        """As `Use.n_values`."""
        return self.weight.numel()

    def filters(self, delta: Tensor, rows: slice) -> Tensor:
        """As `Use.filters`."""
        return _tokens(delta[rows]).transpose(1, 2) @ _tokens(self.fed[rows])

    def norms(self, delta: Tensor) -> Tensor:
        """Return the L2 norms of the filters' gradients, (N, C), of (N, in): |delta| |x|, since d x^T has rank one."""
        return delta.abs() * self.fed.norm(dim=1, keepdim=True)

    def products(self, delta: Tensor) -> Tensor:
        """As `Use.products`."""
        return _tokens(delta * functional.linear(self.fed, self.weight)).sum(1)


@dataclass(frozen=True, eq=False)
class ConvolutionUse:
    """A convolution of (N, in, *S) with weight (out, in / groups, *kernel), or a transposed one."""

    fed: Tensor
    weight: Tensor
    function: Callable[..., Tensor]
    settings: dict[str, Any]
    is_transposed: bool

    def n_values(self) -> int:
        """As `Use.n_values`."""
        positions = math.prod(self.fed.shape[2:])
        if not self.is_transposed:
            positions //= math.prod(self._per_axis("stride"))
        kernel = math.prod(self.weight.shape[2:])
        return self._windowed_channels() * kernel * positions + self.weight.numel()

    def _windowed_channels(self) -> int:
        return self.weight.shape[1] * self.settings["groups"]

    def filters(self, delta: Tensor, rows: slice) -> Tensor:
        """As `Use.filters`."""
        fed, delta = self.fed[rows], delta[rows]
        groups = self.settings["groups"]
        if self.is_transposed:
            patches = self._patches(delta, fed.shape[2:])  # (n, groups, out / groups, taps, positions)
            fed = _by_group(fed, groups)
            found = patches.flatten(2, 3) @ fed.transpose(2, 3)
            return found.reshape(fed.shape[0], self._windowed_channels(), -1)
        patches = self._patches(fed, delta.shape[2:]).flatten(2, 3)
        found = _by_group(delta, groups) @ patches.transpose(2, 3)
        return found.flatten(1, 2)

    def products(self, delta: Tensor) -> Tensor:
        """As `Use.products`."""
        without_bias = self.function(self.fed, self.weight, None, **self.settings)
        return (delta * without_bias).flatten(2).sum(2)

    def _patches(self, values: Tensor, positions: Sequence[int]) -> Tensor:
        """Return what each tap of the kernel meets, (n, groups, channels / groups, taps, positions)."""
        kernel, n_axes = self.weight.shape[2:], self.weight.ndim - 2
        strides, dilations = self._per_axis("stride"), self._per_axis("dilation")
        pads = [pad for sides in reversed(self._pads(dilations)) for pad in sides]
        values = functional.pad(values, pads) if any(pads) else values
        for axis in range(n_axes):
            values = values.unfold(axis + 2, dilations[axis] * (kernel[axis] - 1) + 1, strides[axis])
            values = values[..., :: dilations[axis]].narrow(axis + 2, 0, positions[axis])
        by_tap = values.permute(0, 1, *range(2 + n_axes, 2 + 2 * n_axes), *range(2, 2 + n_axes))
        n, groups = values.shape[0], self.settings["groups"]
        return by_tap.reshape(n, groups, -1, math.prod(kernel), math.prod(positions))

    def _pads(self, dilations: Sequence[int]) -> list[tuple[int, int]]:
        """Return the padding before and after, by axis; "same" pads the odd value behind."""
        padding, kernel = self.settings["padding"], self.weight.shape[2:]
        if padding == "same":
            totals = [step * (size - 1) for step, size in zip(dilations, kernel, strict=True)]
            return [(total // 2, total - total // 2) for total in totals]
        return [(0, 0)] * len(kernel) if padding == "valid" else [(pad, pad) for pad in self._per_axis("padding")]

    def _per_axis(self, name: str) -> tuple[int, ...]:
        value, n_axes = self.settings[name], self.weight.ndim - 2
        sizes = (value,) if isinstance(value, int) else tuple(value)
        return sizes * n_axes if len(sizes) == 1 else sizes


def filter_norms(uses: Sequence[Use], deltas: Sequence[Tensor]) -> Tensor:
    """Return the L2 norm of the gradient of each filter for each image, (N, C), summed over the uses of its weight.

    Never holds more than `CHUNK` values, or those of one image.
    """
    first = uses[0]
    if len(uses) == 1 and isinstance(first, DenseUse) and first.fed.ndim == 2:
        return first.norms(deltas[0])
    n_images = first.fed.shape[0]
    rows = max(1, CHUNK // max(use.n_values() for use in uses))
    found = [_summed(uses, deltas, slice(start, start + rows)) for start in range(0, n_images, rows)]
    return torch.cat(found)


def _summed(uses: Sequence[Use], deltas: Sequence[Tensor], rows: slice) -> Tensor:
    pairs: Iterator[tuple[Use, Tensor]] = zip(uses, deltas, strict=True)
    return sum(use.filters(delta, rows) for use, delta in pairs).norm(dim=2)


def filter_products(uses: Sequence[Use], deltas: Sequence[Tensor]) -> Tensor:
    """Return the product of each filter with its gradient for each image, (N, C): d f / d (scale of the filter)."""
    return sum(use.products(delta) for use, delta in zip(uses, deltas, strict=True))


def _tokens(values: Tensor) -> Tensor:
    """Return (N, *T, C) as (N, T, C)."""
    return values[:, None] if values.ndim == 2 else values.flatten(1, -2)


def _by_group(values: Tensor, groups: int) -> Tensor:
    """Return (n, channels, *S) as (n, groups, channels / groups, positions)."""
    return values.flatten(2).unflatten(1, (groups, -1))


# What each function is called with; the bias has no part in the gradient of the weight.

_BEHIND_BIAS = ("stride", "padding", "dilation", "groups")
_BEHIND_BIAS_TRANSPOSED = ("stride", "padding", "output_padding", "groups", "dilation")
_DEFAULTS = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}


def _dense(input: Tensor, weight: Tensor, bias: Any = None) -> Use:  # noqa: A002 - torch's own names
    return DenseUse(input.detach(), weight.detach())


def _convolution(function: Callable[..., Tensor], behind_bias: Sequence[str]) -> Callable[..., Use]:
    is_transposed = behind_bias is _BEHIND_BIAS_TRANSPOSED

    def use(input: Tensor, weight: Tensor, bias: Any = None, *given: Any, **named: Any) -> Use:  # noqa: A002
        settings = _DEFAULTS | dict(zip(behind_bias, given, strict=False)) | named
        return ConvolutionUse(input.detach(), weight.detach(), function, settings, is_transposed)

    return use


USE_OF: dict[Callable[..., Any], Callable[..., Use]] = {
    functional.linear: _dense,
    **{function: _convolution(function, _BEHIND_BIAS) for function in (torch.conv1d, torch.conv2d, torch.conv3d)},
    **{
        function: _convolution(function, _BEHIND_BIAS_TRANSPOSED)
        for function in (torch.conv_transpose1d, torch.conv_transpose2d, torch.conv_transpose3d)
    },
}
"""By torch function, what makes a Use of its arguments."""
