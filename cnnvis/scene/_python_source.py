"""How values and calls are written as Python that a person can read."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from pydantic import BaseModel

WIDTH = 80
"""Longest call or collection that is not broken, indentation and the name it is given to apart."""

PUBLIC = {"TransferFunction": "cnnvis.TransferFunction"}
"""Classes that have a shorter name than that in `cnnvis.scene`."""


def literal(value: Any) -> str:
    """Return an expression that gives the value: a number, text, enum, collection or model of `cnnvis.scene`."""
    if isinstance(value, Enum):
        return literal(value.value)
    if isinstance(value, str):
        text = repr(value)
        return text if '"' in text else f'"{text[1:-1]}"'
    if isinstance(value, BaseModel):
        name = type(value).__name__
        return call(PUBLIC.get(name, f"cnnvis.scene.{name}"), keywords(changed_fields(value)))
    if isinstance(value, tuple) and len(value) == 1:
        return f"({literal(value[0])},)"
    if isinstance(value, tuple | list):
        return _bracketed(("(", ")") if isinstance(value, tuple) else ("[", "]"), map(literal, value))
    if isinstance(value, set | frozenset):
        return _bracketed(("{", "}"), map(literal, sorted(value))) if value else "frozenset()"
    if isinstance(value, Mapping):
        return _bracketed(("{", "}"), (f"{literal(key)}: {literal(each)}" for key, each in value.items()))
    return repr(value)


def changed_fields(model: BaseModel, reference: BaseModel | None = None) -> dict[str, Any]:
    """Return the fields of a model that differ from those of another, by default from those of a new one."""
    found = {}
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        usual = getattr(reference, name) if reference else field.get_default(call_default_factory=True)
        if value != usual:
            found[name] = value
    return found


def keywords(fields: Mapping[str, Any]) -> list[str]:
    """Return keyword arguments."""
    return [f"{name}={literal(value)}" for name, value in fields.items()]


def call(function: str, arguments: Iterable[str]) -> str:
    """Return a call, one argument per line where it is long."""
    return _bracketed((f"{function}(", ")"), arguments)


def _bracketed(brackets: tuple[str, str], parts: Iterable[str]) -> str:
    """Return the parts between brackets: in one line, else side by side as far as they fit, or one per line."""
    parts = list(parts)
    line = f"{brackets[0]}{', '.join(parts)}{brackets[1]}"
    if len(line) <= WIDTH and "\n" not in line:
        return line
    inside = ",\n".join(parts) + ","
    return f"{brackets[0]}\n{textwrap.indent(inside, '    ')}\n{brackets[1]}"
