"""Weights of a foreign format: named arrays that are read one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from numpy.typing import NDArray

from cnnvis.core.errors import InvalidInputError, did_you_mean

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False, repr=False)
class ForeignWeights:
    """Named arrays of a file, in the layout that their format has: channels last.

    Parameters
    ----------
    path : Path
        Where they were read from, as messages name it.
    shapes : mapping of str to tuple of int
        Of every array, known without reading it.
    read : callable
        ``read(name)`` returns one array, which may be a read-only view of the file. Raises CheckpointError where it
        is damaged.
    unread : mapping of str to str
        What else is in the file, and why it cannot be read.
    """

    path: Path
    shapes: Mapping[str, Shape]
    read: Callable[[str], NDArray]
    unread: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"ForeignWeights({str(self.path)!r}, {len(self.shapes)} arrays)"

    def __getitem__(self, name: str) -> NDArray:
        if name not in self.shapes:
            raise InvalidInputError(
                f"{self.path} has no array {name!r}. {did_you_mean(name, self.shapes, what='arrays')}"
            )
        return self.read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.shapes)

    def __len__(self) -> int:
        return len(self.shapes)
