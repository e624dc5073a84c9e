"""Tensors inside what modules take and return: tuples, lists, dictionaries, nested as deep as you like."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor


def tensors_in(value: Any, path: str = "") -> Iterator[tuple[str, Tensor]]:
    """Yield (path, tensor) of each tensor inside `value`, in order.

    The path joins keys and positions with dots: "" for a bare tensor, "1.0" for the first tensor
    of the second entry, "logits" for a dictionary's.
    """
    if isinstance(value, Tensor):
        yield path, value
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from tensors_in(entry, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (tuple, list)):
        for index, entry in enumerate(value):
            yield from tensors_in(entry, f"{path}.{index}" if path else str(index))


def map_tensors(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Return `value` with each tensor replaced by `change(tensor)`; other entries are kept."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, dict):
        return {key: map_tensors(entry, change) for key, entry in value.items()}
    if isinstance(value, (tuple, list)):
        entries = [map_tensors(entry, change) for entry in value]
        named = hasattr(value, "_fields")
        return type(value)(*entries) if named else type(value)(entries)
    return value


def replace_tensor(value: Any, old: Tensor, new: Tensor) -> Any:
    """Return `value` with the tensor object `old` replaced by `new`."""
    return map_tensors(value, lambda tensor: new if tensor is old else tensor)
