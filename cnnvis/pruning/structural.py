"""A physically smaller network: unimportant channels are gone, not only zero."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from cnnvis.attribution import space_scores
from cnnvis.capture import channel_spaces, switch_off, trace
from cnnvis.capture.inputs import ForwardCall, as_example, as_module
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.nested import tensors_in
from cnnvis.capture.state import evaluating
from cnnvis.core import ChannelSpace, Importance
from cnnvis.core.checks import frozen_integers, frozen_mapping
from cnnvis.core.errors import InvalidInputError
from cnnvis.models import Network
from cnnvis.models._reason import first_sentence
from cnnvis.pruning.options import PruneOptions
from cnnvis.pruning.removal import obstacles, remove_channels
from cnnvis.pruning.selection import select
from cnnvis.pruning.switches import chosen_spaces

TOLERANCE = 1e-5
"""Largest difference between outputs of the smaller and the masked network, per unit of the largest output."""


@dataclass(frozen=True, slots=True, eq=False)
class Pruned:
    """A smaller network, and how it differs from the one it was cut from.

    Parameters
    ----------
    network : Network
        With layers of its own.
    removed : mapping of str to (R,) ndarray of int64
        Channels that are gone, by name of their channel space (its first layer), numbered as in the original.
    left_whole : mapping of str to str
        Hidden spaces that no channel could be removed from, and why.
    n_parameters : (int, int)
        Before and after.
    multiply_adds : (int, int)
        Of one forward pass on the example (one image), before and after: those of convolutions, dense layers and
        matrix products.
    largest_difference : float
        Between the outputs of the smaller network and those of the original with the same channels switched off, as
        found when it was made.
    original : str
        Name of the network that it was cut from.
    options : mapping
        Method, keep, scope ...
    """

    network: Network
    removed: Mapping[str, NDArray[np.int64]]
    left_whole: Mapping[str, str]
    n_parameters: tuple[int, int]
    multiply_adds: tuple[int, int]
    largest_difference: float
    original: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        removed = {name: frozen_integers(f"removed of {name!r}", array) for name, array in self.removed.items()}
        object.__setattr__(self, "removed", frozen_mapping(removed))
        object.__setattr__(self, "left_whole", frozen_mapping(self.left_whole))
        object.__setattr__(self, "options", frozen_mapping(self.options))


def prune(
    model: Any, importance: Importance | Mapping[str, NDArray[Any]], *, example: Any = None, **options: Any
) -> Pruned:
    """Return a copy of `model` without its least important hidden channels.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
        Left as it was.
    importance : Importance, or mapping of layer to (C,) array
        Made into scores of channel spaces by `cnnvis.attribution.space_scores`.
    example : tensor, tuple or dict, optional
        Input of one forward pass; a Network brings its own.
    **options
        Of `PruneOptions`: keep (the share that stays, default 0.5), scope, layers, min_channels, random_state.

    Returns
    -------
    Pruned
        Its outputs on the example equal those of the original with the same channels switched off
        (`cnnvis.capture.switch_off`): this is checked before it is returned.

    Raises
    ------
    InvalidInputError
        When an option is out of range, no layer has importance, the importance is that of another network, or
        the network's code depends on the number of channels that are gone.
    LayerNotFoundError
        For a name or glob that fits no layer.

    Notes
    -----
    Layers without importance, and those whose channels cannot be removed (see `ChannelSpace.obstacle`), are left whole
    and named in the result. Norms keep their statistics; nothing is trained. Cost: a copy of the network and a
    few forward passes.
    """
    chosen = PruneOptions(**options)
    module, call = as_module(model), as_example(model, example, "prune")
    inputs: Any = call.kwargs or call.args
    graph, spaces = trace(module, inputs), channel_spaces(module, inputs)
    scores = space_scores(spaces, importance)
    left_whole = _left_whole(chosen_spaces(spaces, layers=chosen.layers), scores, obstacles(module, graph, spaces))
    removable = [space for space in chosen_spaces(spaces, layers=chosen.layers) if space.name not in left_whole]
    if not removable:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in left_whole.items())
        raise InvalidInputError(f"No channels can be removed from {type(module).__name__}. {reasons}.")
    removed = select(removable, scores, chosen)
    smaller = copy.deepcopy(module)
    remove_channels(smaller, graph, spaces, removed)
    masked = {name: channels for name, channels in removed.items() if channels.size}
    with switch_off(module, masked, spaces=spaces):
        expected = _outputs(module, call)
    difference = _checked_difference(expected, smaller, call)
    method = importance.method if isinstance(importance, Importance) else "scores"
    return Pruned(
        network=_as_network(model, smaller, call),
        removed=removed,
        left_whole=left_whole,
        n_parameters=(_n_parameters(module), _n_parameters(smaller)),
        multiply_adds=(_multiply_adds(module, call), _multiply_adds(smaller, call)),
        largest_difference=difference,
        original=getattr(model, "name", type(module).__name__),
        options={"method": method, **dataclasses.asdict(chosen)},
    )


def _left_whole(
    spaces: Sequence[ChannelSpace], scores: Mapping[str, NDArray[np.float64]], why_not: Mapping[str, str]
) -> dict[str, str]:
    """Return the spaces that nothing can be removed from, and why."""
    reasons = {
        space.name: why_not.get(space.name, "" if space.name in scores else "it has no importance") for space in spaces
    }
    return {name: reason for name, reason in reasons.items() if reason}


def _outputs(module: nn.Module, call: ForwardCall) -> list[Tensor]:
    with evaluating(ModuleTree(module)):
        return [tensor for _, tensor in tensors_in(module(*call.args, **call.kwargs))]


def _checked_difference(expected: list[Tensor], smaller: nn.Module, call: ForwardCall) -> float:
    """Return the largest difference between the outputs of both networks; raise where it is more than rounding."""
    try:
        found = _outputs(smaller, call)
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
    difference = max((float((one - two).abs().max()) for one, two in pairs), default=0.0)
    scale = max((float(one.abs().max()) for one, _ in pairs), default=1.0)
    if not difference <= _tolerance(found) * max(1.0, scale):
        raise InvalidInputError(
            f"The smaller {type(smaller).__name__} does not compute what the original does with the same channels "
            f"switched off: outputs differ by {difference:.2g}. Its channels are used in a way that was not followed; "
            "leave layers out by naming those to prune, and please report the network."
        )
    return difference


def _tolerance(tensors: list[Tensor]) -> float:
    """Return what rounding may do, per unit of the largest output."""
    eps = max((torch.finfo(tensor.dtype).eps for tensor in tensors if tensor.is_floating_point()), default=0.0)
    return max(TOLERANCE, 16 * eps)


def _as_network(model: Any, smaller: nn.Module, call: ForwardCall) -> Network:
    """Return the smaller module with all that is known of the original."""
    if isinstance(model, Network):
        return replace(model, module=smaller.eval(), name=f"{model.name} pruned")
    if call.kwargs or not all(isinstance(value, Tensor) for value in call.args):
        raise InvalidInputError(
            f"{type(smaller).__name__} takes inputs other than tensors by position; a pruned network needs those."
        )
    return Network(smaller.eval(), name=f"{type(smaller).__name__} pruned", example=call.args)


def _n_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _multiply_adds(module: nn.Module, call: ForwardCall) -> int:
    """Return those of one image."""
    with FlopCounterMode(display=False) as counter:
        _outputs(module, call)
    return int(counter.get_total_flops()) // 2 // call.n_images
