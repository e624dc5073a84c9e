"""What a pruning curve is made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.attribution.links import LinkKindName
from cnnvis.core.curves import Kind, Scope
from cnnvis.core.errors import InvalidInputError


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
        Whether input units (channels or pixels) and the classes are among the units removed.
    reverse : bool
        Most important first: the control that an order must beat.
    link_kind : {"start", "interpolate", "both", "end"}
        How links inherit importance; see `cnnvis.attribution.link_importance`.
    random_state : int
        Seed of the shuffle of ties, and of the order "random".
    """

    kind: Kind = "units"
    scope: Scope = "global"
    shares: ArrayLike = field(default_factory=lambda: np.linspace(0, 1, 21))
    layers: str | Iterable[str] | None = None
    include_inputs: bool = False
    include_outputs: bool = False
    reverse: bool = False
    link_kind: LinkKindName = "start"
    random_state: int = 0

    def __post_init__(self) -> None:
        for name, choices in (("kind", get_args(Kind)), ("scope", get_args(Scope))):
            if getattr(self, name) not in choices:
                raise InvalidInputError(f"{name} must be {' or '.join(choices)}, got {getattr(self, name)!r}.")
        object.__setattr__(self, "shares", _checked(self.shares))
        if self.layers is not None:
            layers = (self.layers,) if isinstance(self.layers, str) else tuple(self.layers)
            object.__setattr__(self, "layers", layers)


def _checked(shares: ArrayLike) -> NDArray[np.float64]:
    found = np.asarray(shares, dtype=np.float64)
    if found.ndim != 1 or not found.size or not np.all((found >= 0) & (found <= 1)) or np.any(np.diff(found) < 0):
        raise InvalidInputError(f"shares must be numbers that rise within 0 to 1, at least one; got {shares!r}.")
    return found
