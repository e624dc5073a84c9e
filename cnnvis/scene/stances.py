"""Which lines and units stand out, which fade and which are not drawn: what a selection means in a picture."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import PointSet, PolylineSet, Units, Volume
from cnnvis.scene.network_items import NetworkItem
from cnnvis.scene.selection import Selection, Unit

Mask = NDArray[np.bool_]
Numbers = NDArray[np.int64]


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


Data = PolylineSet | PointSet


def stances(item: NetworkItem, selection: Selection, data: Data | None = None) -> NDArray[np.uint8]:
    """Return the stance of each line or unit of an item, (E,) uint8.

    Parameters
    ----------
    item : NetworkItem
    selection : Selection
        One that names no layer of the item, and no class where it has classes, does not concern it: all stay plain.
    data : PolylineSet or PointSet, optional
        Of a frame; default: what the item shows.

    Notes
    -----
    0.3 ms for 68,000 lines.
    """
    data = item.data if data is None else data
    found = np.full(len(data), Stance.PLAIN, np.uint8)
    if _concerns(selection, item):
        found[:] = Stance.FADED
        found[_of_classes(data, selection)] = Stance.CHOSEN
        if item.units is not None:
            _select(found, _ends(data), item.units, selection)
    if item.hidden_layers and item.units is not None:
        hidden = _of_layers(item.units, item.hidden_layers)
        for ends in _ends(data):
            found[hidden[ends]] = Stance.HIDDEN
    return found


def _select(found: NDArray[np.uint8], ends: tuple[Numbers, ...], units: Units, selection: Selection) -> None:
    """Put the stances of what is selected by layer, by unit and by link into `found`."""
    single = _by_number(units, selection)
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


def selected_units(item: NetworkItem, selection: Selection) -> Numbers:
    """Return the numbers of the units of an item that are selected: by themselves, with their layer, or by class."""
    found = np.zeros(0, np.int64)
    if item.units is not None:
        chosen = _by_number(item.units, selection) | _of_layers(item.units, selection.layers)
        found = np.flatnonzero(chosen)
    if not isinstance(item.data, PolylineSet):
        found = np.union1d(found, _ends(item.data)[0][_of_classes(item.data, selection)])
    return found


def selected_positions(volume: Volume, selection: Selection) -> Numbers:
    """Return the positions, in the order shown, of the selected channels of a volume, growing."""
    channels = [channel for layer, channel in selection.units if layer == volume.layer]
    chosen = np.isin(volume.channels, channels) | (volume.layer in selection.layers)
    return np.flatnonzero(chosen)


def main_classes(data: Data) -> Numbers | None:
    """Return the class of which each line, half-way, or each unit has the largest share, (E,); None without shares."""
    arrays = data.point_arrays if isinstance(data, PolylineSet) else data.arrays
    shares = arrays.get("class_shares")
    if shares is None:
        return None
    if isinstance(data, PolylineSet):
        shares = shares[np.minimum((data.offsets[:-1] + data.offsets[1:]) // 2, max(len(shares) - 1, 0))]
    found: Numbers = shares.argmax(axis=1)
    return found


def _concerns(selection: Selection, item: NetworkItem) -> bool:
    named = (
        {layer for layer, _ in selection.units} | selection.layers | {a[0] for link in selection.links for a in link}
    )
    return bool(named & set(item.layers)) or bool(selection.classes and item.class_names)


def _of_classes(data: Data, selection: Selection) -> Mask:
    classes = main_classes(data) if selection.classes else None
    return np.zeros(len(data), bool) if classes is None else np.isin(classes, list(selection.classes))


def _ends(data: Data) -> tuple[Numbers, ...]:
    """Return the units of each line, its source and its target, or of each unit itself; nothing where unknown."""
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
    mask[[units.id(*unit) for unit in selection.units if has_unit(units, unit)]] = True
    return mask


def _link_codes(units: Units, selection: Selection) -> list[int]:
    known = [link for link in selection.links if has_unit(units, link[0]) and has_unit(units, link[1])]
    return [units.id(*source) * len(units) + units.id(*target) for source, target in known]


def has_unit(units: Units, unit: Unit) -> bool:
    """Whether there is such a unit."""
    layer, channel = unit
    return layer in units.layers and 0 <= channel < units.sizes[units.index(layer)]
