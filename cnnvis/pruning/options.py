"""Options of pruning, checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.core import MergeRule, MergeRuleName
from cnnvis.core.checks import parse_choice, require_number
from cnnvis.core.curves import Kind, Scope
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.links import LinkKindName


@dataclass(frozen=True, slots=True, eq=False)
class CurveOptions:
    """Options of `prune_curve`.

    Parameters
    ----------
    kind : {"units", "links"}
        Units are the channels of each channel space: switched off in every value in which they are read. Links are
        the weights of dense layers and the kernels of convolutions: set to zero, biases stay.
    scope : {"global", "layer"}
        One ranking over all layers, each scaled by its own maximum; or the same share of each layer.
    shares : (P,) array_like, default 0, 0.05 ... 1
        Share removed at each point, rising within [0, 1].
    layers : str or iterable of str, optional
        Names or globs of layers whose units or links are removed. Default: all.
    include_inputs, include_outputs : bool
        Whether input units (channels or pixels) and the classes are among the units removed. Links are all counted.
    reverse : bool
        Most important first: the control that an order must beat.
    link_kind : {"start", "interpolate", "both", "end"}
        How links inherit importance; see `cnnvis.attribution.link_importance`.
    random_state : int
        Seed of the shuffle of ties, and of the order "random".
    """

    kind: Kind = "units"
    scope: Scope = "global"
    shares: NDArray[np.float64] = field(default_factory=lambda: np.linspace(0, 1, 21))
    layers: str | Iterable[str] | None = None
    include_inputs: bool = False
    include_outputs: bool = False
    reverse: bool = False
    link_kind: LinkKindName = "start"
    random_state: int = 0

    def __post_init__(self) -> None:
        _require_choice("kind", self.kind, get_args(Kind))
        _require_choice("scope", self.scope, get_args(Scope))
        if self.kind == "links" and (self.include_inputs or self.include_outputs):
            raise InvalidInputError("Inputs and outputs are units: include them where units are removed, not links.")
        object.__setattr__(self, "shares", _checked_shares(self.shares))
        object.__setattr__(self, "layers", _names(self.layers))


@dataclass(frozen=True, slots=True)
class PruneOptions:
    """Options of `prune`.

    Parameters
    ----------
    keep : float in (0, 1], default 0.5
        Share that stays of the channels that can be removed; 1 gives an identical network.
    scope : {"global", "layer"}
        Over all layers, each scaled by its own maximum; or of each layer.
    layers : str or iterable of str, optional
        Names or globs of the layers to prune; others stay whole. Default: every hidden layer.
    min_channels : int, default 1
        Fewest that stay in each layer.
    random_state : int
        Seed of the shuffle of ties.
    """

    keep: float = 0.5
    scope: Scope = "global"
    layers: str | Iterable[str] | None = None
    min_channels: int = 1
    random_state: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.keep <= 1:
            raise InvalidInputError(f"keep is the share of channels that stay, above 0 and up to 1; got {self.keep}.")
        if self.min_channels < 1:
            raise InvalidInputError(
                f"At least 1 channel of each layer must stay; got min_channels {self.min_channels}."
            )
        _require_choice("scope", self.scope, get_args(Scope))
        object.__setattr__(self, "layers", _names(self.layers))


@dataclass(frozen=True, slots=True)
class RedundancyOptions:
    """Options of `find_redundant`.

    Parameters
    ----------
    correlation_above : float, default 0.9
        Correlation of averages above which a pair is proposed.
    explained : float, default 0.5
        Share of a channel's variance over all positions that the other one of the pair must explain.
    layers : str or iterable of str, optional
        Names or globs of the layers to look at. Default: every hidden layer that something is given for.
    """

    correlation_above: float = 0.9
    explained: float = 0.5
    layers: str | Iterable[str] | None = None

    def __post_init__(self) -> None:
        require_number("correlation_above", self.correlation_above, -1, 1)
        require_number("explained", self.explained, 0, 1)
        object.__setattr__(self, "layers", _names(self.layers))


@dataclass(frozen=True, slots=True)
class MergeOptions:
    """Options of `merge_channels`.

    Parameters
    ----------
    max_drop : float or None, default 0.01
        Accuracy that may be lost on the images that choose the rules, in [0, 1]: merging ends before the step that
        loses more. None to merge all that is verified.
    max_share : float, default 1
        Most of the hidden channels to merge.
    n_steps : int, default 12
        Steps in which they are merged, at least 1: of each, all merges follow one rule, the one with the least loss.
    rules : sequence of {"affine", "sum", "zero", "joint"}
        Rules to choose from, see `MergeRule`; default all of them.
    """

    max_drop: float | None = 0.01
    max_share: float = 1.0
    n_steps: int = 12
    rules: Sequence[MergeRuleName] = ("affine", "sum", "zero", "joint")

    def __post_init__(self) -> None:
        if self.max_drop is not None:
            require_number("max_drop", self.max_drop, 0, 1)
        require_number("max_share", self.max_share, 0, 1, above=True)
        require_number("n_steps", self.n_steps, 1, 10_000, whole=True)
        rules = (self.rules,) if isinstance(self.rules, str) else self.rules
        object.__setattr__(self, "rules", tuple(parse_choice(MergeRule, rule, what="rule") for rule in rules))
        if not self.rules:
            raise InvalidInputError(f"Give at least one rule of {', '.join(MergeRule)}.")


def _require_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InvalidInputError(f"{name} must be {' or '.join(choices)}, got {value!r}.")


def _names(layers: str | Iterable[str] | None) -> tuple[str, ...] | None:
    return layers if layers is None else (layers,) if isinstance(layers, str) else tuple(layers)


def _checked_shares(shares: ArrayLike) -> NDArray[np.float64]:
    found = np.asarray(shares, dtype=np.float64)
    if found.ndim != 1 or not found.size or not np.all((found >= 0) & (found <= 1)) or np.any(np.diff(found) < 0):
        raise InvalidInputError(f"shares must be numbers that rise within 0 to 1, at least one; got {shares!r}.")
    return found
