"""From a torch function and what it was called with to the rule that it follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cnnvis.capture.explaining.windows import Table, adaptive, counts_with_padding, strided, through, transposed
from cnnvis.core.operation_rules import OUTSIDE, BatchNorm, Pooling, Rule, Softmax, WeightedSum


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What one torch function read, and its rule.

    Parameters
    ----------
    fed : Tensor
        (1, C, *S).
    rule : Rule
    """

    fed: Tensor
    rule: Rule


Maker = Callable[..., Reading | None]
"""Called with what the function was called with, and `out`, what it returned; None where the rule is not known."""


def per_axis(value: Any, n_axes: int) -> tuple[int, ...]:
    """Return a setting that is one number, or one for each axis, as the latter."""
    sizes = (int(value),) if isinstance(value, int) else tuple(int(size) for size in value)
    return sizes * n_axes if len(sizes) == 1 else sizes


def _convolution(
    input: Tensor,  # noqa: A002
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    *,
    out: Tensor,
) -> Reading | None:
    window = tuple(weight.shape[2:])
    n_axes = len(window)
    if input.ndim != n_axes + 2:
        return None  # without a batch axis
    strides, dilations = per_axis(stride, n_axes), per_axis(dilation, n_axes)
    before = (0,) * n_axes
    if padding == "same":
        before = tuple(step * (size - 1) // 2 for step, size in zip(dilations, window, strict=True))
    elif padding != "valid":
        before = per_axis(padding, n_axes)
    taps = tuple(
        strided(size, n_out, k, stride=s, before=b, dilation=d)
        for size, n_out, k, s, b, d in zip(
            input.shape[2:], out.shape[2:], window, strides, before, dilations, strict=True
        )
    )
    return Reading(input, WeightedSum(_array(weight), None if bias is None else _array(bias), taps))


def _transposed_convolution(  # noqa: PLR0913 - as torch names them
    input: Tensor,  # noqa: A002
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
    *,
    out: Tensor,
) -> Reading | None:
    window = tuple(weight.shape[2:])
    n_axes = len(window)
    if input.ndim != n_axes + 2:
        return None
    settings = zip(per_axis(stride, n_axes), per_axis(padding, n_axes), per_axis(dilation, n_axes), strict=True)
    taps = tuple(
        transposed(size, n_out, k, stride=s, before=b, dilation=d)
        for size, n_out, k, (s, b, d) in zip(input.shape[2:], out.shape[2:], window, settings, strict=True)
    )
    # (C, K / groups, *window) as (K, C / groups, *window)
    own = weight.unflatten(0, (groups, -1)).transpose(1, 2).flatten(0, 1)
    return Reading(input, WeightedSum(_array(own), None if bias is None else _array(bias), taps))


def _dense(input: Tensor, weight: Tensor, bias: Tensor | None = None, *, out: Tensor) -> Reading | None:  # noqa: A002
    if input.ndim < 2:
        return None
    fed = input.movedim(-1, 1)
    n_axes = fed.ndim - 2
    taps = tuple(np.arange(size)[:, None] for size in fed.shape[2:])
    values = _array(weight).reshape(*weight.shape, *(1,) * n_axes)
    return Reading(fed, WeightedSum(values, None if bias is None else _array(bias), taps))


def _max_pooling(  # noqa: PLR0913 - as torch names them
    n_axes: int,
    input: Tensor,  # noqa: A002
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
    *,
    out: Tensor,
) -> Reading | None:
    if input.ndim != n_axes + 2:
        return None
    window = per_axis(kernel_size, n_axes)
    strides = per_axis(stride, n_axes) if stride else window
    settings = zip(window, strides, per_axis(padding, n_axes), per_axis(dilation, n_axes), strict=True)
    taps = tuple(
        strided(size, n_out, k, stride=s, before=b, dilation=d)
        for size, n_out, (k, s, b, d) in zip(input.shape[2:], out.shape[2:], settings, strict=True)
    )
    return Reading(input, Pooling("max", taps))


def _mean_pooling(  # noqa: PLR0913 - as torch names them
    n_axes: int,
    input: Tensor,  # noqa: A002
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    out: Tensor,
) -> Reading | None:
    if input.ndim != n_axes + 2:
        return None
    window = per_axis(kernel_size, n_axes)
    strides, before = per_axis(stride, n_axes) if stride else window, per_axis(padding, n_axes)
    axes = list(zip(input.shape[2:], out.shape[2:], window, strides, before, strict=True))
    taps = tuple(strided(size, n_out, k, stride=s, before=b) for size, n_out, k, s, b in axes)
    divisors: tuple[Table, ...] = tuple((table != OUTSIDE).sum(axis=1) for table in taps)
    if count_include_pad:
        divisors = tuple(counts_with_padding(size, n_out, k, stride=s, before=b) for size, n_out, k, s, b in axes)
    if divisor_override:
        ones = [np.ones(n_out, np.int64) for _, n_out, *_ in axes]
        divisors = (ones[0] * divisor_override, *ones[1:])
    return Reading(input, Pooling("mean", taps, divisors))


def _adaptive_pooling(
    rule: Any,
    n_axes: int,
    input: Tensor,  # noqa: A002
    output_size: Any = None,
    return_indices: bool = False,
    *,
    out: Tensor,
) -> Reading | None:
    if input.ndim != n_axes + 2:
        return None
    taps = tuple(adaptive(size, n_out) for size, n_out in zip(input.shape[2:], out.shape[2:], strict=True))
    divisors = tuple((table != OUTSIDE).sum(axis=1) for table in taps) if rule == "mean" else ()
    return Reading(input, Pooling(rule, taps, divisors))


def _global_pooling(rule: Any, input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Tensor) -> Reading | None:  # noqa: A002
    axes = () if dim is None else tuple(sorted(axis % input.ndim for axis in per_axis(dim, 1)))
    if input.ndim < 3 or axes != tuple(range(2, input.ndim)):
        return None  # not over all positions of each channel
    taps = tuple(np.arange(size)[None] for size in input.shape[2:])
    divisors = tuple(np.array([size]) for size in input.shape[2:]) if rule == "mean" else ()
    return Reading(input, Pooling(rule, taps, divisors))


def _softmax(is_log: bool, input: Tensor, dim: Any = None, *_: Any, out: Tensor, **__: Any) -> Reading | None:  # noqa: A002
    if dim is None or dim % input.ndim != 1:
        return None  # over something else than channels
    return Reading(input, Softmax(is_log))


def _batch_norm(  # noqa: PLR0913 - as torch names them
    input: Tensor,  # noqa: A002
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    *,
    out: Tensor,
) -> Reading | None:
    if training or running_mean is None or running_var is None:
        return None  # norms by the batch itself
    ones = np.ones(len(running_mean))
    scale, shift = (ones if weight is None else _doubles(weight)), (0 * ones if bias is None else _doubles(bias))
    return Reading(input, BatchNorm(_doubles(running_mean), _doubles(running_var), scale, shift, float(eps)))


MAKERS: dict[str, Maker] = {
    "linear": _dense,
    "softmax": partial(_softmax, False),
    "log_softmax": partial(_softmax, True),
    "batch_norm": _batch_norm,
    "mean": partial(_global_pooling, "mean"),
    "amax": partial(_global_pooling, "max"),
}
"""By name of the torch function, as `naming.operation_name` gives it."""

for _n in (1, 2, 3):
    MAKERS |= {
        f"conv{_n}d": _convolution,
        f"conv_transpose{_n}d": _transposed_convolution,
        f"max_pool{_n}d": partial(_max_pooling, _n),
        f"avg_pool{_n}d": partial(_mean_pooling, _n),
        f"adaptive_max_pool{_n}d": partial(_adaptive_pooling, "max", _n),
        f"adaptive_avg_pool{_n}d": partial(_adaptive_pooling, "mean", _n),
    }


def before_padding(
    rule: Rule, fed: Tensor, pad: Sequence[int], mode: str = "constant", value: Any = None
) -> Rule | None:
    """Return a rule that reads padded values as one that reads what `functional.pad` was called with.

    None where the padding is by another number than 0, or not of the axes of maps; or before a pooling, which may
    choose it.
    """
    n_axes = fed.ndim - 2
    if not isinstance(rule, WeightedSum) or len(pad) > 2 * n_axes or (mode == "constant" and value):
        return None
    sides = [(0, 0)] * n_axes
    for place in range(len(pad) // 2):  # torch lists the last axis first
        sides[-1 - place] = (int(pad[2 * place]), int(pad[2 * place + 1]))
    taps = tuple(
        through(table, _padded_index(size, side, mode))
        for table, size, side in zip(rule.taps, fed.shape[2:], sides, strict=True)
    )
    return WeightedSum(rule.weight, rule.bias, taps)


def _padded_index(size: int, sides: tuple[int, int], mode: str) -> NDArray[np.int64]:
    """Return which value each of the padded ones along an axis is."""
    index = torch.arange(size, dtype=torch.float64)[None, None]
    filled = {"value": OUTSIDE} if mode == "constant" else {}
    return np.asarray(functional.pad(index, sides, mode=mode, **filled)[0, 0].numpy(), np.int64)


def _array(tensor: Tensor) -> NDArray[np.float32]:
    return np.array(tensor.detach().float().cpu().numpy())


def _doubles(tensor: Tensor) -> NDArray[np.float64]:
    return np.array(tensor.detach().double().cpu().numpy())
