"""What is selected in a scene as a table: one row per unit, to be read elsewhere.

Columns: `layer`, `channel`, `importance`, `class` (of the largest share) and its `share`, then `input` and `output`,
the most important links in and out by the unit at their other end ("fc1 #3"), each with its `importance` and `weight`.
A cell is empty where the scene does not know. Importance is as the scene draws it, 1 for the largest there is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cnnvis.core import Units
from cnnvis.core.errors import FileFormatError, InvalidInputError
from cnnvis.io._table import Table, write_table
from cnnvis.scene import BundleItem, GlyphsItem, NetworkItem, SceneState, VolumeItem
from cnnvis.scene.selection import Unit, unit_text
from cnnvis.scene.stances import has_unit, selected_positions, selected_units

OF_UNITS = ("importance", "class", "share")
OF_LINKS = tuple(f"{end}{what}" for end in ("input", "output") for what in ("", ".importance", ".weight"))
HEADER = ("layer", "channel", *OF_UNITS, *OF_LINKS)

Cells = dict[str, Any]


def save_selection(scene: SceneState, path: str | Path) -> Path:
    """Write the selected units of a scene, layer after layer.

    Parameters
    ----------
    scene : Scene
        Units count that are selected by themselves, with their layer, or by class.
    path : path-like ending in .csv
        Written whole or not at all.

    Raises
    ------
    FileFormatError
        For another suffix.
    InvalidInputError
        When no unit is selected.
    """
    path = Path(path)
    if path.suffix.lower() != ".csv":
        raise FileFormatError(f"Cannot write a selection as {path.name!r}; its name must end in .csv.")
    rows: dict[Unit, Cells] = {unit: {} for unit in _selected(scene)}
    if not rows:
        raise InvalidInputError("No unit of the scene is selected; select units, a layer or a class first.")
    for item in scene:
        if isinstance(item, VolumeItem):
            _fill_from_volume(rows, item)
        elif isinstance(item, NetworkItem) and item.units is not None:
            (_fill_from_glyphs if isinstance(item, GlyphsItem) else _fill_from_bundle)(rows, item, item.units)
    cells = [[*unit, *(known.get(name, "") for name in HEADER[2:])] for unit, known in rows.items()]
    write_table(Table(HEADER, cells), path.resolve())
    return path


def _selected(scene: SceneState) -> list[Unit]:
    """Return the selected units by layer, layers as the network has them, and channel."""
    found: set[Unit] = set(scene.selection.units)
    layers: list[str] = []
    for item in scene:
        if isinstance(item, VolumeItem):
            positions = selected_positions(item.data, scene.selection)
            found |= {(item.data.layer, channel) for channel in item.data.channels[positions].tolist()}
        elif isinstance(item, NetworkItem) and item.units is not None:
            layers += item.layers
            found |= {item.units.split(number) for number in selected_units(item, scene.selection).tolist()}
    layers += sorted({layer for layer, _ in found})
    return sorted(found, key=lambda unit: (layers.index(unit[0]), unit[1]))


def _fill_from_glyphs(rows: dict[Unit, Cells], item: GlyphsItem, units: Units) -> None:
    arrays = item.data.arrays
    for place, number in enumerate(arrays.get("unit", np.arange(len(item.data))).tolist()):
        cells = rows.get(units.split(number))
        if cells is None:
            continue
        if "importance" in arrays:
            cells["importance"] = float(arrays["importance"][place])
        if "class_shares" in arrays:
            shares = arrays["class_shares"][place]
            main = int(shares.argmax())
            cells |= {"class": item.class_names[main] if item.class_names else main, "share": float(shares[main])}


def _fill_from_bundle(rows: dict[Unit, Cells], item: BundleItem, units: Units) -> None:
    from cnnvis.layout.neighbours import strongest_of_each

    arrays = item.data.line_arrays
    if not {"source", "target"} <= arrays.keys():
        return
    for name, other, links in zip(
        ("input", "output"), ("source", "target"), strongest_of_each(item.data, len(units)), strict=True
    ):
        for unit, cells in rows.items():
            link = int(links[units.id(*unit)]) if has_unit(units, unit) else -1
            if link >= 0:
                cells[name] = unit_text(units.split(int(arrays[other][link])))
                known = [what for what in ("importance", "weight") if what in arrays]
                cells |= {f"{name}.{what}": float(arrays[what][link]) for what in known}


def _fill_from_volume(rows: dict[Unit, Cells], item: VolumeItem) -> None:
    volume = item.data
    if volume.weights is None:
        return
    for channel, weight in zip(volume.channels.tolist(), volume.weights.tolist(), strict=True):
        rows.get((volume.layer, channel), {}).setdefault("importance", weight)
