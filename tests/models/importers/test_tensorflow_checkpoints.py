"""Checkpoints of TensorFlow, written by the tests from the specification, and what is done about damaged ones."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from tensorflow_writer import crc32c as bitwise_crc32c
from tensorflow_writer import entry, literals, object_graph, table, write_checkpoint

from cnnvis.core.errors import CheckpointError, CnnvisError, FileFormatError, InvalidInputError, MissingFileError
from cnnvis.models.importers import is_tensorflow, read_tensorflow, tensorflow_epochs
from cnnvis.models.importers._crc32c import crc32c
from cnnvis.models.importers._crc32c import masked as masked_crc
from cnnvis.models.importers._snappy import unpacked
from cnnvis.models.importers._table import read_table
from cnnvis.models.importers.tensorflow import _ordered_signed

RNG = np.random.default_rng(0)
TENSORS = {
    "conv0/kernel": RNG.standard_normal((3, 3, 1, 4)).astype(np.float32),
    "conv0/bias": RNG.standard_normal(4).astype(np.float64),
    "conv1/half": RNG.standard_normal((2, 5)).astype(np.float16),
    "global_step": np.int64(-7),
    "mask": np.array([True, False]),
    "none": np.zeros((0, 3), np.float32),
}


def same(weights, tensors):
    assert set(weights.shapes) == set(tensors)
    for name, value in tensors.items():
        np.testing.assert_array_equal(weights[name], value)
        assert weights.shapes[name] == np.shape(value)


@pytest.mark.parametrize(
    ("data", "crc"),
    [(b"", 0), (b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43)],
)
def test_checks_are_those_of_rfc_3720(data, crc):
    assert crc32c(data) == crc


@given(st.binary(max_size=3000))
def test_checks_are_those_of_the_definition(data):
    assert crc32c(data) == bitwise_crc32c(data)


def test_checks_of_several_blocks_do_not_depend_on_where_they_are_cut(monkeypatch):
    data = RNG.integers(0, 256, 10_000, dtype=np.uint8)
    whole = crc32c(data)
    monkeypatch.setattr("cnnvis.models.importers._crc32c._BLOCK", 1 << 9)
    assert crc32c(data) == whole == bitwise_crc32c(data.tobytes())


@pytest.mark.parametrize("options", [{}, {"n_shards": 3}, {"packed": literals}, {"big": True}])
def test_what_is_written_is_read(options, tmp_path):
    prefix = write_checkpoint(tmp_path / "model.ckpt-3", TENSORS, **options)
    for path in (prefix, tmp_path / "model.ckpt-3.index", next(tmp_path.glob("*.data-00000*")), tmp_path):
        assert is_tensorflow(path)
        same(read_tensorflow(path), TENSORS)


@settings(max_examples=25)
@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40),
        npst.arrays(st.sampled_from([np.float32, np.float16, np.int32]), npst.array_shapes(min_dims=0, max_side=4)),
        max_size=8,
    )
)
def test_any_names_and_shapes(tmp_path_factory, tensors):
    tensors = {name: value for name, value in tensors.items() if not name.startswith("\0")}
    weights = read_tensorflow(write_checkpoint(tmp_path_factory.mktemp("tf") / "m", tensors))
    assert set(weights.shapes) == set(tensors)
    for name, value in tensors.items():
        assert weights[name].tobytes() == value.tobytes()  # NaN too


def test_bfloat16_is_the_upper_half_of_float32(tmp_path):
    stored = np.array([0x3F80, 0xC040, 0x7F80], np.uint16)  # 1, -3, infinity
    weights = read_tensorflow(write_checkpoint(tmp_path / "m", {"w": ("bfloat16", stored)}))
    np.testing.assert_array_equal(weights["w"], np.array([1, -3, np.inf], np.float32))


def test_partitioned_variables_are_joined(tmp_path):
    value = np.arange(35.0, dtype=np.float32).reshape(5, 7)
    extents = [((0, None), (0, 3)), ((0, None), (3, 4))]
    prefix = write_checkpoint(tmp_path / "m", {"p": value, "q": value}, sliced={"p": extents}, n_shards=2)
    same(read_tensorflow(prefix), {"p": value, "q": value})


def test_a_partitioned_variable_without_one_of_its_slices_is_damaged(tmp_path):
    value = np.arange(6.0, dtype=np.float32)
    prefix = write_checkpoint(tmp_path / "m", {"p": value}, sliced={"p": [((0, 2),), ((2, 3),)]})
    with pytest.raises(CheckpointError, match=r"slices of p .* hold 5 values"):
        read_tensorflow(prefix)["p"]
    pairs = read_table((tmp_path / "m.index").read_bytes())
    del pairs[next(key for key in pairs if key.startswith(b"\0"))]
    (tmp_path / "m.index").write_bytes(table(pairs))
    with pytest.raises(CheckpointError, match="a slice of p is missing"):
        read_tensorflow(prefix)["p"]


@pytest.mark.parametrize(
    ("number", "stored"),
    [(0, "80"), (-1, "7f"), (63, "bf"), (64, "c040"), (-64, "40"), (-65, "3fbf"), (8191, "dfff"), (8192, "e02000")],
)
def test_signed_numbers_in_keys_of_slices(number, stored):
    assert _ordered_signed(number).hex() == stored  # ordered_code_test.cc states the first five by bounds


def test_variables_of_tensorflow_2_have_the_names_that_their_graph_of_objects_has(tmp_path):
    suffix = "/.ATTRIBUTES/VARIABLE_VALUE"
    kernel, other = TENSORS["conv0/kernel"], TENSORS["conv0/kernel"] + 1
    tensors = {f"variables/0{suffix}": kernel, f"all/0{suffix}": kernel, f"m/a{suffix}": kernel, f"m/b{suffix}": other}
    tensors[f"m/c{suffix}"] = other
    graph = object_graph(
        {f"variables/0{suffix}": "net/kernel", f"all/0{suffix}": "net/kernel"}
        | {f"m/a{suffix}": "Variable", f"m/b{suffix}": "Variable"}
    )
    text = {"_CHECKPOINTABLE_OBJECT_GRAPH": graph}
    weights = read_tensorflow(write_checkpoint(tmp_path / "m", tensors, texts=text))
    same(weights, {"net/kernel": kernel, "m/a": kernel, "m/b": other, "m/c": other})
    assert weights.unread == {"_CHECKPOINTABLE_OBJECT_GRAPH": "text"}


def test_a_damaged_graph_of_objects_leaves_the_places_as_names(tmp_path):
    tensors = {"variables/0/.ATTRIBUTES/VARIABLE_VALUE": np.float32(1)}
    prefix = write_checkpoint(tmp_path / "m", tensors, texts={"_CHECKPOINTABLE_OBJECT_GRAPH": b"\x7fnothing"})
    assert list(read_tensorflow(prefix)) == ["variables/0"]


def test_a_saved_model_is_its_variables(tmp_path):
    write_checkpoint(tmp_path / "net" / "variables" / "variables", TENSORS)
    same(read_tensorflow(tmp_path / "net"), TENSORS)


def test_checkpoints_of_a_folder_are_epochs(tmp_path):
    for name in ("model.ckpt-10", "model.ckpt-9", "start"):
        write_checkpoint(tmp_path / name, {"w": np.float32(len(name))})
    assert {number: path.name for number, path in tensorflow_epochs(tmp_path).items()} == {
        0: "start", 9: "model.ckpt-9", 10: "model.ckpt-10",
    }  # fmt: skip
    assert list(tensorflow_epochs(tmp_path)) == [0, 9, 10]
    with pytest.raises(FileFormatError, match="holds 3 checkpoints; name one of them: 0, 9, 10"):
        read_tensorflow(tmp_path)
    write_checkpoint(tmp_path / "other-9", {})
    with pytest.raises(FileFormatError, match=r"number 9: model\.ckpt-9 and other-9"):
        tensorflow_epochs(tmp_path)


def test_values_are_views_of_the_file(tmp_path):
    stored = np.zeros(40_000_000, np.uint8)
    stored.tofile(tmp_path / "m.data-00000-of-00001")
    large = entry(1, (10_000_000,), size=stored.size, crc=masked_crc(crc32c(stored)))
    (tmp_path / "m.index").write_bytes(table({b"": b"\x08\x01", b"w": large}))
    weights = read_tensorflow(tmp_path / "m")
    tracemalloc.start()
    got = weights["w"]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert got.nbytes == 40_000_000
    assert not got.flags.writeable
    assert peak < 0.5 * got.nbytes  # what its check takes


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (lambda p: (p / "m.data-00001-of-00002").unlink(), MissingFileError, "lacks its piece m.data-00001-of-00002"),
        (lambda p: (p / "m.index").unlink(), MissingFileError, "no TensorFlow checkpoint"),
        (lambda p: cut(p / "m.data-00001-of-00002", 4), CheckpointError, "is cut short: it has 4 bytes"),
        (lambda p: cut(p / "m.data-00001-of-00002", 0), CheckpointError, "is cut short: it has 0 bytes"),
        (lambda p: cut(p / "m.index", 100), CheckpointError, "does not end as a table does"),
        (lambda p: (p / "m.index").write_bytes(b""), CheckpointError, "does not end as a table does"),
        (lambda p: flip(p / "m.index", 5), CheckpointError, "checksum of the block at byte 0"),
        (lambda p: (p / "m.index").write_bytes(table({b"a": b""})), CheckpointError, "no header"),
    ],
)
def test_missing_and_damaged_pieces_are_named(damage, error, message, tmp_path):
    prefix = write_checkpoint(tmp_path / "m", TENSORS, n_shards=2)
    damage(tmp_path)
    with pytest.raises(error, match=message):
        read_tensorflow(prefix)


def test_damaged_values_are_found_when_they_are_read(tmp_path):
    prefix = write_checkpoint(tmp_path / "m", {"a": TENSORS["conv0/kernel"], "b": TENSORS["conv0/bias"]})
    flip(tmp_path / "m.data-00000-of-00001", 7)
    weights = read_tensorflow(prefix)
    np.testing.assert_array_equal(weights["b"], TENSORS["conv0/bias"])
    with pytest.raises(CheckpointError, match=r"checksum of a in .*m\.data-00000-of-00001 is wrong"):
        weights["a"]
    with pytest.raises(InvalidInputError, match="no array 'c'"):
        weights["c"]


def test_a_checkpoint_of_version_1_is_refused_by_name(tmp_path):
    (tmp_path / "old").write_bytes(table({b"": b""}))
    with pytest.raises(FileFormatError, match="of version 1"):
        read_tensorflow(tmp_path / "old")


@settings(max_examples=300)
@given(st.data())
def test_a_changed_index_is_an_error_or_changes_nothing(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("tf")
    tensors = {name: TENSORS[name] for name in ("conv0/kernel", "conv0/bias")}
    prefix = write_checkpoint(folder / "m", tensors)
    content = bytearray((folder / "m.index").read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    kept = data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))
    (folder / "m.index").write_bytes(content[:kept])
    try:
        weights = read_tensorflow(prefix)
    except CnnvisError as error:
        assert "m.index" in str(error)  # noqa: PT017 - one of two allowed ends
        return
    same(weights, tensors)  # what was changed is padding, or the block of filters


@settings(max_examples=300)
@given(st.dictionaries(st.binary(max_size=4), st.binary(max_size=60), max_size=4))
def test_entries_of_any_content_are_an_error_or_read(tmp_path_factory, pairs):
    folder = tmp_path_factory.mktemp("tf")
    (folder / "m.index").write_bytes(table({b"": b"\x08\x01", **pairs}))
    (folder / "m.data-00000-of-00001").write_bytes(bytes(50))
    try:
        weights = read_tensorflow(folder / "m")
        for name in weights:
            weights[name]
    except CnnvisError:
        pass


def test_snappy_by_hand():
    assert (
        unpacked(b"\x0c" + b"\x0cabcd" + b"\x11\x04") == b"abcdabcdabcd"[:8] + b"abcd"
    )  # one byte of offset: 8 from 4
    assert unpacked(b"\x05" + b"\x00a" + b"\x0e\x01\x00") == b"aaaaa"  # two bytes of offset: runs into itself
    assert unpacked(b"\x06" + b"\x04ab" + b"\x0f\x02\x00\x00\x00") == b"ababab"  # four bytes
    assert unpacked(b"\x3d" + b"\xf0\x3c" + b"x" * 61) == b"x" * 61  # a long literal


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"\x05\x00a",
        b"\x05\x10ab",
        b"\x05\x00a\x0e\x02\x00",
        b"\x05\x00a\x0e\x00\x00",
        b"\xff\xff\xff\x7f\x00a",
        b"\x02\x00a\x0e\x01",
    ],
)
def test_damaged_snappy_is_an_error(block):
    with pytest.raises(ValueError, match=r"block|number"):
        unpacked(block)


@given(st.binary(max_size=500))
def test_snappy_literals(data):
    assert unpacked(literals(data)) == data


def cut(path, size):
    path.write_bytes(path.read_bytes()[:size])


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 0x10
    path.write_bytes(content)
