"""What single filters are worth: errors without the least and without the most important one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from cnnvis.core.errors import InvalidInputError


class FilterRow(NamedTuple):
    """Errors on some images.

    Parameters
    ----------
    name : str
        "all classes", or a class: its images alone, and the filters least and most important to it.
    images : int
    error : float
        Share of the images that the whole network takes for another class.
    least, most : int
        Channel of the least and the most important filter; of equals, the first.
    without_least, without_most : float
        Error without that filter.
    """

    name: str
    images: int
    error: float
    least: int
    without_least: float
    most: int
    without_most: float


@dataclass(frozen=True, slots=True)
class FilterTable:
    """CNN-VIS's table for one layer.

    Parameters
    ----------
    layer : str
    method : str
        Of the importance.
    rows : tuple of FilterRow
        All classes first, then each class that has images.
    """

    layer: str
    method: str
    rows: tuple[FilterRow, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(self.rows))
        if not self.rows:
            raise InvalidInputError(f"The table of filters of {self.layer!r} has no rows.")
