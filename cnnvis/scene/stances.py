"""Which lines and units stand out, which fade and which are not drawn: what a selection means in a picture."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import PolylineSet, Units
from cnnvis.scene.network_items import NetworkItem
from cnnvis.scene.selection import Selection, Unit

Mask = NDArray[np.bool_]


class Stance(IntEnum):
    """How a line or a unit is drawn; the numbers stand in network.geom.glsl too.

    `hidden`: not at all, its layer is hidden. `faded`: others are selected. `plain`: nothing is. `chosen`: it stands
    out by its importance, since a unit, layer or class that it belongs to is selected. `marked`: it is selected by
    itself, and drawn in full, however important it is.
    """

    HIDDEN = 0
    FADED = 1
    PLAIN = 2
    CHOSEN = 3
    MARKED = 4


def stances(item: NetworkItem, selection: Selection) -> NDArray[np.uint8]:
    """Return the stance of each line or unit of an item, (E,) uint8.

    A selection that names no layer of the item, and no class where it has classes, does not concern it: all stay plain.

    Notes
    -----
    5 ms for 68,000 lines.
    """
    found = np.full(len(item.data), Stance.PLAIN, np.uint8)
    if _concerns(selection, item):
        found[:] = Stance.FADED
        found[_of_classes(item, selection)] = Stance.CHOSEN
        if item.units is not None:
            _select(found, item, item.units, selection)
    if item.hidden_layers and item.units is not None:
        hidden = _of_layers(item.units, item.hidden_layers)
        for ends in _ends(item):
            found[hidden[ends]] = Stance.HIDDEN
    return found


def _select(found: NDArray[np.uint8], item: NetworkItem, units: Units, selection: Selection) -> None:
    """Put the stances of what is selected by layer, by unit and by link into `found`."""
    ends, single = _ends(item), _by_number(units, selection)
    for end in ends:
        found[_of_layers(units, selection.layers)[end]] = Stance.CHOSEN
    if len(ends) == 1:
        found[single[ends[0]]] = Stance.MARKED
    elif selection.links and ends:
        source, target = ends
        found[np.isin(source * len(units) + target, _link_codes(units, selection))] = Stance.MARKED
    else:
        for end in ends:
            found[single[end]] = Stance.CHOSEN


def chosen_units(units: Units, selection: Selection) -> Mask:
    """Return which of the (U,) units are selected by themselves or with their layer."""
    return _by_number(units, selection) | _of_layers(units, selection.layers)


def main_classes(item: NetworkItem) -> NDArray[np.int64] | None:
    """Return the class of which each line, half-way, or each unit has the largest share, (E,); None without shares."""
    data = item.data
    is_lines = isinstance(data, PolylineSet)
    shares = (data.point_arrays if is_lines else data.arrays).get("class_shares")
    if shares is None:
        return None
    if is_lines:
        shares = shares[np.minimum((data.offsets[:-1] + data.offsets[1:]) // 2, max(len(shares) - 1, 0))]
    found: NDArray[np.int64] = shares.argmax(axis=1)
    return found


def _concerns(selection: Selection, item: NetworkItem) -> bool:
    named = (
        {layer for layer, _ in selection.units} | selection.layers | {a[0] for link in selection.links for a in link}
    )
    return bool(named & set(item.layers)) or bool(selection.classes and item.class_names)


def _of_classes(item: NetworkItem, selection: Selection) -> Mask:
    classes = main_classes(item) if selection.classes else None
    return np.zeros(len(item.data), bool) if classes is None else np.isin(classes, list(selection.classes))


def _ends(item: NetworkItem) -> tuple[NDArray[np.int64], ...]:
    """Return the units of each line, its source and its target, or of each unit itself; nothing where unknown."""
    data = item.data
    if not isinstance(data, PolylineSet):
        return (data.arrays.get("unit", np.arange(len(data))),)
    names = [name for name in ("source", "target") if name in data.line_arrays]
    return tuple(data.line_arrays[name] for name in names) if len(names) == 2 else ()


def _of_layers(units: Units, layers: tuple[str, ...] | frozenset[str]) -> Mask:
    mask = np.zeros(len(units), bool)
    for layer in set(layers) & set(units.layers):
        mask[units.range(layer)] = True
    return mask


def _by_number(units: Units, selection: Selection) -> Mask:
    mask = np.zeros(len(units), bool)
    mask[[units.id(*unit) for unit in selection.units if _has(units, unit)]] = True
    return mask


def _link_codes(units: Units, selection: Selection) -> list[int]:
    known = [link for link in selection.links if _has(units, link[0]) and _has(units, link[1])]
    return [units.id(*source) * len(units) + units.id(*target) for source, target in known]


def _has(units: Units, unit: Unit) -> bool:
    layer, channel = unit
    return layer in units.layers and 0 <= channel < units.sizes[units.index(layer)]
