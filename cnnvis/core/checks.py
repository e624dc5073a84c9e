"""Checks of arguments and of what result types hold, and the freezing of their arrays."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from cnnvis.core.errors import InvalidInputError, near_matches

Choice = TypeVar("Choice", bound=StrEnum)


def parse_choice(kind: type[Choice], value: str, *, what: str) -> Choice:
    """Return the member of `kind` called `value`; raise InvalidInputError, naming the option `what`, for none."""
    try:
        return kind(value)
    except ValueError:
        allowed = [member.value for member in kind]
        close = near_matches(str(value), allowed)
        hint = f" Did you mean: {', '.join(close)}?" if close else ""
        raise InvalidInputError(f"Unknown {what} {value!r}.{hint} Allowed: {', '.join(allowed)}.") from None


def require_number(
    name: str, value: object, low: float, high: float, *, whole: bool = False, above: bool = False
) -> None:
    """Raise InvalidInputError unless `value` is a number within [low, high], above `low` if so, whole where it must be.

    True and False are no numbers here, nor is NaN.
    """
    is_number = isinstance(value, Integral if whole else Real) and not isinstance(value, bool)
    if is_number and low <= float(value) <= high and not (above and float(value) == low):  # type: ignore[arg-type]
        return
    kind = "a whole number " if whole else ""
    allowed = f"above {low:g} and at most {high:g}" if above else f"from {low:g} to {high:g}"
    raise InvalidInputError(f"{name} must be {kind}{allowed}, got {value!r}.")


def frozen_array(array: ArrayLike, *, dtype: DTypeLike | None = None) -> NDArray[Any]:
    """Return a read-only view of `array` (no copy where the dtype already fits).

    The caller's own array stays writeable; only the view kept by the result object is not.
    """
    view = np.asarray(array, dtype=dtype).view()
    view.flags.writeable = False
    return view


def frozen_integers(name: str, array: ArrayLike) -> NDArray[np.int64]:
    """Return a read-only int64 view or copy of `array`; raise InvalidInputError where a value is not whole."""
    array = np.asarray(array)
    if array.dtype.kind == "f" and not np.all(np.isfinite(array) & (array == np.trunc(array))):
        raise InvalidInputError(f"{name} must be whole numbers, got {array.dtype} values that are not.")
    return frozen_array(array, dtype=np.int64)


def frozen_mapping(mapping: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return a read-only copy of `mapping`, empty for None."""
    return MappingProxyType(dict(mapping or {}))


def as_numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return `values` as a float64 array; raise InvalidInputError for text, and for rows of unlike length."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"{name} must be an array of numbers, got {type(values).__name__}: {error}.") from None


def require_shape(name: str, array: NDArray[Any], shape: tuple[int | None, ...]) -> None:
    """Raise InvalidInputError unless `array` has `shape`; None stands for any length."""
    fits = array.ndim == len(shape) and all(
        want is None or want == got for want, got in zip(shape, array.shape, strict=True)
    )
    if not fits:
        wanted = "(" + ", ".join("any" if want is None else str(want) for want in shape) + ")"
        raise InvalidInputError(f"{name} has shape {array.shape}; allowed is {wanted}.")


def require_finite(name: str, array: NDArray[Any]) -> None:
    """Raise InvalidInputError when `array` holds NaN or infinity, and say how many."""
    bad = int(np.count_nonzero(~np.isfinite(array)))
    if bad:
        raise InvalidInputError(
            f"{name} holds {bad} values that are NaN or infinite of {array.size}; all must be finite."
        )


def require_not_negative(name: str, array: NDArray[Any]) -> None:
    """Raise InvalidInputError when `array` holds a value below zero, and say the least."""
    if array.size and array.min() < 0:
        raise InvalidInputError(f"{name} must not be negative, got {array.min():g}.")


def require_permutation(name: str, array: NDArray[Any]) -> None:
    """Raise InvalidInputError unless `array` holds each of 0 .. n-1 exactly once."""
    if not np.array_equal(np.sort(array), np.arange(array.size)):
        raise InvalidInputError(
            f"{name} of length {array.size} is not a permutation: "
            f"every index from 0 to {array.size - 1} must occur once."
        )
