"""What is selected, shared by all views."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Selection(BaseModel):
    """A set of units, layers and classes; replaced as a whole, never changed in place.

    Parameters
    ----------
    units : frozenset of (layer, channel)
    layers : frozenset of str
    classes : frozenset of int
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    units: frozenset[tuple[str, int]] = frozenset()
    layers: frozenset[str] = frozenset()
    classes: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.units or self.layers or self.classes)
