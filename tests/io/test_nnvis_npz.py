"""nn_vis's .imp.npz and .pro.npz, written as nn_vis writes them; nothing in them ever runs."""

import io
import pickle
import zipfile
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnvis.core import BundledNetwork
from cnnvis.core.errors import CnnvisError, FileFormatError, UnsafeFileError
from cnnvis.io import load, save
from cnnvis.io._object_arrays import read_object_array
from cnnvis.scene import Scene

SIZES = (5, 4, 3)
RNG = np.random.default_rng(0)


def objects(*parts):
    """Return what `np.savez(path, parts)` makes of unlike parts."""
    array = np.empty(len(parts), dtype=object)
    for place, part in enumerate(parts):
        array[place] = part
    return array


def importance_parts():
    """Return (node importance, edge importance) as nn_vis has them: the last layer is a list of rows."""
    units = [RNG.random((size, SIZES[-1])).astype(np.float32) for size in SIZES[:-1]]
    links = [RNG.random((a, b)).astype(np.float32) for a, b in pairwise(SIZES)]
    return [*units, list(np.eye(SIZES[-1], dtype=np.float32))], links


def processed_parts(*, points=4, most=6, backwards=True, counted=True):
    """Return (layer_data, node_data, edge_data, sample_data, max_sample_points), one link missing as nn_vis has it."""
    classes, positions, nodes = SIZES[-1], [], []
    for layer, size in enumerate(SIZES):
        place = np.column_stack([np.arange(size) / 2, np.full(size, layer % 2), np.full(size, 0.4 * layer)])
        positions.append(place)
        profile = RNG.random((size, classes))
        nodes.append(np.column_stack([place, np.ones(size), profile, profile.mean(1), np.linalg.norm(profile, axis=1)]))
    nodes = [np.pad(part, ((0, 0), (0, 12 - part.shape[1]))).astype(np.float32) for part in nodes]
    edges, samples, kept = [], [], []
    for gap in range(len(SIZES) - 1):
        pairs = [(a, b) for a in range(SIZES[gap]) for b in range(SIZES[gap + 1])][:-1]
        records, lines = np.zeros((len(pairs), 16), np.float32), np.zeros((len(pairs), most, 4), np.float32)
        for number, (a, b) in enumerate(pairs):
            t = np.linspace(0, 1, points)[:, None]
            line = (1 - t) * positions[gap][a] + t * positions[gap + 1][b]
            line[1:-1, 1] += 0.1
            records[number, 3] = 0.1 + number
            lines[number, :points, :3] = line[::-1] if backwards and gap % 2 else line
            lines[number, :points, 3] = 1
            lines[number, 0, 3] = points if counted else 1
            lines[number, points - 1, 3] = 1 if counted else 0
            kept.append((gap, a, b, 0.1 + number, line))
        half = len(pairs) // 2
        edges.append([records[:half].reshape(-1), records[half:].reshape(-1)])
        samples.append([lines[:half].reshape(-1), lines[half:].reshape(-1)])
    return (list(SIZES), np.concatenate(nodes).reshape(-1).tolist(), edges, samples, most), nodes, kept


@pytest.fixture
def importance_file(tmp_path):
    """An .imp.npz and its parts."""
    parts = importance_parts()
    np.savez(tmp_path / "net.imp.npz", objects(*parts))
    return tmp_path / "net.imp.npz", *parts


def write_processed(path, parts):
    sizes, nodes, edges, samples, most = parts
    np.savez(path, objects(sizes, np.array(nodes, np.float32), edges, samples, most))
    return path


def test_importance_is_a_network_of_straight_links(importance_file):
    path, of_units, of_links = importance_file
    network = load(path)
    assert isinstance(network, BundledNetwork)
    assert network.edges.units.sizes == SIZES
    assert network.edges.units.layers == ("input", "fc1", "fc2")
    profiles = np.concatenate([np.asarray(layer) for layer in of_units])
    np.testing.assert_array_equal(network.profiles, profiles)
    np.testing.assert_allclose(network.importance, profiles.mean(axis=1))
    assert len(network.edges) == 5 * 4 + 4 * 3
    for source, target, weight in zip(network.edges.source, network.edges.target, network.edges.weight, strict=True):
        gap = int(source >= 5)
        offsets = (0, 5, 9)
        assert weight == of_links[gap][source - offsets[gap], target - offsets[gap + 1]]
    first = network.lines.points[network.lines.offsets[:-1]]
    np.testing.assert_allclose(first, network.layout.positions[network.edges.source], atol=1e-6)


@pytest.mark.parametrize("counted", [True, False])
def test_a_processed_network_keeps_its_lines(counted, tmp_path):
    parts, nodes, kept = processed_parts(counted=counted)
    network = load(write_processed(tmp_path / "net.pro.npz", parts))
    table = np.concatenate(nodes)
    np.testing.assert_allclose(network.layout.positions, table[:, :3])
    np.testing.assert_allclose(network.profiles, table[:, 4:7])
    np.testing.assert_allclose(network.importance, table[:, 7])
    assert len(network.edges) == len(kept) == 5 * 4 + 4 * 3 - 2
    offsets = (0, 5, 9)
    for number, (gap, a, b, importance, line) in enumerate(kept):
        assert network.edges.source[number] == offsets[gap] + a
        assert network.edges.target[number] == offsets[gap + 1] + b
        assert network.edges.weight[number] == pytest.approx(importance)
        start, stop = network.lines.offsets[number : number + 2]
        np.testing.assert_allclose(network.lines.points[start:stop], line, atol=1e-6)


def test_what_comes_in_can_be_saved_and_drawn(importance_file, tmp_path):
    network = load(importance_file[0])
    save(network, tmp_path / "net.safetensors")
    again = load(tmp_path / "net.safetensors")
    np.testing.assert_array_equal(again.lines.point_arrays["importance"], network.lines.point_arrays["importance"])
    assert {"t", "importance", "layer", "class_shares"} <= set(again.lines.point_arrays)
    assert Scene.of_network(again)["bundle"] is not None
    with pytest.raises(FileFormatError, match="read, not written"):
        save(network, tmp_path / "out.npz")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("numpy_1", [True, False])
def test_the_pickles_of_all_versions_of_numpy(numpy_1, protocol):
    parts = importance_parts()
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": "|O", "fortran_order": False, "shape": (2,)})
    pickled = pickle.dumps(objects(*parts), protocol=protocol)
    if numpy_1 and protocol < 4:
        pickled = pickled.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    content.write(pickled)
    content.seek(0)
    if protocol == 5:  # of buffers; numpy never writes it into a file
        with pytest.raises(UnsafeFileError, match="wants to import"):
            read_object_array(content)
        return
    got = read_object_array(content)
    for layer, expected in zip(got[0], parts[0], strict=True):
        np.testing.assert_array_equal(np.asarray(layer), np.asarray(expected))


@settings(max_examples=100)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text() | st.binary(),
        lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner),
        max_leaves=10,
    )
)
def test_whatever_plain_objects_numpy_writes_are_read(value):
    content = io.BytesIO()
    np.save(content, objects(value, [value], np.arange(3)), allow_pickle=True)
    content.seek(0)
    got = read_object_array(content)
    assert got[0] == value
    assert got[1] == [value]
    np.testing.assert_array_equal(got[2], np.arange(3))


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=">i2").reshape(2, 3),
        np.asfortranarray(np.random.default_rng(0).random((3, 4))),
        np.float32(2.5),
        np.array([True, False]),
        np.zeros((0, 3)),
        objects([1], 2),
    ],
)
def test_arrays_within_arrays(array):
    content = io.BytesIO()
    np.save(content, objects(array, array), allow_pickle=True)
    content.seek(0)
    for got in read_object_array(content):
        np.testing.assert_array_equal(got, array)
        assert np.asarray(got).shape == np.shape(array)


class Bomb:
    """Runs code when it is unpickled."""

    def __init__(self, call):
        self.call = call

    def __reduce__(self):
        return self.call


def bombs():
    import builtins
    import os

    return [
        (os.system, ("touch exploded",)),
        (builtins.eval, ("open('exploded', 'w')",)),
        (np.load, ("exploded",)),
        (np.ndarray, ((2,),)),
        (np.memmap, ("exploded", "u1", "w+", 0, (4,))),
    ]


@pytest.mark.parametrize("call", bombs())
def test_nothing_runs(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("net.imp.npz", objects([Bomb(call)], [1]))
    with pytest.raises(UnsafeFileError, match=r"net\.imp\.npz holds a pickle that .*; it was refused"):
        load("net.imp.npz")
    assert not (tmp_path / "exploded").exists()


def with_pickle(path, pickled):
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": "|O", "fortran_order": False, "shape": (2,)})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("arr_0.npy", content.getvalue() + pickled)
    return path


@pytest.mark.parametrize(
    ("pickled", "error"),
    [
        (b"\x80\x04ios\nsystem\n.", UnsafeFileError),  # INST
        (b"\x80\x04cos\nsystem\n.", UnsafeFileError),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", UnsafeFileError),
        (b"\x80\x02\x82\x01.", UnsafeFileError),  # an extension
        (b"\x80\x04Pthing\n.", UnsafeFileError),  # a persistent id
        (b"\x80\x04}.", UnsafeFileError),
        (b"\x80\x04(cnumpy\ndtype\nX\x02\x00\x00\x00f4\x81.", UnsafeFileError),  # NEWOBJ
        (b"\x80\x04]K\x01b.", UnsafeFileError),  # the state of a list
        (b"\x80\x04h\x07.", FileFormatError),
        (b"\x80\x04K\x01K\x01a.", FileFormatError),
        (b"\x80\x04.", FileFormatError),
        (b"\x80\x04K\x01", FileFormatError),
        (b"\x80\x04K\x01K\x01R.", FileFormatError),
        (b"", FileFormatError),
        (b"\xff\xff", FileFormatError),
    ],
)
def test_strange_pickles_are_refused(pickled, error, tmp_path):
    with pytest.raises(error, match=r"net\.imp\.npz"):
        load(with_pickle(tmp_path / "net.imp.npz", pickled))


@settings(max_examples=400)
@given(st.data())
def test_changed_and_truncated_files_are_errors_or_networks(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("nnvis")
    parts = data.draw(st.sampled_from([objects(*importance_parts()), _processed_objects()]))
    content = io.BytesIO()
    np.save(content, parts, allow_pickle=True)
    changed = bytearray(content.getvalue())
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    changed = changed[: data.draw(st.one_of(st.just(len(changed)), st.integers(0, len(changed))))]
    with zipfile.ZipFile(folder / "net.pro.npz", "w") as archive:
        archive.writestr("arr_0.npy", bytes(changed))
    try:
        assert isinstance(load(folder / "net.pro.npz"), BundledNetwork)
    except CnnvisError as error:
        assert "net.pro.npz" in str(error)  # noqa: PT017 - one of two allowed ends


def _processed_objects():
    sizes, nodes, edges, samples, most = processed_parts()[0]
    return objects(sizes, np.array(nodes, np.float32), edges, samples, most)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p[0].pop(), "it has 12 units in layers of"),
        (lambda p: p[2].pop(), "links of 1 gaps between 3 layers"),
        (lambda p: p[3][0].pop(), "shorter"),
        (lambda p: p[3][0].__setitem__(0, p[3][0][0][:-24]), "9 links and 8 lines"),
        (lambda p: p[3][0][0].__setitem__(slice(0, 3), 50.0), "do not end at units"),
        (lambda p: p[3][0][0].__setitem__(3, 99.0), "a line has 99 points of 6"),
        (lambda p: p[1].extend([0.0] * 12), "it has 13 units in layers of"),
    ],
)
def test_processed_networks_that_do_not_fit_together(change, message, tmp_path):
    parts = processed_parts()[0]
    change(parts)
    with pytest.raises(FileFormatError, match=rf"net\.pro\.npz is no file of nn_vis or damaged: .*({message})"):
        load(write_processed(tmp_path / "net.pro.npz", parts))


def test_importance_that_does_not_fit_together(tmp_path):
    of_units, of_links = importance_parts()
    np.savez(tmp_path / "a.imp.npz", objects(of_units, [of_links[0].T, of_links[1]]))
    with pytest.raises(
        FileFormatError, match=r"links of \[\(4, 5\), \(4, 3\)\] do not join layers of \[5, 4, 3\] units"
    ):
        load(tmp_path / "a.imp.npz")
    np.savez(tmp_path / "b.imp.npz", objects([-np.ones((2, 2)), np.eye(2)], [np.ones((2, 2))]))
    with pytest.raises(FileFormatError, match="must not be negative"):
        load(tmp_path / "b.imp.npz")
    np.savez(tmp_path / "c.npz", objects(1, 2, 3))
    with pytest.raises(FileFormatError, match=r"holds \(3,\) parts, not 2 or 5"):
        load(tmp_path / "c.npz")
    np.savez(tmp_path / "d.npz", numbers=np.arange(3))
    with pytest.raises(FileFormatError, match="is no file of nn_vis"):
        load(tmp_path / "d.npz")
    (tmp_path / "e.npz").write_bytes(b"PK")
    with pytest.raises(FileFormatError, match="is no file of nn_vis"):
        load(tmp_path / "e.npz")
