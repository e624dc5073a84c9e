"""Transfer functions: normalisation -> colour map -> opacity curve, as data and as plain numpy.

The three stages are separate on purpose, as in datashader's shading: which values are told apart
(normalisation), what they look like (colour map), and how much of them is seen (opacity curve).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from cnnvis.core.errors import InvalidInputError, did_you_mean
from cnnvis.core.palette import MISSING_COLOUR

Curve = tuple[tuple[float, float], ...]

ColourPoints = tuple[tuple[float, str], ...]
"""(position, "#rrggbb") of each point of a colour map of one's own."""

LINEAR: Curve = ((0.0, 0.0), (1.0, 1.0))
SIGMOID: Curve = tuple(
    (round(float(x), 4), round(float(1.0 / (1.0 + np.exp(-12.0 * (x - 0.55)))), 4)) for x in np.linspace(0, 1, 17)
)
BAND: Curve = ((0.0, 0.0), (0.45, 0.0), (0.55, 1.0), (0.65, 1.0), (0.75, 0.0), (1.0, 0.0))
FLAT: Curve = ((0.0, 0.0), (0.05, 0.6), (1.0, 1.0))
SOLID: Curve = ((0.0, 1.0), (1.0, 1.0))

SEQUENTIAL_MAP = "viridis"
DIVERGING_MAP = "RdBu_r"


class Normalisation(StrEnum):
    """How values are spread over the colour map.

    `linear` keeps distances, `log` spreads small magnitudes over decades, `cbrt` (cube root) does so
    more gently; all three are odd functions, so signed data stay signed.
    """

    LINEAR = "linear"
    LOG = "log"
    CBRT = "cbrt"


Preset = Literal["linear", "sigmoid", "band", "importance"]


class TransferFunction(BaseModel):
    """What the values of an item look like.

    Parameters
    ----------
    normalisation : {"linear", "log", "cbrt"}, default: "linear"
    clip : (low, high) percentiles in [0, 100], default: (1, 99)
        Values outside saturate; used where `span` is None.
    span : (low, high) in data units, or None
        Fixed range; None takes it from the data by `clip`.
    centre : float or None
        Makes the range symmetric around this value, for signed data; then distance from the centre,
        not the value, drives opacity.
    colour_map : str
        Name of a matplotlib colour map.
    colour_points : tuple of (position, "#rrggbb")
        A colour map of one's own in place of the named one: two points or more over [0, 1], their sRGB numbers blended
        between neighbours. Empty: the named one.
    opacity : tuple of (position, opacity)
        Piecewise-linear curve over [0, 1]; with `centre`, position is the distance from the centre.
    weight : tuple of (importance, factor)
        Curve over the second array, scaled to [0, 1] by its maximum; the factor multiplies the opacity.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    normalisation: Normalisation = Normalisation.LINEAR
    clip: tuple[float, float] = (1.0, 99.0)
    span: tuple[float, float] | None = None
    centre: float | None = None
    colour_map: str = SEQUENTIAL_MAP
    colour_points: ColourPoints = ()
    opacity: Curve = LINEAR
    weight: Curve = LINEAR

    @field_validator("clip")
    @classmethod
    def _check_clip(cls, clip: tuple[float, float]) -> tuple[float, float]:
        if not 0 <= clip[0] < clip[1] <= 100:
            raise ValueError(f"clip must be two rising percentiles in [0, 100], got {clip}")
        return clip

    @field_validator("opacity", "weight")
    @classmethod
    def _check_curve(cls, curve: Curve) -> Curve:
        _check_positions("curve", curve)
        if not all(0 <= height <= 1 for _, height in curve):
            raise ValueError("curve heights must lie in [0, 1]")
        return curve

    @field_validator("colour_points")
    @classmethod
    def _check_colour_points(cls, points: ColourPoints) -> ColourPoints:
        if points:
            _check_positions("colour map", points)
        for _, colour in points:
            if not re.fullmatch("#[0-9a-fA-F]{6}", colour):
                raise ValueError(f"a colour is written as #rrggbb, got {colour!r}")
        return tuple((position, colour.lower()) for position, colour in points)

    @field_validator("colour_map")
    @classmethod
    def _check_colour_map(cls, name: str) -> str:
        colour_table(name, 2)  # raises, and lists near matches
        return name

    @model_validator(mode="after")
    def _check_span(self) -> TransferFunction:
        if self.span is not None and self.span[0] > self.span[1]:
            raise ValueError(f"span must be two rising numbers, got {self.span}")
        return self

    @classmethod
    def preset(cls, name: Preset = "linear", *, values: ArrayLike | None = None, **changes: Any) -> TransferFunction:
        """Return a preset, fitted to the sign of `values`.

        Parameters
        ----------
        name : {"linear", "sigmoid", "band", "importance"}
            `linear` shows more of larger values, `sigmoid` hides the lower half, `band` shows one band
            of values, `importance` shows all but the smallest values and leaves the choice to the weights.
        values : array_like, optional
            Data with both signs get a diverging map centred on 0, others a sequential one.
        **changes
            Any field, set after the preset.
        """
        curves: dict[str, Curve] = {"linear": LINEAR, "sigmoid": SIGMOID, "band": BAND, "importance": FLAT}
        if name not in curves:
            raise InvalidInputError(f"No transfer function preset {name!r}; allowed are {', '.join(curves)}.")
        fields: dict[str, Any] = {"opacity": curves[name]}
        if values is not None and is_signed(values):
            fields |= {"centre": 0.0, "colour_map": DIVERGING_MAP}
        return cls(**(fields | changes))

    def with_changes(self, **changes: Any) -> TransferFunction:
        """Return a copy with some fields replaced, checked as all are."""
        return TransferFunction(**(dict(self) | changes))

    def with_span(self, values: ArrayLike) -> TransferFunction:
        """Return a copy whose span is fixed to what `values` give."""
        return self.model_copy(update={"span": self.span_of(values)})

    def span_of(self, values: ArrayLike) -> tuple[float, float]:
        """Return the range (low, high) the colours cover, in data units.

        The fixed `span` if there is one, else the `clip` percentiles of the finite values. With `centre` the
        range is symmetric around it and reaches to the upper percentile of the distance from it. A constant
        array gets half a unit on both sides (more around large numbers); one without any finite value gets (0, 1).
        """
        if self.centre is None:
            low, high = self.span if self.span is not None else percentiles(values, self.clip)
        else:
            if self.span is not None:
                reach = max(abs(end - self.centre) for end in self.span)
            else:
                reach = percentiles(np.abs(np.asarray(values) - self.centre), self.clip)[1]
            low, high = self.centre - reach, self.centre + reach
        size = max(abs(low), abs(high))
        if high - low <= 1e-12 * max(size, 1e-290):
            half = max(0.5, 1e-5 * size)
            low, high = low - half, high + half
        return low, high

    def normalise(self, values: ArrayLike, span: tuple[float, float] | None = None) -> NDArray[np.float32]:
        """Return positions on the colour map in [0, 1], float32; NaN where a value is missing."""
        values = np.asarray(values)
        low, high = span if span is not None else self.span_of(values)
        stretch = _STRETCH[self.normalisation]
        scale = max(abs(low), abs(high))
        # Single precision is enough for single-precision data, unless the range is near its limits.
        single = values.dtype == np.float32 and high - low > 1e-30 and scale < 1e30
        real = np.float32 if single else np.float64
        # Values far outside the range would overflow a log; they saturate anyway.
        scaled = np.clip(values.astype(real, copy=False), low, high) / real(scale)
        bottom, top = stretch(np.float64(low / scale)), stretch(np.float64(high / scale))
        position = (stretch(scaled) - real(bottom)) / real(top - bottom)
        position = np.clip(position, 0, 1).astype(np.float32, copy=False)
        return np.where(np.isfinite(values), position, np.float32(np.nan))

    def stretched(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return values in [-1, 1] as the normalisation spreads them: the same, their logarithm or cube root."""
        return np.asarray(_STRETCH[self.normalisation](np.asarray(values, float)))

    def denormalise(self, positions: ArrayLike, span: tuple[float, float]) -> NDArray[np.float64]:
        """Return the data value at each position of the colour map: the inverse of `normalise`."""
        low, high = span
        scale = max(abs(low), abs(high))
        stretch, unstretch = _STRETCH[self.normalisation], _UNSTRETCH[self.normalisation]
        bottom, top = stretch(np.float64(low / scale)), stretch(np.float64(high / scale))
        return np.asarray(unstretch(bottom + np.asarray(positions, float) * (top - bottom)) * scale)

    def opacity_at(self, positions: ArrayLike) -> NDArray[np.float32]:
        """Return the opacity curve at normalised positions; 0 where a position is NaN.

        With `centre`, the curve runs over the distance from the centre of the map.
        """
        positions = np.asarray(positions, dtype=np.float32)
        along = np.abs(2 * positions - 1) if self.centre is not None else positions
        return np.nan_to_num(_interpolate(along, self.opacity), nan=0.0)

    def weight_at(self, weights: ArrayLike) -> NDArray[np.float32]:
        """Return the opacity factor of each weight; weights are scaled to [0, 1] by their maximum.

        Where all weights are 0, none matters more than another, and each counts as 1.
        """
        weights = np.asarray(weights, dtype=np.float64)
        top = weights.max(initial=0.0)
        return _interpolate(weights / top if top > 0 else np.ones_like(weights), self.weight)

    def colours(self, positions: ArrayLike) -> NDArray[np.float32]:
        """Return RGB in [0, 1], (..., 3), of normalised positions; missing ones get the missing colour."""
        positions = np.asarray(positions, dtype=np.float32)
        table = _blended(self.colour_points) if self.colour_points else colour_table(self.colour_map)
        index = np.nan_to_num(positions * (len(table) - 1), nan=0.0).round().astype(np.intp)
        rgb: NDArray[np.float32] = table[index]
        rgb[np.isnan(positions)] = MISSING_COLOUR
        return rgb

    def apply(self, values: ArrayLike, span: tuple[float, float] | None = None) -> NDArray[np.float32]:
        """Return RGBA in [0, 1], (..., 4), of data values: all three stages in one call."""
        positions = self.normalise(values, span)
        return np.concatenate([self.colours(positions), self.opacity_at(positions)[..., None]], axis=-1)


def colour_table(name: str, n: int = 256) -> NDArray[np.float32]:
    """Return a colour map as an (n, 3) table of RGB in [0, 1].

    Raises
    ------
    InvalidInputError
        When there is no such map; near matches are listed.
    """
    import matplotlib

    try:
        colour_map = matplotlib.colormaps[name]
    except KeyError:
        hint = did_you_mean(name, sorted(matplotlib.colormaps), what="colour maps")
        raise InvalidInputError(f"No colour map {name!r}. {hint}") from None
    table: NDArray[np.float32] = colour_map(np.linspace(0, 1, n))[:, :3].astype(np.float32)
    return table


def _blended(points: ColourPoints, n: int = 256) -> NDArray[np.float32]:
    """Return colour points as a table like that of `colour_table`."""
    rgb = np.array([list(bytes.fromhex(colour[1:])) for _, colour in points]) / 255
    positions = [position for position, _ in points]
    along = np.linspace(0, 1, n)
    return np.stack([np.interp(along, positions, part) for part in rgb.T], axis=1).astype(np.float32)


def _check_positions(what: str, points: tuple[tuple[float, Any], ...]) -> None:
    if len(points) < 2:
        raise ValueError(f"a {what} needs at least two points")
    positions = [position for position, _ in points]
    if any(later < earlier for earlier, later in itertools.pairwise(positions)):
        raise ValueError(f"{what} positions must not fall, got {positions}")
    if not all(0 <= position <= 1 for position in positions):
        raise ValueError(f"{what} positions must lie in [0, 1], got {positions}")


def percentiles(values: ArrayLike, clip: tuple[float, float]) -> tuple[float, float]:
    """Return the two percentiles of the finite values, (0, 1) when there are none."""
    values = np.asarray(values)
    finite = values[np.isfinite(values)].astype(np.float64, copy=False)  # float16 overflows between its ends
    if finite.size == 0:
        return 0.0, 1.0
    low, high = np.percentile(finite, clip)
    if low == high:  # most values are equal, as after a ReLU of a sparse layer: clip nothing
        low, high = finite.min(), finite.max()
    return float(low), float(high)


def is_signed(values: ArrayLike, *, share: float = 0.02) -> bool:
    """Return whether both signs matter: the smaller side reaches at least `share` of the larger."""
    values = np.asarray(values)
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return False
    low, high = float(finite.min()), float(finite.max())
    return low < 0 < high and min(-low, high) >= share * max(-low, high)


def _interpolate(along: NDArray[Any], curve: Curve) -> NDArray[np.float32]:
    positions, heights = np.array(curve, dtype=np.float64).T
    heights_along: NDArray[np.float32] = np.interp(along, positions, heights).astype(np.float32)
    return heights_along


_DECADES = 1e3


def _log(x: Any) -> Any:
    return np.sign(x) * np.log1p(_DECADES * np.abs(x))


def _unlog(y: Any) -> Any:
    return np.sign(y) * np.expm1(np.abs(y)) / _DECADES


def _same(x: Any) -> Any:
    return x


def _cube(y: Any) -> Any:
    return np.asarray(y) ** 3


_STRETCH: dict[Normalisation, Callable[[Any], Any]] = {
    Normalisation.LINEAR: _same,
    Normalisation.LOG: _log,
    Normalisation.CBRT: np.cbrt,
}
_UNSTRETCH: dict[Normalisation, Callable[[Any], Any]] = {
    Normalisation.LINEAR: _same,
    Normalisation.LOG: _unlog,
    Normalisation.CBRT: _cube,
}
