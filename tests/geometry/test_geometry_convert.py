"""Core objects to pyvista and back: exact, named, shared."""

import gc
import json
import subprocess
import sys
import weakref
from itertools import pairwise

import numpy as np
import pytest
import pyvista as pv
from hypothesis import given, settings
from network_samples import assert_same, sagging_network
from object_samples import assert_same_lines, assert_same_volume, volumes

from cnnvis.core import (
    BundledNetwork,
    EdgeSet,
    FeatureMaps,
    PointSet,
    PolylineSet,
    Provenance,
    Recording,
    Volume,
    as_volume,
)
from cnnvis.core.errors import InvalidInputError, NoSpatialMapsError
from cnnvis.geometry import add_value_statistics, from_pyvista, to_pyvista
from cnnvis.geometry.field_data import get_numbers, get_text, set_numbers


@given(volumes())
@settings(max_examples=50)
def test_a_volume_comes_back_exactly(volume):
    assert_same_volume(from_pyvista(to_pyvista(volume)), volume)


def test_axes_are_channel_row_column_without_a_flip():
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    grid = to_pyvista(Volume(values, spacing=(1.0, 2.0, 5.0)))
    assert grid.dimensions == (4, 3, 2)
    index = grid.find_closest_point((3.0, 2.0 * 1, 5.0 * 1))  # column 3, row 1, channel 1
    assert grid.point_data["activation"][index] == values[1, 1, 3]


def test_field_data_name_the_permutation_and_its_inverse():
    volume = Volume(np.zeros((3, 2, 2)), layer="features.0", channels=[2, 0, 1], groups=[0, 0, -1], method="pca")
    grid = to_pyvista(volume)
    assert get_text(grid, "layer") == "features.0"
    assert get_text(grid, "method") == "pca"
    assert get_numbers(grid, "channels").tolist() == [2, 0, 1]
    assert get_numbers(grid, "inverse").tolist() == [1, 2, 0]
    assert get_numbers(grid, "groups").tolist() == [0, 0, -1]
    assert list(grid.field_data["channel_names"]) == ["features.0[2]", "features.0[0]", "features.0[1]"]


def test_part_of_the_channels_has_no_inverse():
    grid = to_pyvista(Volume(np.zeros((2, 2, 2)), channels=[7, 3]))
    assert get_numbers(grid, "inverse") is None
    assert from_pyvista(grid).channels.tolist() == [7, 3]


def test_statistics_leave_missing_values_out():
    volume = Volume(np.array([1.0, np.nan, 3.0, np.inf]).reshape(1, 2, 2))
    grid = to_pyvista(volume)
    assert get_numbers(grid, "n_missing") is None  # they cost a pass, so only on request
    add_value_statistics(grid, volume)
    assert get_numbers(grid, "value_range").tolist() == [1.0, 3.0]
    assert get_numbers(grid, "n_missing").tolist() == [2]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_are_shared_and_kept_alive(dtype):
    values = np.random.default_rng(0).random((4, 5, 6)).astype(dtype)
    expected, owner = values.copy(), weakref.ref(values)
    volume = Volume(values)
    grid = to_pyvista(volume)
    assert np.shares_memory(grid.point_data["activation"], values)
    back = from_pyvista(grid)
    assert np.shares_memory(back.values, values)
    del values, volume, grid
    gc.collect()
    assert owner() is not None
    np.testing.assert_array_equal(back.values, expected)
    del back
    gc.collect()
    assert owner() is None  # nothing leaks either


def test_values_that_are_not_contiguous_are_copied_right():
    values = np.arange(24, dtype=np.float32).reshape(4, 3, 2).transpose(2, 1, 0)
    grid = to_pyvista(Volume(values))
    np.testing.assert_array_equal(from_pyvista(grid).values, values)


def test_maps_and_arrays_become_volumes():
    maps = FeatureMaps(np.arange(48, dtype=np.float16).reshape(2, 2, 3, 4), layer="conv")
    np.testing.assert_array_equal(from_pyvista(to_pyvista(maps)).values, maps.activations[0])
    np.testing.assert_array_equal(from_pyvista(to_pyvista(maps, image=1)).values, maps.activations[1])
    np.testing.assert_array_equal(as_volume(maps.activations, image=-1).values, maps.activations[1])
    assert as_volume(np.zeros((32, 112, 112))).spacing == pytest.approx((1, 1, 112 / 31))
    with pytest.raises(InvalidInputError, match="holds 2 images, got image 2"):
        to_pyvista(maps, image=2)


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        (np.zeros((3, 4)), r"got float64 of shape \(3, 4\)"),
        (np.zeros((2, 2, 2), dtype=complex), "complex128"),
        (np.array([[["a"]]]), "<U1"),
        ("features.0", "got str"),
    ],
)
def test_what_is_no_volume_is_refused(obj, message):
    with pytest.raises(InvalidInputError, match=message):
        to_pyvista(obj)


def test_layers_stand_side_by_side_without_overlap():
    recording = Recording(
        {
            "conv": FeatureMaps(np.ones((1, 2, 8, 8), np.float32), layer="conv"),
            "fc": FeatureMaps(np.ones((1, 10), np.float32), layer="fc"),
            "tiny": FeatureMaps(np.ones((1, 3, 1, 1), np.float32), layer="tiny"),
            "last": FeatureMaps(np.ones((1, 3, 4, 2), np.float32), layer="last"),
        }
    )
    blocks = to_pyvista(recording)
    assert blocks.keys() == ["conv", "tiny", "last"]  # fc has no maps
    ends = [(block.bounds.x_min, block.bounds.x_max) for block in blocks]
    assert all(left[1] < right[0] for left, right in pairwise(ends))
    assert from_pyvista(blocks)["last"].shape == (3, 4, 2)


def test_a_recording_without_maps_says_so():
    recording = Recording({"fc": FeatureMaps(np.ones((1, 10)), layer="fc")})
    with pytest.raises(NoSpatialMapsError, match="recorded are: fc"):
        to_pyvista(recording)
    with pytest.raises(InvalidInputError, match="empty"):
        to_pyvista({})


def test_foreign_images_get_sensible_defaults():
    grid = pv.ImageData(dimensions=(4, 3, 2), spacing=(2, 2, 2))
    grid["density"] = np.arange(24, dtype=np.uint8)
    volume = from_pyvista(grid)
    assert (volume.quantity, volume.layer, volume.method, volume.spacing) == ("density", "", "original", (2, 2, 2))
    np.testing.assert_array_equal(volume.values, np.arange(24).reshape(2, 3, 4))


def test_foreign_images_must_say_which_values_are_meant():
    grid = pv.ImageData(dimensions=(2, 2, 2))
    with pytest.raises(InvalidInputError, match="needs one point array"):
        from_pyvista(grid)
    grid["velocity"] = np.zeros((8, 3))
    with pytest.raises(InvalidInputError, match="3 components"):
        from_pyvista(grid)
    with pytest.raises(InvalidInputError, match="UnstructuredGrid"):
        from_pyvista(pv.UnstructuredGrid())


def test_a_crop_along_the_channels_drops_what_no_longer_fits(caplog):
    grid = to_pyvista(Volume(np.arange(16, dtype=np.float32).reshape(4, 2, 2), layer="conv", channels=[3, 2, 1, 0]))
    crop = grid.extract_subset((0, 1, 0, 1, 1, 2))
    for name in grid.field_data:
        crop.GetFieldData().AddArray(grid.GetFieldData().GetAbstractArray(name))
    volume = from_pyvista(crop)
    assert volume.layer == "conv"
    assert volume.channels.tolist() == [0, 1]
    assert "describe 4 channels, the image has 2" in caplog.text


def test_a_newer_format_is_read_with_a_warning(caplog):
    grid = to_pyvista(Volume(np.zeros((1, 2, 2)), layer="conv"))
    set_numbers(grid, "cnnvis_format", 99)
    assert from_pyvista(grid).layer == "conv"
    assert "format 99" in caplog.text


LINES = PolylineSet(
    points=np.arange(15, dtype=np.float32).reshape(5, 3),
    offsets=[0, 2, 5],
    point_arrays={"importance": np.arange(5.0), "colour": np.arange(10, dtype=np.float32).reshape(5, 2)},
    line_arrays={"weight": np.array([0.5, 2.0])},
)


def test_polylines_come_back_exactly_and_are_shared():
    mesh = to_pyvista(LINES)
    assert mesh.n_lines == 2
    assert mesh.get_cell(1).point_ids == [2, 3, 4]
    assert np.shares_memory(mesh.points, LINES.points)
    assert np.shares_memory(mesh.point_data["importance"], LINES.point_arrays["importance"])
    assert np.shares_memory(mesh.cell_data["weight"], LINES.line_arrays["weight"])
    back = from_pyvista(mesh)
    assert_same_lines(back, LINES)
    assert np.shares_memory(back.points, LINES.points)


def test_no_polylines_at_all():
    empty = PolylineSet(np.zeros((0, 3)), [0])
    assert_same_lines(from_pyvista(to_pyvista(empty)), empty)


def test_foreign_lines_that_share_points_are_gathered():
    mesh = pv.PolyData()
    mesh.points = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0]], dtype=np.float32)
    mesh.lines = [2, 2, 1, 2, 1, 0]
    mesh["x"] = np.array([10.0, 11.0, 12.0])
    lines = from_pyvista(mesh)
    assert lines.offsets.tolist() == [0, 2, 4]
    assert lines.points[:, 0].tolist() == [2, 1, 1, 0]
    assert lines.point_arrays["x"].tolist() == [12, 11, 11, 10]


def test_geometry_loads_no_rendering():
    code = "import sys, cnnvis.geometry; print([m for m in sys.modules if 'Rendering' in m or 'pyvista.plotting' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


POINTS = PointSet(
    np.arange(9, dtype=np.float32).reshape(3, 3),
    {"importance": np.arange(3.0), "class_shares": np.eye(3, dtype=np.float32), "unit": np.arange(3)},
)


def test_points_become_vertices_and_come_back_shared():
    mesh = to_pyvista(POINTS)
    assert (mesh.n_verts, mesh.n_lines, mesh.n_cells) == (3, 0, 3)
    assert np.shares_memory(mesh.point_data["class_shares"], POINTS.arrays["class_shares"])
    back = from_pyvista(mesh)
    assert_same(back, POINTS)
    assert np.shares_memory(back.points, POINTS.points)


def test_no_points_are_still_points_and_no_lines_lines():
    nothing = PointSet(np.zeros((0, 3)))
    assert_same(from_pyvista(to_pyvista(nothing)), nothing)
    assert isinstance(from_pyvista(pv.PolyData()), PolylineSet)


def test_foreign_vertices_are_gathered_and_lines_go_before_them():
    mesh = pv.PolyData()
    mesh.points = np.eye(3, dtype=np.float32)
    mesh["x"] = np.array([5.0, 6.0, 7.0])
    mesh.verts = [1, 2, 1, 0]
    assert from_pyvista(mesh).arrays["x"].tolist() == [7.0, 5.0]
    mesh.lines = [2, 1, 2]
    back = from_pyvista(mesh)
    assert isinstance(back, PolylineSet)
    assert back.point_arrays["x"].tolist() == [6.0, 7.0]


def test_a_network_becomes_its_lines_and_its_units():
    network = sagging_network()
    blocks = to_pyvista(network)
    assert blocks.keys() == ["lines", "units"]
    back = from_pyvista(blocks)
    assert_same(back["lines"], network.lines)
    assert_same(back["units"], network.points)
    for mesh in blocks:
        shares = mesh.GetPointData().GetArray("class_shares")
        assert [shares.GetComponentName(index) for index in range(3)] == ["class 0", "class 1", "class 2"]
        assert list(mesh.field_data["layers"]) == ["fc0", "fc1", "fc2"]
        assert get_numbers(mesh, "layer_sizes").tolist() == [4, 3, 2]
        assert list(mesh.field_data["class_names"]) == ["class 0", "class 1", "class 2"]
        assert json.loads(get_text(mesh, "parameters"))["nested"] == {"seed": 3}
        assert json.loads(get_text(mesh, "quality"))["ink_after"] == 300
        assert list(mesh.field_data["notes"]) == ["The bias is not drawn.", "links: half of them"]
        assert get_text(mesh, "caption") == network.edges.caption
        assert Provenance.from_json(get_text(mesh, "provenance")) == network.provenance
    described = [line.partition(":")[0] for line in blocks["lines"].field_data["arrays"]]
    assert sorted(described) == ["class_shares", "importance", "layer", "source", "t", "target", "weight"]


def test_a_network_that_knows_little_is_converted_too():
    known = sagging_network(classes=0)
    edges = EdgeSet(known.edges.source, known.edges.target, known.edges.weight)
    network = BundledNetwork(edges, known.layout, known.lines, parameters={"how": print, "rate": np.float32(0.5)})
    fields = to_pyvista(network)["units"].field_data
    assert not {"class_names", "quality", "notes", "layer_sizes"} & set(fields)
    assert json.loads(get_text(to_pyvista(network)["units"], "parameters"))["rate"] == 0.5


def test_class_names_that_do_not_fit_the_shares_are_left_out():
    known = sagging_network(classes=3)
    network = BundledNetwork(known.edges, known.layout, known.lines, class_names=("a", "b"))
    assert to_pyvista(network)["lines"].GetPointData().GetArray("class_shares").GetComponentName(0) is None


def test_a_mapping_may_hold_points_beside_volumes():
    blocks = to_pyvista({"maps": np.zeros((2, 3, 4)), "units": POINTS, "lines": LINES})
    assert blocks.keys() == ["maps", "units", "lines"]
    assert_same(from_pyvista(blocks)["units"], POINTS)
