"""Who goes first: scores become an order of removal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.checks import require_finite
from cnnvis.core.curves import Scope


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """When each unit or link is removed.

    Parameters
    ----------
    positions : mapping of str to ndarray of int
        By group (a channel space, or a layer of links), in the shape of its scores: 0 goes first. With scope "global"
        they count through all groups, with "layer" through each of them.
    totals : mapping of str to int
        By group: how many its positions count through.
    """

    positions: Mapping[str, NDArray[np.int64]]
    totals: Mapping[str, int]

    @property
    def size(self) -> int:
        """Number of units or links in all groups."""
        return sum(places.size for places in self.positions.values())

    def removed(self, share: float) -> dict[str, NDArray[np.bool_]]:
        """Return what is gone at this share, by group: the nearest whole number, halves up."""
        return {
            name: places < int(np.floor(share * self.totals[name] + 0.5)) for name, places in self.positions.items()
        }


def rank(
    scores: Mapping[str, NDArray[Any]], *, scope: Scope = "global", reverse: bool = False, random_state: int = 0
) -> Ranking:
    """Return the order of removal: lowest score first, equal ones in an order shuffled by the seed.

    Equal scores throughout give a random order.

    Parameters
    ----------
    scores : mapping of str to ndarray
        By group; finite. Comparable between groups where the scope is "global".
    scope : {"global", "layer"}
    reverse : bool
        Highest score first.
    random_state : int

    Raises
    ------
    InvalidInputError
        When a score is NaN or infinite.
    """
    for name, values in scores.items():
        require_finite(f"the scores of {name!r}", values)
    flat = {name: np.asarray(values, dtype=np.float64).reshape(-1) for name, values in scores.items()}
    generator = np.random.default_rng(random_state)
    if scope == "layer":
        places = {name: _places(values, reverse, generator) for name, values in flat.items()}
        totals = {name: values.size for name, values in flat.items()}
    else:
        together = _places(np.concatenate(list(flat.values())), reverse, generator)
        ends = np.cumsum([values.size for values in flat.values()])[:-1]
        places = dict(zip(flat, np.split(together, ends), strict=True))
        totals = dict.fromkeys(flat, together.size)
    return Ranking({name: places[name].reshape(np.shape(scores[name])) for name in scores}, totals)


def _places(values: NDArray[np.float64], reverse: bool, generator: np.random.Generator) -> NDArray[np.int64]:
    order = np.lexsort((generator.permutation(values.size), -values if reverse else values))
    places = np.empty(values.size, dtype=np.int64)
    places[order] = np.arange(values.size)
    return places
