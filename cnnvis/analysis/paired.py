"""Differences between two sides that were measured on the same training seeds."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cnnvis.core import CurveComparison
from cnnvis.core.checks import require_finite
from cnnvis.core.errors import InvalidInputError


def compare_paired(
    first: ArrayLike, second: ArrayLike, *, measure: str, level: float = 0.95, names: tuple[str, str] = ("", "")
) -> CurveComparison:
    """Return the difference first - second of a measure, paired by training seed, and the interval of its mean.

    Parameters
    ----------
    first, second : (S,) array_like of float
        One number per training seed, in the same order.
    measure : str
        What the numbers are.
    level : float, default 0.95
        Of the interval of the mean difference.
    names : (str, str)
        What the two sides are.

    Raises
    ------
    InvalidInputError
        When there is no number, not as many on both sides, one is not finite, or the level is none.

    Notes
    -----
    Networks differ from seed to seed: pairing removes that part. The interval is Student's t with S - 1 degrees of
    freedom, NaN for a single seed; it says nothing about other architectures or data.
    """
    from scipy.special import stdtrit

    sides = [np.asarray(side, dtype=np.float64) for side in (first, second)]
    if sides[0].ndim != 1 or sides[0].shape != sides[1].shape or not sides[0].size:
        raise InvalidInputError(
            f"{measure} is compared by training seed: each side needs one number for every seed, got "
            f"{sides[0].shape} and {sides[1].shape}."
        )
    if not 0 < level < 1:
        raise InvalidInputError(f"level must lie between 0 and 1, got {level}.")
    differences = sides[0] - sides[1]
    require_finite(f"difference in {measure}", differences)
    n = differences.size
    spread = differences.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
    half = stdtrit(n - 1, (1 + level) / 2) * spread if n > 1 else np.nan
    return CurveComparison(
        differences=differences,
        interval=(differences.mean() - half, differences.mean() + half),
        measure=measure,
        level=level,
        first=names[0],
        second=names[1],
    )
