"""Arrays, recordings and tables of orderings."""

import json

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from io_samples import small_recording, small_volume
from safetensors.numpy import load_file, save_file

from cnnvis.core import FeatureMaps, Ordering, Provenance, Recording
from cnnvis.core.errors import FileFormatError, InvalidInputError, MissingFileError, UnsafeFileError
from cnnvis.io import load, save

FLOATS = st.sampled_from([np.float16, np.float32, np.float64])


@given(hnp.arrays(FLOATS | st.just(np.int64), hnp.array_shapes(min_dims=0, max_side=4)))
@settings(max_examples=40)
def test_an_array_survives_its_file(tmp_path_factory, array):
    back = load(save(array, tmp_path_factory.mktemp("npy") / "x.npy"))
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_npy_holds_the_values_of_a_volume_and_nothing_that_runs(tmp_path):
    path = tmp_path / "x.npy"
    np.testing.assert_array_equal(load(save(small_volume(), path)), small_volume().values)
    with pytest.raises(InvalidInputError, match="holds an array"):
        save(np.array([{}]), path)
    np.save(path, np.array([{}]), allow_pickle=True)
    with pytest.raises(UnsafeFileError, match="refused"):
        load(path)
    path.write_bytes(b"\x80\x04K\x01.")  # a bare pickle
    with pytest.raises(UnsafeFileError, match="refused"):
        load(path)


def test_a_damaged_npy_is_an_error(tmp_path):
    path = save(np.arange(100.0), tmp_path / "x.npy")
    whole = path.read_bytes()
    for part in (b"", whole[:50], whole[:-1]):
        path.write_bytes(part)
        with pytest.raises(FileFormatError, match=r"x\.npy"):
            load(path)
    with path.open("wb") as file:
        np.savez(file, a=np.zeros(2))
    with pytest.raises(FileFormatError, match="archive"):
        load(path)


@st.composite
def recordings(draw):
    n, maps = draw(st.integers(1, 3)), {}
    names = draw(
        st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6), max_size=3, unique=True)
    )
    for name in names:
        shape = (n, *draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=4)))
        values = hnp.arrays(draw(FLOATS), shape)
        maps[name] = FeatureMaps(
            draw(values), name, draw(st.none() | values), Provenance(model=draw(st.text(max_size=3)))
        )
    return Recording(
        maps,
        logits=draw(st.none() | hnp.arrays(np.float32, (n, 4))),
        inputs=tuple(draw(st.lists(st.text(max_size=4), max_size=2))),
        target=draw(st.none() | st.integers(0, 9) | hnp.arrays(np.int64, n, elements=st.integers(0, 9))),
        weight_gradients={name: draw(hnp.arrays(np.float32, (2, 3, 1, 1))) for name in names[:1]},
        provenance=Provenance(model="net", inputs=("a",)),
    )  # fmt: skip


def assert_same_array(got, want):
    if want is None:
        assert got is None
        return
    assert np.asarray(got).dtype == np.asarray(want).dtype
    np.testing.assert_array_equal(got, want)


@given(recordings())
@settings(max_examples=40)
def test_a_recording_survives_its_file(tmp_path_factory, recording):
    path = save(recording, tmp_path_factory.mktemp("rec") / "x.safetensors")
    back = load(path)
    assert back.layers == recording.layers
    for name, maps in recording.maps.items():
        assert_same_array(back[name].activations, maps.activations)
        assert_same_array(back[name].gradients, maps.gradients)
        assert (back[name].layer, back[name].provenance) == (name, maps.provenance)
    assert_same_array(back.logits, recording.logits)
    assert (back.inputs, back.provenance) == (recording.inputs, recording.provenance)
    np.testing.assert_array_equal(back.target, recording.target)
    assert list(back.weight_gradients) == list(recording.weight_gradients)
    assert len(load_file(path)) >= len(recording)  # the format's own library reads it too


def test_memory_maps_are_written_as_they_are(tmp_path):
    values = np.memmap(tmp_path / "store", dtype=np.float32, mode="w+", shape=(2, 3, 4, 4))
    values[:] = np.arange(96).reshape(values.shape)
    path = save(Recording({"conv": FeatureMaps(values, "conv")}), tmp_path / "x.safetensors")
    np.testing.assert_array_equal(load(path)["conv"].activations, values)


def test_what_is_no_recording_is_explained(tmp_path):
    path = tmp_path / "x.safetensors"
    with pytest.raises(
        InvalidInputError,
        match=r"holds a Recording, Importance, .* NetworkMaps or SaliencyMap, got Volume",
    ):
        save(small_volume(), path)
    save_file({"weight": np.zeros(3)}, path)
    with pytest.raises(FileFormatError, match=r"cnnvis\.models\.load"):
        load(path)
    save_file({"weight": np.zeros(3)}, path, metadata={"format": "cnnvis-recording", "version": "99"})
    with pytest.raises(FileFormatError, match="version 99"):
        load(path)
    facts = {"layers": ["a"], "weight_gradients": [], "inputs": [], "provenance": "{}", "layer_provenance": {}}
    metadata = {"format": "cnnvis-recording", "version": "1", "recording": json.dumps(facts)}
    save_file({"weight": np.zeros(3)}, path, metadata=metadata)
    with pytest.raises(FileFormatError, match="activations/a"):
        load(path)


def test_a_damaged_recording_is_an_error(tmp_path):
    path = save(small_recording(), tmp_path / "x.safetensors")
    whole = path.read_bytes()
    for part in (b"", b"hello", whole[:100], whole[:-1]):
        path.write_bytes(part)
        with pytest.raises(
            FileFormatError, match=r"x\.safetensors is not a recording, importance, network or survey, or it is damaged"
        ):
            load(path)


@st.composite
def orderings(draw, n):
    return Ordering(
        np.array(draw(st.permutations(range(n)))),
        "any",
        groups=draw(st.none() | hnp.arrays(np.int64, n, elements=st.integers(-1, 3))),
        scores=draw(st.none() | hnp.arrays(np.float64, n)),
        constant=draw(st.none() | hnp.arrays(bool, n)),
    )


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]))


@given(st.integers(1, 8).flatmap(lambda n: st.dictionaries(NAMES, orderings(n), min_size=1, max_size=3)))
@settings(max_examples=60)
def test_orderings_survive_their_table(tmp_path_factory, orders):
    back = load(save(orders, tmp_path_factory.mktemp("csv") / "x.csv"))
    assert list(back) == list(orders)
    for name, order in orders.items():
        assert back[name].method == name
        for part in ("permutation", "groups", "scores", "constant"):
            assert_same_array(getattr(back[name], part), getattr(order, part))


def test_the_table_by_hand(tmp_path):
    order = Ordering([2, 0, 1], "kmeans", groups=[0, 1, -1], scores=[0.5, 0.25, 0.0], constant=[False, False, True])
    path = save(order, tmp_path / "x.csv")
    assert path.read_text().splitlines() == [
        "position,kmeans.channel,kmeans.group,kmeans.score,kmeans.constant",
        "0,2,-1,0.0,1",
        "1,0,0,0.5,0",
        "2,1,1,0.25,0",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a table"),
        ("position,a\n0,1\n", "no column ends in"),
        ("a,b\n0,1\n", r"not a table of orderings of one layer, by name \(position \.\.\.\); .*columns are a, b"),
        ("position,a.channel\n0,0\n1,x\n", "invalid literal"),
        ("position,a.channel\n0,0\n1\n", "not a table"),
        ("position,a.channel\n0,0\n1,0\n", "not a permutation"),
    ],
)
def test_a_bad_table_is_explained(text, message, tmp_path):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(FileFormatError, match=message):
        load(tmp_path / "x.csv")


def test_what_no_table_holds(tmp_path):
    for obj, message in [({}, "holds one of these: orderings"), ({"a": 1}, "Got dict"),
                         ({"a": Ordering([0], "a"), "b": Ordering([0, 1], "b")}, "as many channels")]:  # fmt: skip
        with pytest.raises(InvalidInputError, match=message):
            save(obj, tmp_path / "x.csv")


def test_the_suffix_decides(tmp_path):
    for path in ("x.vtt", "x"):
        with pytest.raises(FileFormatError, match=r"All suffixes: \.csv, .*\.vti"):
            save(np.zeros(3), tmp_path / path)
    with pytest.raises(FileFormatError, match=r"Did you mean: \.vti"):
        load(tmp_path / "x.vtii")
    with pytest.raises(MissingFileError, match=r"no file .*x\.vti"):
        load(tmp_path / "x.vti")
    with pytest.raises(MissingFileError):
        load(tmp_path.with_suffix(".vti"))
    assert load(save(small_volume(), tmp_path / "X.VTI")).shape == (3, 4, 5)
