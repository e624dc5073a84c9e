"""What a layer does to its channels: the rules by which channel spaces are followed."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

import torch
from torch import Tensor, nn

from cnnvis.capture.axes import Axes
from cnnvis.capture.calls import Call, Value
from cnnvis.capture.roles import exported_operation
from cnnvis.core import LayerRole


class Kind(Enum):
    """What becomes of the channels in a layer."""

    MIXED = auto()
    """A convolution or dense layer: reads channels, gives new ones."""
    DEPTHWISE = auto()
    """A convolution of each channel by itself."""
    ELEMENTWISE = auto()
    """Value by value: sums and products merge channels."""
    NORM = auto()
    ACTIVATION = auto()
    POSITIONS = auto()
    """Pooling, padding, upsampling: other positions, same channels."""
    REDUCTION = auto()
    """A mean, sum or extremum over some axes."""
    CONCATENATION = auto()
    RESHAPE = auto()
    """Entries keep their order (row-major), axes change."""
    VIEW = auto()
    """Axes move, or positions are picked."""
    UNKNOWN = auto()


_ELEMENTWISE = frozenset(
    [
        *("add", "sub", "rsub", "mul", "div", "pow", "lerp", "addcmul", "addcdiv"),
        *("maximum", "minimum", "max", "min", "where", "gt", "ge", "lt", "le", "eq", "ne"),
        *("abs", "neg", "exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "square", "reciprocal", "sin", "cos", "erf"),
        *("sign", "round", "floor", "ceil", "clamp", "clamp_min", "clamp_max", "clip", "nan_to_num"),
        *("droppath", "stochasticdepth", "dropconnect"),
    ]
)
_REDUCTIONS = {
    "mean": torch.mean,
    "sum": torch.sum,
    "amax": torch.amax,
    "amin": torch.amin,
    "max": torch.amax,
    "min": torch.amin,
}
_CONCATENATIONS = frozenset(["cat", "hstack", "vstack"])
_RESHAPES = frozenset(["flatten", "unflatten", "view", "view_as", "reshape", "reshape_as"])
_VIEWS = frozenset(
    [
        *("permute", "transpose", "movedim", "moveaxis", "t", "T", "mT", "squeeze", "unsqueeze"),
        *("expand", "expand_as", "getitem", "select", "narrow"),
    ]
)
_POSITIONS = ("interpolate", "upsample", "upsampling", "pad", "zeropad", "constantpad")
_POSITIONS += ("reflectionpad", "replicationpad", "circularpad")
_KIND_OF_ROLE = {
    LayerRole.NORM: Kind.NORM,
    LayerRole.ACTIVATION: Kind.ACTIVATION,
    LayerRole.IDENTITY: Kind.ELEMENTWISE,
    LayerRole.POOLING: Kind.POSITIONS,
    LayerRole.DENSE: Kind.MIXED,
}


def kind_of(call: Call) -> Kind:
    """Return what the layer does to its channels; layers that are not known are UNKNOWN."""
    if call.role is LayerRole.CONVOLUTION:
        return Kind.DEPTHWISE if _is_depthwise(call) else Kind.MIXED
    operation = operation_of(call)
    if operation in _REDUCTIONS and (operation not in ("max", "min") or len(call.values) > 1):
        return Kind.REDUCTION  # max and min along an axis give values and places
    if call.role in _KIND_OF_ROLE:
        return _KIND_OF_ROLE[call.role]
    return kind_of_operation(operation)


def kind_of_operation(operation: str) -> Kind:
    """Return what an operation, or a layer's class in lower case, does to channels, as far as its name tells."""
    if operation in _ELEMENTWISE:
        return Kind.ELEMENTWISE
    if operation in _CONCATENATIONS:
        return Kind.CONCATENATION
    if operation in _RESHAPES:
        return Kind.RESHAPE
    if operation in _VIEWS:
        return Kind.VIEW
    if "batchnorm" in operation:  # frozen ones and others of one's own
        return Kind.NORM
    return Kind.POSITIONS if operation.startswith(_POSITIONS) else Kind.UNKNOWN


def operation_of(call: Call) -> str:
    """Return what runs: the operation, of a torch.export program too, or the class of the module in lower case."""
    if not isinstance(call.origin, nn.Module):
        return call.type
    return exported_operation(call.origin) or call.type.lower()


def groups_of(call: Call) -> int:
    """Return the number of groups of a convolution."""
    weight = call.origin.weight if isinstance(call.origin, nn.Module) else call.arguments[1]
    transposed = "transpose" in operation_of(call)
    if transposed:  # weights (in, out / groups, *kernel)
        return call.values[0].tensor.shape[1] // weight.shape[1]
    return call.tracked[0][0].shape[1] // weight.shape[1]


def _is_depthwise(call: Call) -> bool:
    if not call.tracked or not call.values:
        return False
    n_in, n_out = call.tracked[0][0].shape[1], call.values[0].tensor.shape[1]
    return n_in == n_out == groups_of(call) > 1


def mixes_statistics(call: Call) -> bool:
    """Whether channels of a norm or activation depend on each other: all but batch and instance norms; softmax."""
    operation = operation_of(call).replace("_", "")
    if kind_of(call) is Kind.NORM:
        return "batchnorm" not in operation and "instancenorm" not in operation
    return "softm" in operation


def keeps_axis(call: Call, kind: Kind) -> bool:
    """Whether a pooling, view or reduction gives the channels that its first argument has."""
    (tensor, origin), value = call.tracked[0], call.values[0]
    if kind is Kind.VIEW:
        return _is_view_of_channels(tensor, origin.axes, value)
    if kind not in (Kind.POSITIONS, Kind.REDUCTION):
        return False
    axis = origin.axes.channel
    same_place = value.tensor.ndim == tensor.ndim and value.axes.channel == axis
    if same_place and value.tensor.shape[axis] == tensor.shape[axis]:
        return True
    return kind is Kind.REDUCTION and _is_over_positions(call)


def _is_view_of_channels(tensor: Tensor, axes: Axes, value: Value) -> bool:
    """Whether the channel axis of a view is that of the tensor viewed: same memory, size and stride."""
    view, axis = value.tensor, value.axes.channel
    same_memory = view.untyped_storage().data_ptr() == tensor.untyped_storage().data_ptr()
    of_channels = tensor.shape[axes.channel], tensor.stride(axes.channel)
    return same_memory and (view.shape[axis], view.stride(axis)) == of_channels


def _is_over_positions(call: Call) -> bool:
    """Whether a reduction that drops axes leaves the channels apart.

    Its value is reduced to one number per image and channel, and so is what went in: were the channels among the axes
    reduced, these would differ, but where all channels are alike.
    """
    reduce = _REDUCTIONS[operation_of(call)]
    (tensor, origin), value = call.tracked[0], call.values[0]
    before, after = _per_channel(reduce, tensor, origin.axes), _per_channel(reduce, value.tensor, value.axes)
    return before.shape == after.shape and torch.allclose(before, after, rtol=1e-3, atol=1e-5, equal_nan=True)


def _per_channel(reduce: Callable[..., Tensor], tensor: Tensor, axes: Axes) -> Tensor:
    moved = tensor.detach().double().movedim(axes, (0, 1))
    return reduce(moved, dim=tuple(range(2, moved.ndim))) if moved.ndim > 2 else moved
