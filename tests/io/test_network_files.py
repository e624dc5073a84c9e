"""A bundled network in its files: nothing lost in .safetensors, and what ParaView gets."""

import dataclasses
import json

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import pyvista as pv
from hypothesis import given, settings
from hypothesis import strategies as st
from network_samples import assert_same, sagging_network
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from cnnvis.core import BundledNetwork, EdgeSet, Layout, PointSet, PolylineSet, Provenance
from cnnvis.core.errors import DataMismatchError, FileFormatError, InvalidInputError, OutputError
from cnnvis.io import load, save
from cnnvis.layout import straight_lines
from cnnvis.scene import Scene

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=5,
)
ARRAYS = st.sampled_from([np.float16, np.float32, np.float64, np.int64, np.uint8, bool])


@st.composite
def networks(draw):
    """Networks of plain numbers, with point and line arrays of any name, type and shape."""
    n_units, n_edges = draw(st.integers(1, 4)), draw(st.integers(0, 3))
    ends = hnp.arrays(np.int64, n_edges, elements=st.integers(0, n_units - 1))
    counts = draw(hnp.arrays(np.int64, n_edges, elements=st.integers(0, 3)))
    offsets = np.concatenate([[0], np.cumsum(counts)])
    n_points = int(offsets[-1])

    def arrays(length):
        shapes = st.tuples(st.just(length)) | st.tuples(st.just(length), st.integers(1, 3))
        return draw(st.dictionaries(WORDS, st.tuples(ARRAYS, shapes).flatmap(lambda a: hnp.arrays(*a)), max_size=2))

    finite = st.floats(-1e6, 1e6, width=32)
    return BundledNetwork(
        edges=EdgeSet(draw(ends), draw(ends), draw(hnp.arrays(float, n_edges, elements=st.floats(0, 1e9)))),
        layout=Layout(draw(hnp.arrays(float, (n_units, 3), elements=finite)), np.zeros(n_units, int)),
        lines=PolylineSet(
            draw(hnp.arrays(np.float32, (n_points, 3), elements=finite)),
            offsets,
            arrays(n_points),
            arrays(n_edges),
        ),
        importance=draw(st.none() | hnp.arrays(float, n_units, elements=st.floats(0, 1e9))),
        parameters=draw(st.dictionaries(WORDS, JSON, max_size=3)),
        provenance=Provenance(draw(WORDS), notes=draw(st.dictionaries(WORDS, WORDS, max_size=2))),
    )


@given(networks())
@settings(max_examples=60)
def test_a_network_survives_its_file(tmp_path_factory, network):
    assert_same(load(save(network, tmp_path_factory.mktemp("net") / "x.safetensors")), network)


@pytest.mark.parametrize("classes", [0, 3])
def test_everything_a_network_knows_comes_back(classes, tmp_path):
    network = sagging_network(classes=classes)
    back = load(save(network, tmp_path / "x.safetensors"))
    assert_same(back, network)
    assert_same(back.points, network.points)
    assert back.graph["fc1"].attributes["kernel"] == [1, 2]
    assert back.edges.n_total == 2 * len(network.edges)


def test_its_tensors_are_open_to_any_reader(tmp_path):
    network = sagging_network()
    path = save(network, tmp_path / "x.safetensors")
    tensors = load_file(path)
    np.testing.assert_array_equal(tensors["lines/points"], network.lines.points)
    np.testing.assert_array_equal(tensors["edges/weight"], network.edges.weight)
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    assert (metadata["format"], metadata["version"]) == ("cnnvis-network", "1")
    assert json.loads(metadata["network"])["graph"]["model"] == "Net"


def test_parameters_hold_numbers_of_numpy_and_arrays(tmp_path):
    network = sagging_network()
    given = {
        "rate": np.float32(0.5),
        "pair": (1, 2),
        "curve": np.arange(3),
        "a/b": np.arange(2),
        "a": {"b": np.ones(1)},
    }
    changed = BundledNetwork(network.edges, network.layout, network.lines, parameters=given)
    back = load(save(changed, tmp_path / "x.safetensors")).parameters
    assert (back["rate"], back["pair"]) == (0.5, [1, 2])
    for got, want in ((back["curve"], [0, 1, 2]), (back["a/b"], [0, 1]), (back["a"]["b"], [1.0])):
        assert got.tolist() == want


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({"how": print}, "parameters/how is a builtin_function"), ({"by": {3: 1}}, "parameters/by has the key 3"),
     ({"seen": {1, 2}}, "parameters/seen is a set"), ({"z": np.array(["a"])}, "parameters/z has dtype")],
)  # fmt: skip
def test_parameters_that_no_file_can_hold_are_named(parameters, message, tmp_path):
    network = sagging_network()
    with pytest.raises(InvalidInputError, match=message):
        save(
            BundledNetwork(network.edges, network.layout, network.lines, parameters=parameters),
            tmp_path / "x.safetensors",
        )
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_named(tmp_path):
    path = save(sagging_network(), tmp_path / "x.safetensors")
    whole = path.read_bytes()
    for part in (b"", b"hello", whole[:200], whole[: len(whole) // 2], whole[:-1]):
        path.write_bytes(part)
        with pytest.raises(FileFormatError, match=r"x\.safetensors is not a recording, importance, network or survey"):
            load(path)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"version": "99"}, "version 99, this cnnvis reads 1; update"),
        ({"version": "one"}, "damaged network file"),
        ({"network": "{"}, "damaged network file"),
        ({"network": "{}"}, "damaged network file: 'edges'"),
        ({"network": '{"edges": {"$tensor": "gone"}}'}, "damaged network file: .*gone"),
        (
            {"format": "somebody else's"},
            "no recording, importance, bundled network, survey, maps of a",
        ),
    ],
)
def test_a_foreign_or_newer_file_is_named(metadata, message, tmp_path):
    known = {"format": "cnnvis-network", "version": "1", "network": "{}"}
    save_file({"a": np.zeros(1)}, tmp_path / "x.safetensors", metadata=known | metadata)
    with pytest.raises(FileFormatError, match=message) as caught:
        load(tmp_path / "x.safetensors")
    assert "x.safetensors" in str(caught.value)


def test_what_the_tensors_say_is_checked(tmp_path):
    path = save(sagging_network(), tmp_path / "x.safetensors")
    with safe_open(path, framework="numpy") as file:
        metadata, tensors = file.metadata(), load_file(path)
    save_file(tensors | {"lines/points": tensors["lines/points"][:-1]}, path, metadata=metadata)
    with pytest.raises(FileFormatError, match=r"x\.safetensors is a damaged network file: offsets must"):
        load(path)


def test_a_failed_write_leaves_the_old_file(tmp_path, full_disk):
    path = save(sagging_network(), tmp_path / "x.safetensors")
    before = path.read_bytes()
    with full_disk(1000), pytest.raises(OutputError):
        save(sagging_network((20, 20)), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_units_survive_their_file_and_are_told_from_lines(tmp_path):
    network = sagging_network()
    assert_same(load(save(network.points, tmp_path / "units.vtp")), network.points)
    assert_same(load(save(network.lines, tmp_path / "lines.vtp")), network.lines)
    nothing = PointSet(np.zeros((0, 3)))
    assert_same(load(save(nothing, tmp_path / "none.vtp")), nothing)


def test_a_network_is_a_set_of_lines_and_units_for_paraview(tmp_path):
    network = sagging_network()
    path = save(network, tmp_path / "net.vtm")
    back = load(path)
    assert_same(back, {"lines": network.lines, "units": network.points})
    blocks = pv.read(path)  # another program
    assert blocks.keys() == ["lines", "units"]
    assert blocks["lines"].n_lines == len(network.edges)
    assert blocks["units"].n_verts == len(network.layout)
    shares = blocks["lines"].GetPointData().GetArray("class_shares")
    assert [shares.GetComponentName(index) for index in range(3)] == list(network.class_names)
    assert list(blocks["units"].field_data["layers"]) == ["fc0", "fc1", "fc2"]
    with pytest.raises(InvalidInputError, match=r"A bundled network goes into a \.vtm file"):
        save(network, tmp_path / "net.vtp")


def test_names_of_classes_cannot_break_the_xml(tmp_path):
    known = sagging_network()
    names = ('T-shirt "top"', "<b>", "größe & co")
    network = BundledNetwork(known.edges, known.layout, known.lines, profiles=known.profiles, class_names=names)
    path = save(network, tmp_path / "net.vtm")
    assert_same(load(path)["lines"], network.lines)
    mesh = pv.read(path)["lines"]
    shares = mesh.GetPointData().GetArray("class_shares")
    assert [shares.GetComponentName(index) for index in range(3)] == ["T-shirt _top_", "_b_", "größe _ co"]
    assert list(mesh.field_data["class_names"]) == list(names)


def test_stages_of_bundling_are_a_series(tmp_path):
    lines = sagging_network().lines
    stages = {"unbundled": lines.blended(0), "half way": lines.blended(0.5), "bundled": lines}
    path = save(stages, tmp_path / "stages.pvd")
    assert_same(load(path), stages)
    reader = pv.get_reader(path)
    assert reader.time_values == [0.0, 1.0, 2.0]
    np.testing.assert_array_equal(reader.read()[0].points, stages["unbundled"].points)
    again = save({5: sagging_network().points, 10: sagging_network(seed=1).points}, path)
    assert_same(load(again), {5: sagging_network().points, 10: sagging_network(seed=1).points})
    assert len(list((tmp_path / "stages").iterdir())) == 2


def test_a_series_is_of_one_kind(tmp_path):
    network = sagging_network()
    with pytest.raises(InvalidInputError, match="of one kind, got PointSet, PolylineSet"):
        save([network.lines, network.points], tmp_path / "x.pvd")
    with pytest.raises(InvalidInputError, match="of one kind, got PolylineSet, Volume"):
        save([network.lines, np.zeros((2, 3, 4))], tmp_path / "x.pvd")
    assert list(tmp_path.iterdir()) == []


def test_arrays_that_units_imply_are_not_written_and_come_back_to_the_last_bit(tmp_path):
    known = sagging_network((6, 5, 4), samples=7)
    lines = straight_lines(known.edges, known.layout, profiles=known.profiles)
    network = dataclasses.replace(known, lines=lines)
    path = save(network, tmp_path / "x.safetensors")
    assert not {"lines/point_arrays/class_shares", "lines/point_arrays/layer"} & set(load_file(path))
    assert_same(load(path), network)
    shares = lines.point_arrays["class_shares"].copy()
    shares[3, 1] = np.nextafter(shares[3, 1], 1)
    changed = dataclasses.replace(lines, point_arrays={**lines.point_arrays, "class_shares": shares})
    other = dataclasses.replace(network, lines=changed)
    path = save(other, tmp_path / "y.safetensors")
    assert "lines/point_arrays/class_shares" in load_file(path)
    assert_same(load(path), other)
    for name in ("t", "layer"):  # nothing to imply it from, or not what is implied
        fewer = {key: array for key, array in lines.point_arrays.items() if key != name}
        without = dataclasses.replace(network, lines=dataclasses.replace(lines, point_arrays=fewer))
        assert_same(load(save(without, tmp_path / "z.safetensors")), without)


def test_links_between_units_without_a_place_imply_nothing(tmp_path):
    layout = Layout(np.zeros((1, 3)), [0])
    lines = PolylineSet(np.zeros((2, 3)), [0, 2], {"t": np.float32([0, 1]), "layer": np.zeros(2, np.float32)})
    network = BundledNetwork(EdgeSet([0], [5], [1.0]), layout, lines)
    assert_same(load(save(network, tmp_path / "x.safetensors")), network)


def test_a_scene_keeps_its_network_beside_it(tmp_path):
    network = sagging_network()
    scene = Scene.of_network(network, blend=0.5, mode="lines", shown_class="class 1")
    stages = [network.lines.blended(0), network.lines]
    scene.set_frames("iteration", ["0", "23"], {"bundle": stages})
    path = save(scene, tmp_path / "s.json")
    back = load(path)
    assert back.state() == scene.state()
    assert_same(back.frames["bundle"], tuple(stages))
    assert_same(back["units"].data, network.points)
    pieces = sorted(piece.suffix for piece in (tmp_path / "s.data").iterdir())
    assert pieces == [".npy", ".vtp", ".vtp", ".vtp"]  # labels, units and both stages, each once


def test_a_scene_with_another_network_beside_it_is_refused(tmp_path):
    path = save(Scene.of_network(sagging_network()), tmp_path / "s.json")
    piece = next((tmp_path / "s.data").glob("*bundle*.vtp"))
    save(sagging_network(seed=1).lines, piece)
    with pytest.raises(DataMismatchError, match=piece.name):
        load(path)
