"""From values to colours: range, colour map, missing values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.errors import InvalidInputError
from cnnvis.core.palette import MISSING_COLOUR, RGB
from cnnvis.report.style import minus, to_bytes
from cnnvis.scene.transfer import DIVERGING_MAP, SEQUENTIAL_MAP, is_signed

MISSING = 256
"""Index of the missing colour, behind the 256 colours of a map."""


@dataclass(frozen=True, slots=True)
class ColourScale:
    """How values become colours: linear between `low` and `high`, NaN and infinity in the missing colour.

    Parameters
    ----------
    low, high : float
        Values of the two end colours; values beyond take the end colour.
    signed : bool
        Diverging map (blue below 0, red above) instead of the sequential one.
    full_range : (low, high) of float
        Smallest and largest finite value, NaN when there is none.
    clip : (low, high) of float or None
        Percentiles behind the range, where it comes from percentiles.
    """

    low: float
    high: float
    signed: bool
    full_range: tuple[float, float]
    clip: tuple[float, float] | None = None

    @classmethod
    def of(
        cls,
        arrays: Iterable[NDArray[Any]],
        *,
        clip: tuple[float, float] = (1.0, 99.0),
        limits: tuple[float, float] | None = None,
    ) -> ColourScale:
        """Return the scale that shows all `arrays`.

        As in three dimensions (`TransferFunction.preset`): data of one sign run from their low percentile to the high
        one on a sequential map; signed data run from -m to m on a diverging one, so that 0 is its middle.
        Cost: O(n) over all values.

        Parameters
        ----------
        arrays : iterable of ndarray
        clip : (low, high) of float, default: (1, 99)
            Percentiles of the finite values; for signed data the high one is taken of the absolute values.
        limits : (low, high) of float, optional
            A given range instead of percentiles.
        """
        values = np.concatenate([_finite(array) for array in arrays])
        full = (float(values.min()), float(values.max())) if values.size else (np.nan, np.nan)
        signed = is_signed(values)
        if limits is not None:
            if not limits[0] < limits[1]:
                raise InvalidInputError(f"limits must rise, got {limits}.")
            return cls(float(limits[0]), float(limits[1]), signed=limits[0] < 0, full_range=full)
        low, high = _percentile_range(values, clip, signed=signed)
        return cls(low, high, signed=signed, full_range=full, clip=clip)

    def rgb(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Return `values` of any shape as colours, shape (..., 3)."""
        table = _table(DIVERGING_MAP if self.signed else SEQUENTIAL_MAP)
        with np.errstate(invalid="ignore"):
            position = (values - self.low) * (256 / (self.high - self.low))
        finite = np.isfinite(values)
        index = np.where(finite, position, 0).clip(0, 255).astype(np.intp)
        return np.take(table, np.where(finite, index, MISSING), axis=0)

    def colour(self, value: float) -> RGB:
        """Return the colour of one value, each part 0 to 1."""
        red, green, blue = (self.rgb(np.array(value)) / 255).tolist()
        return (red, green, blue)

    @property
    def note(self) -> str:
        """One sentence on the range, for the legend."""
        if not np.isfinite(self.full_range[0]):
            return "no finite value"
        whole = f"values {self.full_range[0]:.3g} to {self.full_range[1]:.3g}"
        if self.clip is None:
            return minus(whole)
        low, high = (f"{percentile:g}" for percentile in self.clip)
        cut = f"end at percentile {high} of |value|" if self.signed else f"span percentiles {low} to {high}"
        return minus(f"{whole}; colours {cut}")


def _finite(array: NDArray[Any]) -> NDArray[Any]:
    flat = np.asarray(array).reshape(-1)
    finite = np.isfinite(flat)
    return flat if finite.all() else flat[finite]


def _percentile_range(values: NDArray[Any], clip: tuple[float, float], *, signed: bool) -> tuple[float, float]:
    if not values.size:
        return (0.0, 1.0)
    if signed:
        high = float(np.percentile(np.abs(values), clip[1])) or float(np.abs(values).max())
        return (-high, high)
    low, high = (float(end) for end in np.percentile(values, clip))
    if low < high:
        return (low, high)
    # More than 98 % are one value: show what is left over the whole range, a constant array as its low colour.
    low, high = float(values.min()), float(values.max())
    return (low, high) if low < high else (low, low + 1.0)


@cache
def _table(name: str) -> NDArray[np.uint8]:
    from matplotlib import colormaps

    colours = colormaps[name](np.arange(256), bytes=True)[:, :3]
    return np.concatenate([colours, np.array([to_bytes(MISSING_COLOUR)], dtype=np.uint8)])
