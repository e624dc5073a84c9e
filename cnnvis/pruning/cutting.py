"""Make a network physically smaller, and prove that it computes what it did."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from cnnvis.capture import channel_spaces, trace
from cnnvis.capture.inputs import ForwardCall, as_example, as_module
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.nested import tensors_in
from cnnvis.capture.state import evaluating
from cnnvis.core import ChannelSpaces, ModelGraph
from cnnvis.core.errors import InvalidInputError
from cnnvis.models import Network
from cnnvis.models._reason import first_sentence
from cnnvis.pruning.removal import Removed, remove_channels

TOLERANCE = 1e-5
"""Largest difference between outputs of the smaller and the whole network, per unit of the largest output."""


class Followed(NamedTuple):
    """A network, an input of it, and what one run showed."""

    module: nn.Module
    call: ForwardCall
    graph: ModelGraph
    spaces: ChannelSpaces


def follow(model: Any, example: Any, what: str) -> Followed:
    """Return what one run of `model` shows; a message says that `what` needs an example where there is none."""
    module, call = as_module(model), as_example(model, example, what)
    inputs: Any = call.kwargs or call.args
    return Followed(module, call, trace(module, inputs), channel_spaces(module, inputs))


def without(module: nn.Module, followed: Followed, removed: Removed) -> nn.Module:
    """Return a copy of `module`, which has the structure of the one followed, without some of its channels."""
    smaller = copy.deepcopy(module)
    remove_channels(smaller, followed.graph, followed.spaces, removed)
    return smaller


def outputs(module: nn.Module, call: ForwardCall) -> list[Tensor]:
    """Return all tensors that the network gives in eval mode."""
    with evaluating(ModuleTree(module)):
        return [tensor for _, tensor in tensors_in(module(*call.args, **call.kwargs))]


def checked_difference(expected: list[Tensor], smaller: nn.Module, call: ForwardCall) -> float:
    """Return the largest difference between the outputs of both networks.

    Raises
    ------
    InvalidInputError
        Where it is more than rounding, or the smaller network does not run.
    """
    try:
        found = outputs(smaller, call)
    except (RuntimeError, ValueError, TypeError) as error:  # sizes that forward() has written down
        raise InvalidInputError(
            f"The smaller {type(smaller).__name__} does not run: its code depends on numbers of channels that have "
            f"changed ({first_sentence(error)}). Leave out the layer concerned by naming those to prune."
        ) from error
    shapes = [[tuple(tensor.shape) for tensor in tensors] for tensors in (expected, found)]
    if shapes[0] != shapes[1]:
        raise InvalidInputError(
            f"The smaller {type(smaller).__name__} gives outputs {shapes[1]} instead of {shapes[0]}."
        )
    pairs = [(one.double(), two.double()) for one, two in zip(expected, found, strict=True) if one.is_floating_point()]
    difference = max((_largest_difference(one, two) for one, two in pairs), default=0.0)
    scale = max((float(torch.where(one.isfinite(), one, 0).abs().max()) for one, _ in pairs), default=1.0)
    if not difference <= _tolerance(found) * max(1.0, scale):
        raise InvalidInputError(
            f"The smaller {type(smaller).__name__} does not compute what the original does with the same channels "
            f"switched off or merged: outputs differ by {difference:.2g}. Its channels are used in a way that was not "
            "followed; leave layers out by naming those to prune, and please report the network."
        )
    return difference


def _largest_difference(one: Tensor, two: Tensor) -> float:
    """Return the largest difference of two tensors; infinity where one is NaN or infinite and the other is not so."""
    same = (one == two) | (one.isnan() & two.isnan())
    both = one.isfinite() & two.isfinite()
    if not bool((same | both).all()):
        return float("inf")
    return float(torch.where(both, one - two, 0).abs().max()) if one.numel() else 0.0


def as_network(model: Any, smaller: nn.Module, call: ForwardCall, how: str) -> Network:
    """Return the smaller module with all that is known of the original; its name says `how` it was made."""
    if isinstance(model, Network):
        return replace(model, module=smaller.eval(), name=f"{model.name} {how}")
    if call.kwargs or not all(isinstance(value, Tensor) for value in call.args):
        raise InvalidInputError(
            f"{type(smaller).__name__} takes inputs other than tensors by position; a {how} network needs those."
        )
    return Network(smaller.eval(), name=f"{type(smaller).__name__} {how}", example=call.args)


def n_parameters(module: nn.Module) -> int:
    """Return the number of parameters, shared ones counted once."""
    return sum(parameter.numel() for parameter in module.parameters())


def multiply_adds(module: nn.Module, call: ForwardCall) -> int:
    """Return those of one image: of convolutions, dense layers and matrix products."""
    with FlopCounterMode(display=False) as counter:
        outputs(module, call)
    return int(counter.get_total_flops()) // 2 // call.n_images


def _tolerance(tensors: list[Tensor]) -> float:
    """Return what rounding may do, per unit of the largest output."""
    eps = max((torch.finfo(tensor.dtype).eps for tensor in tensors if tensor.is_floating_point()), default=0.0)
    return max(TOLERANCE, 16 * eps)
