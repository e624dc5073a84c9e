"""Accuracy of a network against the share of it that is switched off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.core.checks import frozen_array, frozen_mapping, require_shape
from cnnvis.core.errors import InvalidInputError

Kind = Literal["units", "links"]
Scope = Literal["global", "layer"]


@dataclass(frozen=True, slots=True, eq=False)
class PruneCurve:
    """What is left of a network while more and more of it is switched off, least important first.

    Parameters
    ----------
    shares : (P,) ndarray of float64
        Share removed, rising within [0, 1].
    accuracy : (P,) ndarray of float64
        Share of the images whose likeliest class is right.
    loss : (P,) ndarray of float64
        Mean cross-entropy; infinite or NaN where the network gives no finite numbers.
    class_accuracy : (P, K) ndarray of float64
        Balanced accuracy of each class against the rest: mean of the share of its images found and of the other
        images told apart from it; NaN for a class without images.
    order : str
        What decided which goes first: a method, "random", "weight", "gradient reversed" ...
    kind : {"units", "links"}
    scope : {"global", "layer"}
        One ranking over all layers, or the same share of each.
    n_total : int
        How many units or links there are to remove.
    options : mapping
        Seed, layers, data: whatever the curve depends on.
    """

    shares: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    loss: NDArray[np.float64]
    class_accuracy: NDArray[np.float64]
    order: str
    kind: Kind = "units"
    scope: Scope = "global"
    n_total: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shares = _checked_shares(self.shares, "a PruneCurve")
        object.__setattr__(self, "shares", shares)
        for name, shape in (("accuracy", (None,)), ("loss", (None,)), ("class_accuracy", (None, None))):
            array = frozen_array(getattr(self, name), dtype=np.float64)
            require_shape(name, array, (shares.size, *shape[1:]))
            object.__setattr__(self, name, array)
        object.__setattr__(self, "options", frozen_mapping(self.options))

    @property
    def area(self) -> float:
        """Area under the accuracy over shares 0 to 1 by the trapezoid rule; the ends are held where shares stop short.

        Between 0 and 1; larger is better for an order that removes the least important first.
        """
        x = np.concatenate([[0.0], self.shares, [1.0]])
        y = np.concatenate([self.accuracy[:1], self.accuracy, self.accuracy[-1:]])
        return float(np.trapezoid(y, x))

    def removable(self, points: float = 0.01) -> float:
        """Return the largest share up to which accuracy stays within `points` of that of the whole network.

        Linear between the shares measured, the first of which must be 0.

        Raises
        ------
        InvalidInputError
            When the curve does not begin with the whole network.
        """
        if self.shares[0] > 0:
            raise InvalidInputError(
                f"The curve begins at share {self.shares[0]:g}, without the whole network to compare with; begin at 0."
            )
        low = self.accuracy < self.accuracy[0] - points - 1e-12
        if not low.any():
            return float(self.shares[-1])
        after = int(np.argmax(low))
        before = after - 1
        drop = self.accuracy[before] - self.accuracy[after]
        part = (self.accuracy[before] - (self.accuracy[0] - points)) / drop
        return float(self.shares[before] + part * (self.shares[after] - self.shares[before]))


@dataclass(frozen=True, slots=True, eq=False)
class ClassCurves:
    """Balanced accuracy of each class, pruned by what matters to that class, beside pruned by what matters to all.

    Parameters
    ----------
    shares : (P,) ndarray of float64
        Share removed, rising within [0, 1].
    by_class : (P, K) ndarray of float64
        Column k: balanced accuracy of class k while the network is pruned by the importance for class k.
    by_mean : (P, K) ndarray of float64
        The same measure while it is pruned by the mean importance over all classes.
    order : str
        Method of the importance.
    class_names : tuple of str, or None
    kind : {"units", "links"}
    scope : {"global", "layer"}
    """

    shares: NDArray[np.float64]
    by_class: NDArray[np.float64]
    by_mean: NDArray[np.float64]
    order: str
    class_names: tuple[str, ...] | None = None
    kind: Kind = "units"
    scope: Scope = "global"

    def __post_init__(self) -> None:
        shares = _checked_shares(self.shares, "ClassCurves")
        object.__setattr__(self, "shares", shares)
        n_classes = None if self.class_names is None else len(self.class_names)
        for name in ("by_class", "by_mean"):
            array = frozen_array(getattr(self, name), dtype=np.float64)
            require_shape(name, array, (shares.size, n_classes))
            object.__setattr__(self, name, array)
        if self.class_names is not None:
            object.__setattr__(self, "class_names", tuple(self.class_names))

    @property
    def difference(self) -> NDArray[np.float64]:
        """`by_class` - `by_mean`, (P, K): above 0 where the class's own importance keeps it better."""
        return self.by_class - self.by_mean


@dataclass(frozen=True, slots=True, eq=False)
class CurveComparison:
    """How much one order, or one kind of network, differs from another over training seeds, paired by seed.

    Parameters
    ----------
    differences : (S,) ndarray of float64
        One per training seed: first minus second.
    interval : (float, float)
        Of the mean difference, by Student's t over the seeds; NaN for a single seed.
    measure : str
        What was compared: "area" or "removable" of curves, or something else in words.
    level : float
        Of the interval.
    first, second : str
        What was compared: orders, or kinds of networks.
    """

    differences: NDArray[np.float64]
    interval: tuple[float, float]
    measure: str
    level: float = 0.95
    first: str = ""
    second: str = ""

    def __post_init__(self) -> None:
        differences = frozen_array(self.differences, dtype=np.float64)
        require_shape("differences", differences, (None,))
        object.__setattr__(self, "differences", differences)
        object.__setattr__(self, "interval", (float(self.interval[0]), float(self.interval[1])))

    @property
    def mean(self) -> float:
        """Mean difference over the seeds."""
        return float(self.differences.mean())

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.interval[0] > 0 or self.interval[1] < 0


def _checked_shares(shares: ArrayLike, owner: str) -> NDArray[np.float64]:
    found = frozen_array(shares, dtype=np.float64)
    require_shape("shares", found, (None,))
    if not found.size or not (np.all(np.diff(found) >= 0) and found[0] >= 0 and found[-1] <= 1):
        raise InvalidInputError(f"shares of {owner} must rise within 0 to 1 and be at least one.")
    return found
