"""What every ordering method gets and gives, and the rules that settle ambiguities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cnnvis.analysis.moments import Normalize, NormalizeName
from cnnvis.core.checks import parse_choice
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.progress import Progress, silent

TIE = 1e-6
"""Relative size below which a tendency counts as none."""


@dataclass(frozen=True, slots=True, eq=False)
class OrderOptions:
    """Options of ordering methods; the public description is in `cnnvis.order`."""

    n_groups: int | None = None
    random_state: int = 0
    normalize: NormalizeName = "none"
    row: int | None = None
    n_init: int | None = None
    importance: NDArray[np.float64] | None = None
    progress: Progress = silent

    def __post_init__(self) -> None:
        parse_choice(Normalize, self.normalize, what="normalize")
        for name in ("n_groups", "n_init"):
            number = getattr(self, name)
            if number is not None and number < 1:
                raise InvalidInputError(f"{name} must be at least 1, got {number}.")


@dataclass(frozen=True, slots=True, eq=False)
class Arrangement:
    """The result of one method on n live channels, numbered 0 to n - 1.

    Parameters
    ----------
    permutation : (n,) ndarray of int
    groups : (n,) ndarray of int, or None
        Group of each channel, numbered by size.
    scores : (n,) ndarray of float, or None
        What the channels were sorted by.
    options : mapping of str to int
        Options of this method alone, with their defaults filled in.
    """

    permutation: NDArray[np.int64]
    groups: NDArray[np.int64] | None = None
    scores: NDArray[np.float64] | None = None
    options: Mapping[str, int] = field(default_factory=dict)


def direction(along: NDArray[np.float64], brightness: NDArray[np.float64]) -> int:
    """Return +1, or -1 when an order that may be read both ways has to be turned round.

    Rule: an order runs from dark to bright, that is, `along` (the score or position of each
    channel) correlates positively with the mean activation. The sum over all channels makes the
    rule robust to small changes of any one. Where brightness says nothing (all channels equally
    bright, or no correlation), the end with the lower channel number comes first.
    """
    bright = brightness - brightness.mean()
    away = along - along.mean()
    size = float(np.linalg.norm(bright)) * float(np.linalg.norm(away))
    tendency = float(bright @ away)
    tells = np.abs(bright).max() > TIE * np.abs(brightness).max() and abs(tendency) > TIE * size
    if tells:
        return 1 if tendency > 0 else -1
    return 1 if np.argmin(along) <= np.argmax(along) else -1


def number_by_size(labels: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the same groups numbered by size, 0 the largest; ties: the group of the lowest channel first."""
    _, first, member, counts = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(counts.size, dtype=np.int64)
    rank[np.lexsort((first, -counts))] = np.arange(counts.size)
    return rank[member]


def squared_distances(inner: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (n, n) squared Euclidean distances that belong to inner products."""
    squares = np.diag(inner)
    squared = squares[:, np.newaxis] + squares - 2.0 * inner
    np.maximum(squared, 0.0, out=squared)
    np.fill_diagonal(squared, 0.0)
    return squared


def centred(inner: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the inner products about the mean of all channels (double centring)."""
    means = inner.mean(axis=0)
    result: NDArray[np.float64] = inner - means
    result -= (means - means.mean())[:, np.newaxis]
    return result
