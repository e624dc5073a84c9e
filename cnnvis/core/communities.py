"""Groups of channels that behave alike, and how far they can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.checks import frozen_array, frozen_integers, parse_choice, require_number, require_shape


class Alike(StrEnum):
    """What of two channels is compared: their `averages` over images, or their `maps` over images and positions."""

    AVERAGES = "averages"
    MAPS = "maps"


class Weights(StrEnum):
    """How a similarity r becomes the weight of a link, which must not be negative.

    `power`: max(r, 0)^exponent [1]_. `exponential`: exp(exponent r), as ReactCNN has it with 20: unlike channels are
    linked too, if weakly.

    References
    ----------
    .. [1] B. Zhang, S. Horvath, "A general framework for weighted gene co-expression network analysis", Statistical
       Applications in Genetics and Molecular Biology 4 (2005).
    """

    POWER = "power"
    EXPONENTIAL = "exponential"


class Algorithm(StrEnum):
    """`louvain` [1]_; `leiden` [2]_, whose groups are always connected.

    References
    ----------
    .. [1] V. D. Blondel, J.-L. Guillaume, R. Lambiotte, E. Lefebvre, "Fast unfolding of communities in large
       networks", Journal of Statistical Mechanics (2008).
    .. [2] V. A. Traag, L. Waltman, N. J. van Eck, "From Louvain to Leiden: guaranteeing well-connected communities",
       Scientific Reports 9 (2019).
    """

    LOUVAIN = "louvain"
    LEIDEN = "leiden"


DEFAULT_EXPONENTS = {Weights.POWER: 6.0, Weights.EXPONENTIAL: 20.0}


def require_exponent(exponent: float) -> None:
    """Raise InvalidInputError for an exponent of weights that is not above 0 and at most 1000."""
    require_number("exponent", exponent, 0, 1000, above=True)


def require_resolution(resolution: float) -> None:
    """Raise InvalidInputError for a resolution of groups that is not above 0 and at most a million."""
    require_number("resolution", resolution, 0, 1e6, above=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """How channels of a survey are grouped.

    Parameters
    ----------
    alike : {"averages", "maps"}
        Channels are alike where their averages correlate over images, or their maps over images and positions.
    weights : {"power", "exponential"}
        See `Weights`.
    exponent : float, optional
        Default 6, and 20 for "exponential".
    algorithm : {"leiden", "louvain"}
        See `Algorithm`.
    resolution : float
    random_state : int

    Raises
    ------
    InvalidInputError
        For a word or a number that is not allowed.
    """

    alike: Literal["averages", "maps"] = "averages"
    weights: Literal["power", "exponential"] = "power"
    exponent: float | None = None
    algorithm: Literal["leiden", "louvain"] = "leiden"
    resolution: float = 1.0
    random_state: int = 0

    def __post_init__(self) -> None:
        parse_choice(Alike, self.alike, what="alike")
        parse_choice(Weights, self.weights, what="weights")
        parse_choice(Algorithm, self.algorithm, what="algorithm")
        require_exponent(self.power)
        require_resolution(self.resolution)
        require_number("random_state", self.random_state, 0, 2**32 - 1, whole=True)

    @property
    def power(self) -> float:
        """The exponent that is used, where none is given the default of the weights."""
        return DEFAULT_EXPONENTS[Weights(self.weights)] if self.exponent is None else self.exponent


@dataclass(frozen=True, slots=True, eq=False)
class CommunityStability:
    """How groups fare when the images are drawn anew.

    Parameters
    ----------
    labels : (C,) int64
        The groups that were looked at, from 0.
    jaccard : (n_draws, G) float64
        By draw and group: the largest overlap, intersection / union, with a group of that draw.
    """

    labels: NDArray[np.int64]
    jaccard: NDArray[np.float64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", frozen_integers("labels", self.labels))
        object.__setattr__(self, "jaccard", frozen_array(self.jaccard, dtype=np.float64))
        require_shape("jaccard", self.jaccard, (None, int(self.labels.max()) + 1))

    @property
    def mean(self) -> NDArray[np.float64]:
        """(G,) mean overlap: above .75 a group is stable, below .6 it should not be trusted (Hennig 2007)."""
        means: NDArray[np.float64] = self.jaccard.mean(axis=0)
        return means


@dataclass(frozen=True, slots=True, eq=False)
class GroupCounts:
    """How many groups there are for one rule of weights after another, beside what chance gives.

    Parameters
    ----------
    exponents : (E,) float64
    found : (E,) int64
        Groups of two channels and more.
    modularity : (E,) float64
        Share of weight within groups, less what is expected at random; 0 to 1.
    null_found, null_modularity : (n_draws, E)
        The same where the averages of each channel were shuffled over the images.
    """

    exponents: NDArray[np.float64]
    found: NDArray[np.int64]
    modularity: NDArray[np.float64]
    null_found: NDArray[np.int64]
    null_modularity: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in ("exponents", "modularity", "null_modularity"):
            object.__setattr__(self, name, frozen_array(getattr(self, name), dtype=np.float64))
        for name in ("found", "null_found"):
            object.__setattr__(self, name, frozen_integers(name, getattr(self, name)))
        n_draws, n = self.null_found.shape[0], self.exponents.size
        for name in ("found", "modularity"):
            require_shape(name, getattr(self, name), (n,))
        for name in ("null_found", "null_modularity"):
            require_shape(name, getattr(self, name), (n_draws, n))
