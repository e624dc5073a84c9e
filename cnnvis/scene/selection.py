"""What is selected, shared by all views."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, field_serializer


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

    @field_serializer("units", "layers", "classes", when_used="json")
    def _sorted(self, values: frozenset[Any]) -> list[Any]:
        """Equal selections are saved as equal text, whatever the order inside a set."""
        return sorted(values)

    def __bool__(self) -> bool:
        return bool(self.units or self.layers or self.classes)
