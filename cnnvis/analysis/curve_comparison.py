"""Whether one order of pruning beats another, over networks trained from several seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from cnnvis.analysis.paired import compare_paired
from cnnvis.core import CurveComparison, PruneCurve
from cnnvis.core.errors import InvalidInputError

CurveMeasure = Literal["area", "removable"]
"""Area under the accuracy; share removable at one percentage point of accuracy lost."""


def compare_curves(
    first: Sequence[PruneCurve | Sequence[PruneCurve]],
    second: Sequence[PruneCurve | Sequence[PruneCurve]],
    *,
    measure: CurveMeasure = "area",
    level: float = 0.95,
) -> CurveComparison:
    """Return the difference first - second of a measure of the curves, paired by training seed.

    Parameters
    ----------
    first, second : sequence of PruneCurve, or of sequences of PruneCurve
        One entry per training seed, in the same order; several curves of one seed, such as those of random orders,
        count as their mean. All are over the same shares and prune the same.
    measure : {"area", "removable"}
    level : float, default 0.95
        Of the interval of the mean difference.

    Raises
    ------
    InvalidInputError
        When there are no curves, not as many seeds on both sides, the curves are not of a kind, or there is no such
        measure or level.

    Notes
    -----
    Networks differ more from seed to seed than orders do on one network: pairing removes that part, see
    `compare_paired`.
    """
    sides = [[[entry] if isinstance(entry, PruneCurve) else list(entry) for entry in side] for side in (first, second)]
    _require_alike(*sides)
    if measure not in ("area", "removable"):
        raise InvalidInputError(f"measure must be area or removable, got {measure!r}.")
    means = [[np.mean([_value(curve, measure) for curve in curves]) for curves in side] for side in sides]
    return compare_paired(*means, measure=measure, level=level, names=(sides[0][0][0].order, sides[1][0][0].order))


def _value(curve: PruneCurve, measure: CurveMeasure) -> float:
    return curve.area if measure == "area" else curve.removable()


def _require_alike(first: list[list[PruneCurve]], second: list[list[PruneCurve]]) -> None:
    if len(first) != len(second) or not first or not all(first) or not all(second):
        raise InvalidInputError(
            f"Curves are compared by training seed: each side needs at least one curve for every seed, got "
            f"{len(first)} and {len(second)} seeds."
        )
    one = first[0][0]
    for curve in (curve for side in (first, second) for curves in side for curve in curves):
        same_points = np.array_equal(curve.shares, one.shares)
        if not same_points or (curve.kind, curve.scope) != (one.kind, one.scope):
            raise InvalidInputError(
                f"Curves of {curve.kind}, {curve.scope} over {curve.shares.size} shares cannot be compared with those "
                f"of {one.kind}, {one.scope} over {one.shares.size}; measure both alike."
            )
