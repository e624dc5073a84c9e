"""The glTF 2.0 format, as far as coloured lines and triangles need it: one file, binary (.glb) or text (.gltf).

Written by hand, since VTK's exporter knows one colour per actor and no translucent lines; the format is JSON and one
buffer. Colours are linear, as the format asks for, and unlit, so that a viewer shows them as they are.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.checks import require_shape

LINES, TRIANGLES = 1, 4
"""What three numbers of indices mean: ends of segments, corners of triangles."""

_ARRAY_BUFFER, _ELEMENT_BUFFER = 34962, 34963
_COMPONENTS = {np.dtype(np.float32): 5126, np.dtype(np.uint16): 5123, np.dtype(np.uint32): 5125}
_TYPES = {1: "SCALAR", 3: "VEC3", 4: "VEC4"}
_UPRIGHT = [1.0, 0.0, 0.0, 0.0]
"""Half a turn around x: y points upwards in glTF, downwards in a scene."""


@dataclass(frozen=True, slots=True)
class Mesh:
    """One drawn thing.

    Parameters
    ----------
    name : str
    mode : {LINES, TRIANGLES}
    points : (P, 3) ndarray of float32
        Scene units, y downwards.
    colours : (P, 4) ndarray of float
        sRGB and opacity, 0 to 1.
    indices : (n,) ndarray of uint32
        Pairs or triples of points.
    """

    name: str
    mode: int
    points: NDArray[np.float32]
    colours: NDArray[np.floating]
    indices: NDArray[np.uint32]

    def __post_init__(self) -> None:
        require_shape("points", self.points, (None, 3))
        require_shape("colours", self.colours, (len(self.points), 4))


def gltf_bytes(meshes: Sequence[Mesh], *, title: str, notes: Sequence[str], binary: bool) -> bytes:
    """Return a file of the meshes, each with at least one line or triangle; `notes` go to `asset.extras`."""
    buffer = _Buffer()
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "cnnvis", "extras": {"title": title, "notes": list(notes)}},
        "extensionsUsed": ["KHR_materials_unlit"],
        "scene": 0,
        "scenes": [{"name": title or "network", "nodes": [0]}],
        "nodes": [{"name": "scene", "rotation": _UPRIGHT, "children": list(range(1, len(meshes) + 1))}],
    }
    document["nodes"] += [{"name": mesh.name, "mesh": index} for index, mesh in enumerate(meshes)]
    document["meshes"] = [{"name": mesh.name, "primitives": [_primitive(mesh, buffer)]} for mesh in meshes]
    document["materials"] = [_MATERIAL]
    document |= {"accessors": buffer.accessors, "bufferViews": buffer.views}
    document["buffers"] = [{"byteLength": len(buffer.content)}]
    if binary:
        return _binary(document, bytes(buffer.content))
    code = base64.b64encode(buffer.content).decode("ascii")
    document["buffers"][0]["uri"] = f"data:application/octet-stream;base64,{code}"
    return json.dumps(document).encode()


_MATERIAL = {
    "name": "as coloured",
    "alphaMode": "BLEND",
    "doubleSided": True,
    "pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 1.0},
    "extensions": {"KHR_materials_unlit": {}},
}


class _Buffer:
    """The one buffer, and what is where in it."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.views: list[dict[str, int]] = []
        self.accessors: list[dict[str, Any]] = []

    def add(self, array: NDArray[Any], target: int, **more: Any) -> int:
        """Append an array and return the number of its accessor."""
        raw = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()
        self.views.append({"buffer": 0, "byteOffset": len(self.content), "byteLength": len(raw), "target": target})
        self.content += raw + b"\0" * (-len(raw) % 4)
        kind = _TYPES[1 if array.ndim == 1 else array.shape[1]]
        entry = {"bufferView": len(self.views) - 1, "componentType": _COMPONENTS[array.dtype], "count": len(array)}
        self.accessors.append(entry | {"type": kind} | more)
        return len(self.accessors) - 1


def _primitive(mesh: Mesh, buffer: _Buffer) -> dict[str, Any]:
    points = mesh.points.astype(np.float32)
    limits = {"min": points.min(axis=0).tolist(), "max": points.max(axis=0).tolist()}
    return {
        "mode": mesh.mode,
        "material": 0,
        "attributes": {
            "POSITION": buffer.add(points, _ARRAY_BUFFER, **limits),
            "COLOR_0": buffer.add(_linear(mesh.colours), _ARRAY_BUFFER, normalized=True),
        },
        "indices": buffer.add(mesh.indices.astype(np.uint32), _ELEMENT_BUFFER),
    }


def _linear(colours: NDArray[np.floating]) -> NDArray[np.uint16]:
    """Return sRGB colours as linear 16-bit numbers; 8 bits cannot tell dark ones apart. Opacity is linear."""
    colours = np.clip(colours, 0, 1).astype(np.float64)
    rgb = colours[:, :3]
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.rint(65535 * np.column_stack([linear, colours[:, 3]])).astype(np.uint16)


def _binary(document: dict[str, Any], content: bytes) -> bytes:
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text  # "JSON"
    chunks += struct.pack("<II", len(content), 0x004E4942) + content  # "BIN"
    return struct.pack("<III", 0x46546C67, 2, 12 + len(chunks)) + chunks
