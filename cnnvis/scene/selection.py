"""What is selected, shared by all views."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, ConfigDict, field_serializer

Unit = tuple[str, int]
"""Layer and channel."""


class Selection(BaseModel):
    """A set of units, layers and classes; replaced as a whole, never changed in place.

    In a picture the selected units and their links both ways stand out, and all units and links of the selected layers
    and classes (the class of which they have the largest share); what else there is fades.

    Parameters
    ----------
    units : frozenset of (layer, channel)
    layers : frozenset of str
    classes : frozenset of int
    links : frozenset of (unit, unit)
        Source and target of single links. Where there are any, the other links of `units` do not stand out: a path.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    units: frozenset[Unit] = frozenset()
    layers: frozenset[str] = frozenset()
    classes: frozenset[int] = frozenset()
    links: frozenset[tuple[Unit, Unit]] = frozenset()

    @classmethod
    def of_path(cls, units: Iterable[Unit]) -> Selection:
        """Return the selection of these units and of the links from each to the next, and of no others."""
        path = list(units)
        return cls(units=frozenset(path), links=frozenset(pairwise(path)))

    def toggled(self, chosen: Selection) -> Selection:
        """Return this selection without `chosen` where all of it is selected, else with it.

        With a unit its links are taken out, with a link its ends, but for those that other links end in.
        """
        parts = type(self).model_fields
        mine, others = ({name: getattr(each, name) for name in parts} for each in (self, chosen))
        if not all(others[name] <= mine[name] for name in parts):
            return Selection(**{name: mine[name] | others[name] for name in parts})
        left = {name: mine[name] - others[name] for name in parts}
        if chosen.links:
            left["units"] |= mine["units"] & frozenset(unit for link in left["links"] for unit in link)
        else:
            left["links"] = frozenset(link for link in left["links"] if not chosen.units.intersection(link))
        return Selection(**left)

    @field_serializer("units", "layers", "classes", "links", when_used="json")
    def _sorted(self, values: frozenset[Any]) -> list[Any]:
        """Equal selections are saved as equal text, whatever the order inside a set."""
        return sorted(values)

    def __bool__(self) -> bool:
        return bool(self.units or self.layers or self.classes or self.links)

    @property
    def text(self) -> str:
        """What is selected, in a few words: "fc1 #3", "4 units, 3 links", "layer fc1, class 2"; "" for nothing."""
        named = [
            ("unit", [unit_text(unit) for unit in sorted(self.units)]),
            ("link", [" → ".join(map(unit_text, link)) for link in sorted(self.links)]),
            ("layer", [f"layer {name}" for name in sorted(self.layers)]),
            ("class", [f"class {number}" for number in sorted(self.classes)]),
        ]
        plural = {"class": "classes"}
        parts = [
            texts[0] if len(texts) == 1 else f"{len(texts)} {plural.get(what, what + 's')}"
            for what, texts in named
            if texts
        ]
        return ", ".join(parts)


def unit_text(unit: Unit) -> str:
    """Return a unit as pictures and messages name it: "fc1 #3"."""
    layer, channel = unit
    return f"{layer} #{channel}"
