"""Where the batch and the channel axis of a tensor are.

Recorded values are (N, C, *S). PyTorch does not say which axis is the channel axis, so it is
decided here, by these rules in this order:

1. Convolutions, batch, instance and group norms, pooling: (0, 1), as torch.nn defines them. Dense
   layers, embeddings, attention and recurrent layers: the channel axis is the last; batch_first says
   where the batch axis is.
2. A view (permute, transpose, flatten of a contiguous tensor ...): each axis is followed by its stride.
3. Anything else keeps the axes of the tensor it came from (of several, that with the most axes, and
   rather a layer's than an input): at the same place where the number of axes
   is the same, at the same distance from the front or the end where the size shows it, a last axis
   stays the last. Two axes are always (N, C).

An input of the network is taken to have (0, 1).
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from cnnvis.core import LayerRole

_LAST = (nn.Linear, nn.Bilinear, nn.Embedding, nn.EmbeddingBag)
_FIRST = (nn.GroupNorm, nn.LocalResponseNorm)


class Axes(NamedTuple):
    """Positions of the batch and the channel axis."""

    batch: int = 0
    channel: int = 1


BATCH_FIRST = Axes(0, 1)


def has_own_axes(module: nn.Module, role: LayerRole) -> bool:
    """Whether the layer's values are (N, C, *S) whatever it is fed with."""
    if role in (LayerRole.CONVOLUTION, LayerRole.POOLING):
        return True
    return isinstance(module, (nn.modules.batchnorm._NormBase, *_FIRST))


def module_axes(module: nn.Module, role: LayerRole, path: str, output: Tensor, source: Tensor, axes: Axes) -> Axes:
    """Return the axes of `output`, which stands at `path` in what `module` returned when fed with `source`."""
    if output.ndim <= 2 or has_own_axes(module, role):
        return BATCH_FIRST
    last = output.ndim - 1
    if isinstance(module, (nn.RNNBase, nn.MultiheadAttention)):
        is_state = isinstance(module, nn.RNNBase) and path != "0"
        weights_of_attention = isinstance(module, nn.MultiheadAttention) and path != "0"
        return Axes(0 if weights_of_attention or (module.batch_first and not is_state) else 1, last)
    followed = follow_axes(output, source, axes)
    if isinstance(module, _LAST):
        return Axes(followed.batch, last)
    if type(module) in (nn.LayerNorm, nn.RMSNorm) and len(module.normalized_shape) == 1:
        # It normalises over the last axis; the layer before knows better only if its axis has that size.
        fits = output.shape[followed.channel] == module.normalized_shape[0]
        return followed if fits else Axes(followed.batch, last)
    return followed


def operation_axes(role: LayerRole, operation: str, _path: str, output: Tensor, source: Tensor, axes: Axes) -> Axes:
    """Return the axes of `output`, the result of a functional operation fed with `source`."""
    if output.ndim <= 2 or role is LayerRole.CONVOLUTION:
        return BATCH_FIRST
    followed = follow_axes(output, source, axes)
    if role is LayerRole.DENSE or operation == "embedding":
        return Axes(followed.batch, output.ndim - 1)
    return followed


def follow_axes(output: Tensor, source: Tensor, axes: Axes) -> Axes:
    """Return where the axes of `source` are in `output`, by rules 2 and 3."""
    if output.ndim <= 2 or source.ndim < 2:
        return BATCH_FIRST
    view = _shares_memory(output, source)
    batch = _by_stride(output, source, axes.batch) if view else None
    if batch is None:
        batch = axes.batch if output.ndim == source.ndim else 0
    channel = _by_stride(output, source, axes.channel) if view else None
    if channel is None or channel == batch:
        channel = _by_place(output, source, axes.channel, batch)
    return Axes(batch, channel)


def _shares_memory(output: Tensor, source: Tensor) -> bool:
    return output.untyped_storage().data_ptr() == source.untyped_storage().data_ptr()


def _by_stride(output: Tensor, source: Tensor, axis: int) -> int | None:
    """Return the axis of the view `output` that is `axis` of `source`; None when no axis has its size and stride."""
    wanted = (source.shape[axis], source.stride(axis))
    found = [i for i in range(output.ndim) if (output.shape[i], output.stride(i)) == wanted]
    return min(found, key=lambda i: abs(i - axis)) if found else None


def _by_place(output: Tensor, source: Tensor, axis: int, batch: int) -> int:
    """Return the channel axis of a result that is no view, or of a view that cut or split the axis."""
    if output.ndim == source.ndim and axis != batch:
        return axis
    from_end = axis - source.ndim + output.ndim
    for place in (axis, from_end):
        if 0 <= place < output.ndim and place != batch and output.shape[place] == source.shape[axis]:
            return place
    last = output.ndim - 1
    return last if axis == source.ndim - 1 or batch == 1 else 1
