"""Checking of an option that is one word of a few."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from cnnvis.core.errors import InvalidInputError, did_you_mean

Choice = TypeVar("Choice", bound=StrEnum)


def parse_choice(kind: type[Choice], value: str, *, what: str) -> Choice:
    """Return the member of `kind` called `value`; `what` names the option in the error."""
    try:
        return kind(value)
    except ValueError:
        allowed = [member.value for member in kind]
        hint = did_you_mean(str(value), allowed, what="values")
        raise InvalidInputError(f"Unknown {what} {value!r}. {hint} Allowed: {', '.join(allowed)}.") from None
