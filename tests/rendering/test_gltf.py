"""The glTF format as it is written here, read back by VTK's own reader."""

import json
import struct

import numpy as np
import pytest
import pyvista as pv
from vtkmodules.vtkIOGeometry import vtkGLTFReader

from cnnvis.core.errors import InvalidInputError
from cnnvis.rendering.gltf import LINES, TRIANGLES, Mesh, gltf_bytes

POINTS = np.array([[0, 0, 0], [1, 0, 0], [1, 2, 3]], np.float32)
COLOURS = np.array([[1, 0, 0, 1], [0, 0.5, 0, 0.5], [0, 0, 0.02, 0]])
MESHES = [
    Mesh("links", LINES, POINTS, COLOURS, np.array([0, 1, 1, 2])),
    Mesh("units ü", TRIANGLES, 2 * POINTS, COLOURS, np.array([2, 1, 0])),
]


def blocks(path):
    """Return what VTK reads, mesh after mesh."""
    reader = vtkGLTFReader()
    reader.SetFileName(str(path))
    reader.Update()
    return list(pv.wrap(reader.GetOutput()).recursive_iterator())


@pytest.mark.parametrize("binary", [True, False])
def test_vtk_reads_points_lines_and_triangles(binary, tmp_path):
    path = tmp_path / ("x.glb" if binary else "x.gltf")
    path.write_bytes(gltf_bytes(MESHES, title="t", notes=(), binary=binary))
    lines, triangles = blocks(path)
    upright = [1, -1, -1]  # y is up there, down here
    np.testing.assert_allclose(lines.points, POINTS * upright)
    np.testing.assert_allclose(triangles.points, 2 * POINTS * upright)
    assert lines.lines.reshape(-1, 3).tolist() == [[2, 0, 1], [2, 1, 2]]
    assert triangles.faces.tolist() == [3, 2, 1, 0]


def test_colours_are_linear_and_opacity_is_as_it_was(tmp_path):
    path = tmp_path / "x.glb"
    path.write_bytes(gltf_bytes(MESHES, title="", notes=(), binary=True))
    got = blocks(path)[0].point_data["COLOR_0"]
    wanted = [[1, 0, 0, 1], [0, ((0.5 + 0.055) / 1.055) ** 2.4, 0, 0.5], [0, 0, 0.02 / 12.92, 0]]
    np.testing.assert_allclose(got, wanted, atol=1 / 65535)


def test_the_file_is_laid_out_as_the_format_says():
    raw = gltf_bytes(MESHES, title="a title", notes=["one", "two"], binary=True)
    magic, version, length = struct.unpack("<4sII", raw[:12])
    assert (magic, version, length) == (b"glTF", 2, len(raw))
    size, kind = struct.unpack("<I4s", raw[12:20])
    document = json.loads(raw[20 : 20 + size])
    assert (kind, size % 4) == (b"JSON", 0)
    rest, kind = struct.unpack("<I4s", raw[20 + size : 28 + size])
    assert (kind, rest) == (b"BIN\0", document["buffers"][0]["byteLength"])
    assert len(raw) == 28 + size + rest
    assert document["asset"]["extras"] == {"title": "a title", "notes": ["one", "two"]}
    assert [node["name"] for node in document["nodes"]] == ["scene", "links", "units ü"]
    for accessor in document["accessors"]:
        view = document["bufferViews"][accessor["bufferView"]]
        assert view["byteOffset"] % 4 == 0
        assert view["byteOffset"] + view["byteLength"] <= rest
    first = document["accessors"][0]
    assert (first["min"], first["max"]) == ([0, 0, 0], [1, 2, 3])
    assert json.loads(gltf_bytes(MESHES, title="", notes=(), binary=False))["meshes"] == document["meshes"]


def test_a_colour_per_point_is_needed():
    with pytest.raises(InvalidInputError, match=r"colours has shape \(2, 4\); allowed is \(3, 4\)"):
        Mesh("x", LINES, POINTS, COLOURS[:2], np.array([0, 1]))
