"""What a module or an operation is: its role, whether it is a layer, its settings."""

from __future__ import annotations

from functools import cache
from typing import Any

from torch import nn

from cnnvis.core import LayerRole

# Torch keeps each family of layers in a file of its own, so a layer's role follows from where its class is defined.
_ROLE_OF_FILE = {
    "activation": LayerRole.ACTIVATION,
    "adaptive": LayerRole.OTHER,
    "batchnorm": LayerRole.NORM,
    "channelshuffle": LayerRole.RESHAPE,
    "conv": LayerRole.CONVOLUTION,
    "distance": LayerRole.OTHER,
    "dropout": LayerRole.IDENTITY,
    "flatten": LayerRole.RESHAPE,
    "fold": LayerRole.RESHAPE,
    "instancenorm": LayerRole.NORM,
    "linear": LayerRole.DENSE,
    "loss": LayerRole.OTHER,
    "normalization": LayerRole.NORM,
    "padding": LayerRole.RESHAPE,
    "pixelshuffle": LayerRole.RESHAPE,
    "pooling": LayerRole.POOLING,
    "rnn": LayerRole.OTHER,
    "sparse": LayerRole.OTHER,
    "upsampling": LayerRole.OTHER,
}
_ACTIVATION_WORDS = ("relu", "gelu", "silu", "swish", "mish", "sigmoid", "tanh", "softmax")

_ROLE_OF_OPERATION = {
    name: role
    for role, names in {
        LayerRole.CONVOLUTION: "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d",
        LayerRole.DENSE: "linear bilinear",
        LayerRole.NORM: "batch_norm layer_norm group_norm instance_norm rms_norm local_response_norm normalize",
        LayerRole.ACTIVATION: "relu relu6 leaky_relu prelu rrelu elu selu celu gelu silu mish glu sigmoid logsigmoid "
        "hardsigmoid hardswish hardtanh hardshrink softshrink tanhshrink softplus softsign softmin tanh softmax "
        "log_softmax gumbel_softmax threshold",
        LayerRole.POOLING: "max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d lp_pool1d lp_pool2d "
        "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d "
        "adaptive_max_pool3d mean amax amin",
        LayerRole.RESHAPE: "flatten unflatten view view_as reshape reshape_as permute transpose movedim moveaxis "
        "t T mT squeeze unsqueeze expand expand_as repeat tile getitem select narrow chunk split tensor_split unbind "
        "pad pixel_shuffle pixel_unshuffle channel_shuffle roll flip unfold fold",
        LayerRole.IDENTITY: "dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout",
    }.items()
    for name in names.split()
}
_MERGES = frozenset(
    [
        *("add", "sub", "mul", "div", "pow", "lerp", "addcmul", "addcdiv"),
        *("cat", "stack", "hstack", "vstack", "dstack", "setitem", "copy", "where"),
        *("maximum", "minimum", "max", "min"),
        *("matmul", "bmm", "baddbmm", "einsum", "scaled_dot_product_attention"),
    ]
)
PASSED_THROUGH = frozenset(
    [
        *("clone", "detach", "contiguous", "alias", "data", "requires_grad"),
        *("to", "type", "type_as", "float", "double", "half", "bfloat16", "cpu", "cuda"),
    ]
)
"""Operations that give the same values again: they are no layers, and data flows through them."""

_SETTINGS = (
    *("kernel_size", "stride", "padding", "dilation", "groups", "in_channels", "out_channels"),
    *("in_features", "out_features", "num_features", "num_groups", "normalized_shape"),
    *("num_embeddings", "embedding_dim", "embed_dim", "num_heads"),
    *("input_size", "hidden_size", "num_layers", "bidirectional", "batch_first"),
    *("output_size", "scale_factor", "start_dim", "end_dim", "p", "inplace", "negative_slope"),
)


@cache
def _layer_file(kind: type[nn.Module]) -> str:
    """Return the name of the torch.nn file that defines the layer which `kind` is or inherits from, or ""."""
    for parent in kind.__mro__:
        package, _, file = parent.__module__.rpartition(".")
        if package == "torch.nn.modules" and file in _ROLE_OF_FILE:
            return file
    return ""


def is_leaf(module: nn.Module, *, root: bool = False) -> bool:
    """Whether `module` is a layer, not a block of layers.

    A layer of torch.nn (or a subclass of one) is a leaf, also with children: MultiheadAttention, a
    Conv2d that owns its padding. So is every module without children. Containers and the Transformer
    classes are not. The root is a leaf only when it is a layer of torch.nn.
    """
    return bool(_layer_file(type(module))) or (not root and next(module.children(), None) is None)


def module_role(module: nn.Module) -> LayerRole:
    """Return the role of a leaf module; activations of one's own are known by their class name."""
    if isinstance(module, nn.MultiheadAttention):
        return LayerRole.OTHER
    if isinstance(module, nn.Identity) or (isinstance(module, nn.Sequential) and not len(module)):
        return LayerRole.IDENTITY
    file = _layer_file(type(module))
    if file:
        return _ROLE_OF_FILE[file]
    if operation := exported_operation(module):
        return _ROLE_OF_OPERATION.get(operation, LayerRole.OTHER)
    name = type(module).__name__.lower()
    return LayerRole.ACTIVATION if any(word in name for word in _ACTIVATION_WORDS) else LayerRole.OTHER


def exported_operation(module: nn.Module) -> str:
    """Return the one operation ("conv2d") that a layer of a `torch.export` program runs; "" for any other module."""
    if type(module).__module__ != "torch.export.unflatten" or next(module.children(), None) is not None:
        return ""
    calls = [str(node.target) for node in module.graph.nodes if node.op == "call_function"]
    # An operator prints as "aten.conv2d.default".
    return calls[0].split(".")[1] if len(calls) == 1 and calls[0].count(".") == 2 else ""


def operation_role(operation: str, n_sources: int) -> LayerRole:
    """Return the role of a functional operation fed by `n_sources` layers: one alone is not merged with anything."""
    if operation in _MERGES:
        return LayerRole.MERGE if n_sources > 1 else LayerRole.OTHER
    return _ROLE_OF_OPERATION.get(operation, LayerRole.OTHER)


def settings(module: nn.Module) -> dict[str, Any]:
    """Return the settings of a layer (kernel_size, stride, groups ...) as JSON-able values."""
    found = {}
    for name in _SETTINGS:
        value = getattr(module, name, None)
        if isinstance(value, (tuple, list)) and all(isinstance(entry, (int, float, str)) for entry in value):
            found[name] = list(value)
        elif isinstance(value, (bool, int, float, str)):
            found[name] = value
    return found
