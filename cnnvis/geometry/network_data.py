"""A bundled network as a MultiBlock: its lines and its units."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import pyvista as pv

from cnnvis.core.bundled import BundledNetwork
from cnnvis.geometry.field_data import set_numbers, set_text
from cnnvis.geometry.image_data import array_name
from cnnvis.geometry.poly_data import poly_data, vertex_data

LINES, UNITS = "lines", "units"
"""Names of the two blocks."""

MEANINGS = {
    "t": "place on the line: 0 at its source, 1 at its target",
    "importance": "share of the largest",
    "layer": "index of the layer; between two layers on a line",
    "class_shares": "share of each class in the importance; a row sums to 1",
    "source": "number of the unit where the line starts",
    "target": "number of the unit where the line ends",
    "weight": "share of the largest",
    "unit": "number of the unit",
}
"""What the values of an array are, by its name."""


def network_blocks(network: BundledNetwork) -> pv.MultiBlock:
    """Return the lines and the units of a network as two blocks, each with all arrays and facts in words.

    Field data: layers and layer_sizes, class_names, arrays (what each means), length_unit, caption, notes, parameters,
    quality and provenance (JSON). The components of `class_shares` bear the names of the classes.
    """
    blocks = {LINES: poly_data(network.lines), UNITS: vertex_data(network.points)}
    for mesh in blocks.values():
        names = [name for name in MEANINGS if name in mesh.point_data or name in mesh.cell_data]
        set_text(mesh, "arrays", (f"{name}: {MEANINGS[name]}" for name in names))
        set_text(mesh, "length_unit", "scene units: the width of a layer is 1 unless chosen otherwise")
        _name_classes(mesh, network.class_names)
        _attach_facts(mesh, network)
    return pv.MultiBlock(blocks)


def _name_classes(mesh: pv.PolyData, class_names: tuple[str, ...]) -> None:
    array = mesh.GetPointData().GetArray("class_shares")
    if array is None or array.GetNumberOfComponents() != len(class_names):
        return
    for index, name in enumerate(class_names):
        array.SetComponentName(index, array_name(name))


def _attach_facts(mesh: pv.PolyData, network: BundledNetwork) -> None:
    units = network.edges.units
    set_text(mesh, "layers", network.layout.layers)
    if units is not None:
        set_numbers(mesh, "layer_sizes", units.sizes)
    if network.class_names:
        set_text(mesh, "class_names", network.class_names)
    set_text(mesh, "caption", network.edges.caption)
    notes = (*network.edges.notes, *(": ".join(note) for note in network.provenance.notes))
    if notes:
        set_text(mesh, "notes", notes)
    set_text(mesh, "parameters", json.dumps(network.parameters, default=_plain))
    if network.quality is not None:
        set_text(mesh, "quality", json.dumps(dataclasses.asdict(network.quality)))
    set_text(mesh, "provenance", network.provenance.to_json())


def _plain(value: Any) -> Any:
    """Return what JSON can show of a value that it cannot hold."""
    return dict(value) if isinstance(value, Mapping) else getattr(value, "tolist", lambda: str(value))()
