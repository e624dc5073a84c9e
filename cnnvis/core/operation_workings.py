"""The numbers by which one value of a layer came about, one type for each kind of rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Products:
    """A window's values times a kernel, and the bias.

    Parameters
    ----------
    patch : (C, *window) float64
        What the kernel meets; NaN where it meets padding, which counts as 0.
    kernel : (C, *window) float64
    bias : float
    channels : (C,) int64
        Which channels of the source these are.
    taps : tuple of (window,) int64
        For each axis, where in the source the patch lies; -1 outside.
    """

    patch: NDArray[np.float64]
    kernel: NDArray[np.float64]
    bias: float
    channels: NDArray[np.int64]
    taps: tuple[NDArray[np.int64], ...]

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Which entries of the window lie in the source, (*window)."""
        found = np.ones(self.patch.shape[1:], bool)
        for axis, tap in enumerate(self.taps):
            found &= (tap >= 0).reshape([-1 if place == axis else 1 for place in range(found.ndim)])
        return found

    @property
    def products(self) -> NDArray[np.float64]:
        """Each value times its weight, (C, *window); 0 for padding."""
        return np.where(self.inside, self.patch * self.kernel, 0.0)

    @property
    def sums(self) -> NDArray[np.float64]:
        """The sum of the products of each channel, (C,)."""
        return np.asarray(self.products.reshape(len(self.patch), -1).sum(axis=1))

    @property
    def result(self) -> float:
        """The sum of all of them and the bias."""
        return float(self.sums.sum() + self.bias)

    def strongest(self, n: int) -> NDArray[np.int64]:
        """Return the places, in `channels`, of the channels that add or take the most, strongest first."""
        order: NDArray[np.int64] = np.argsort(-np.abs(self.sums), kind="stable")[:n]
        return order


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """A window of a pooling.

    Parameters
    ----------
    rule : {"max", "mean"}
    window : (*window) float64
        NaN outside.
    taps : tuple of (window,) int64
    divisor : int
        Of the mean.
    """

    rule: Literal["max", "mean"]
    window: NDArray[np.float64]
    taps: tuple[NDArray[np.int64], ...]
    divisor: int

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Which entries of the window lie in the source."""
        found = np.ones(self.window.shape, bool)
        for axis, tap in enumerate(self.taps):
            found &= (tap >= 0).reshape([-1 if place == axis else 1 for place in range(found.ndim)])
        return found

    @property
    def winner(self) -> tuple[int, ...]:
        """Place of the largest value in the window, the first of equal ones."""
        ranked = np.where(self.inside, self.window, -np.inf)
        return tuple(int(index) for index in np.unravel_index(int(np.argmax(ranked)), ranked.shape))

    @property
    def result(self) -> float:
        """The largest value, or the mean."""
        if self.rule == "max":
            return float(self.window[self.winner])
        return float(self.window[self.inside].sum() / self.divisor)


@dataclass(frozen=True, slots=True, eq=False)
class Exponentials:
    """A softmax.

    Parameters
    ----------
    scores : (K,) float64
    channel : int
    is_log : bool
    """

    scores: NDArray[np.float64]
    channel: int
    is_log: bool = False

    @property
    def exponentials(self) -> NDArray[np.float64]:
        """exp(score - largest score), (K,): as shares of their sum they are what exp(score) would give."""
        return np.asarray(np.exp(self.scores - self.scores.max()))

    @property
    def shares(self) -> NDArray[np.float64]:
        """The probabilities, (K,)."""
        return np.asarray(self.exponentials / self.exponentials.sum())

    @property
    def result(self) -> float:
        """The probability of the channel, or its logarithm."""
        share = float(self.shares[self.channel])
        return float(np.log(share)) if self.is_log else share


@dataclass(frozen=True, slots=True)
class PointMap:
    """A function of one value: what came in, and what came out."""

    before: float
    after: float

    @property
    def result(self) -> float:
        """What came out."""
        return self.after


@dataclass(frozen=True, slots=True)
class Normalised:
    """(before - mean) / deviation * scale + shift."""

    before: float
    mean: float
    deviation: float
    scale: float
    shift: float

    @property
    def result(self) -> float:
        """What comes out."""
        return (self.before - self.mean) / self.deviation * self.scale + self.shift


@dataclass(frozen=True, slots=True)
class Merged:
    """Values of several layers, one after the other.

    Parameters
    ----------
    sign : {"+", "-", "x"}
    terms : tuple of float
    """

    sign: Literal["+", "-", "x"]
    terms: tuple[float, ...]

    @property
    def result(self) -> float:
        """Their sum, difference or product."""
        first, *rest = self.terms
        for term in rest:
            first = {"+": first + term, "-": first - term, "x": first * term}[self.sign]
        return first


Working = Products | Chosen | Exponentials | PointMap | Normalised | Merged
