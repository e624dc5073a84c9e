"""Which pixels of an input each value of a layer can depend on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.checks import frozen_integers, require_shape
from cnnvis.core.errors import InvalidInputError


@dataclass(frozen=True, slots=True, eq=False)
class ReceptiveFields:
    """Boxes of pixels, by position in the maps of a layer.

    Parameters
    ----------
    layer : str
    image : (H, W)
        Size of the input.
    rows : (h, 2) int64
        Of each row of the layer's maps: from which row of the input to behind which. One entry for a layer without
        maps.
    columns : (w, 2) int64
    """

    layer: str
    image: tuple[int, int]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]

    def __post_init__(self) -> None:
        for name in ("rows", "columns"):
            array = frozen_integers(name, getattr(self, name))
            require_shape(name, array, (None, 2))
            object.__setattr__(self, name, array)

    def at(self, position: tuple[int, ...]) -> tuple[int, int, int, int]:
        """Return (top, left, bottom, right) of the box; bottom and right lie behind it.

        Raises
        ------
        InvalidInputError
            For a position that the layer's maps have not.
        """
        row, column = position if len(position) == 2 else (0, 0)
        if not (0 <= row < len(self.rows) and 0 <= column < len(self.columns)):
            raise InvalidInputError(
                f"Maps of {self.layer!r} have {len(self.rows)} x {len(self.columns)} positions; there is no {position}."
            )
        top, bottom = self.rows[row]
        left, right = self.columns[column]
        return int(top), int(left), int(bottom), int(right)
