"""A physically smaller network: unimportant channels are gone, not only zero."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.attribution import space_scores
from cnnvis.capture import switch_off
from cnnvis.core import ChannelSpace, Importance
from cnnvis.core.checks import frozen_integers, frozen_mapping
from cnnvis.core.errors import InvalidInputError
from cnnvis.models import Network
from cnnvis.pruning.cutting import (
    as_network,
    checked_difference,
    follow,
    multiply_adds,
    n_parameters,
    outputs,
    without,
)
from cnnvis.pruning.options import PruneOptions
from cnnvis.pruning.removal import obstacles
from cnnvis.pruning.selection import select
from cnnvis.pruning.switches import chosen_spaces


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
    followed = follow(model, example, "prune")
    module, call, graph, spaces = followed
    scores = space_scores(spaces, importance)
    left_whole = _left_whole(chosen_spaces(spaces, layers=chosen.layers), scores, obstacles(module, graph, spaces))
    removable = [space for space in chosen_spaces(spaces, layers=chosen.layers) if space.name not in left_whole]
    if not removable:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in left_whole.items())
        raise InvalidInputError(f"No channels can be removed from {type(module).__name__}. {reasons}.")
    removed = select(removable, scores, chosen)
    smaller = without(module, followed, removed)
    masked = {name: channels for name, channels in removed.items() if channels.size}
    with switch_off(module, masked, spaces=spaces):
        expected = outputs(module, call)
    difference = checked_difference(expected, smaller, call)
    method = importance.method if isinstance(importance, Importance) else "scores"
    return Pruned(
        network=as_network(model, smaller, call, "pruned"),
        removed=removed,
        left_whole=left_whole,
        n_parameters=(n_parameters(module), n_parameters(smaller)),
        multiply_adds=(multiply_adds(module, call), multiply_adds(smaller, call)),
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
