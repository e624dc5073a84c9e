"""How far two orders agree."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import Ordering
from cnnvis.core.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class OrderAgreement:
    """Agreement of two orders of the same channels; 1 is full agreement.

    Parameters
    ----------
    kendall : float
        |Kendall tau| of the positions, 0 to 1: an order read backwards is the same order.
    neighbours : float
        Part of the neighbouring pairs of one order that are neighbours in the other, 0 to 1.
    rand : float
        Adjusted Rand index of the groups, 0 by chance, 1 for equal groups; NaN where an order has none.
    """

    kendall: float
    neighbours: float
    rand: float = float("nan")


def compare_orders(first: Ordering, second: Ordering) -> OrderAgreement:
    """Return how far two orders of the same layer agree.

    Channels that are constant in either order are left out, and the rest moves together.

    Returns
    -------
    OrderAgreement
        All NaN with under two channels left.

    Raises
    ------
    InvalidInputError
        When the orders have different numbers of channels.

    Notes
    -----
    Cost: O(C log C).
    """
    from scipy.stats import kendalltau

    if len(first) != len(second):
        raise InvalidInputError(
            f"Orders of {len(first)} and {len(second)} channels cannot be compared; both must be of the same layer."
        )
    live = ~(np.asarray(first.constant) | np.asarray(second.constant))
    if np.count_nonzero(live) < 2:
        return OrderAgreement(float("nan"), float("nan"))
    tau = kendalltau(first.inverse[live], second.inverse[live]).statistic
    pairs = [_neighbour_pairs(ordering, live) for ordering in (first, second)]
    rand = float("nan")
    if first.groups is not None and second.groups is not None:
        from sklearn.metrics import adjusted_rand_score

        rand = adjusted_rand_score(first.groups[live], second.groups[live])
    shared = len(pairs[0] & pairs[1]) / len(pairs[0])
    return OrderAgreement(kendall=abs(float(tau)), neighbours=shared, rand=float(rand))


def _neighbour_pairs(ordering: Ordering, live: NDArray[np.bool_]) -> set[tuple[int, int]]:
    """Return the pairs of live channels that stand side by side, lower channel first."""
    path = ordering.permutation[live[ordering.permutation]].tolist()
    return {(min(pair), max(pair)) for pair in itertools.pairwise(path)}
