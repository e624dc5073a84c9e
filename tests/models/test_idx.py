"""IDX files: what is written reads back equal, and every fault is named with its file."""

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cnnvis.core.errors import FileFormatError, InvalidInputError, MissingFileError
from cnnvis.models.idx import find_idx, read_idx, write_idx

TWO_LABELS = bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9])
GZIPPED = gzip.compress(TWO_LABELS, mtime=0)  # no clock in the names of tests: every worker must find the same


@pytest.mark.parametrize("content", [TWO_LABELS, GZIPPED], ids=["plain", "gzipped"])
def test_a_file_written_by_hand_is_read_whatever_its_name(tmp_path, content):
    (tmp_path / "labels").write_bytes(content)
    labels = read_idx(tmp_path / "labels")
    assert labels.tolist() == [7, 9]
    assert labels.dtype == np.uint8


@given(
    arrays.arrays(
        np.uint8, arrays.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5), elements=st.integers(0, 255)
    )
)
def test_what_is_written_reads_back_equal(tmp_path_factory, array):
    path = write_idx(array, tmp_path_factory.mktemp("idx") / "array.gz")
    assert np.array_equal(read_idx(path), array)
    assert read_idx(path).shape == array.shape


def test_the_same_array_gives_the_same_bytes(tmp_path):
    array = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
    one, two = (write_idx(array, tmp_path / name).read_bytes() for name in ("a.gz", "b.gz"))
    assert one == two
    assert one[4:8] == bytes(4)  # no time of writing


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "begins with nothing"),
        (b"\x00\x00", "begins with 00 00"),
        (b"PNG and more", "begins with 50 4e 47 20"),
        (bytes([0, 0, 13, 1, 0, 0, 0, 1, 0, 0, 0, 0]), "begins with 00 00 0d 01"),  # floats
        (bytes([0, 0, 8, 0, 5]), "begins with 00 00 08 00"),
        (TWO_LABELS[:-1], "should hold 2 bytes after its header, but holds 1"),
        (TWO_LABELS + b"x", "should hold 2 bytes after its header, but holds 3"),
        (bytes([0, 0, 8, 3, 0, 0]), "truncated"),  # ends within the header
        (bytes([0, 0, 8, 1]), "truncated"),
        (bytes([0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255]), "4294967295 x 4294967295 bytes"),
        (GZIPPED[:-9], "truncated or damaged"),
        (GZIPPED[:-1] + b"x", "truncated or damaged"),
        (GZIPPED[:12] + b"\xff\xff" + GZIPPED[14:], "truncated or damaged"),
    ],
)
def test_a_wrong_file_is_named_with_its_fault(tmp_path, content, message):
    (tmp_path / "broken-idx").write_bytes(content)
    with pytest.raises(FileFormatError, match=rf"broken-idx.*{message}"):
        read_idx(tmp_path / "broken-idx")


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"no IDX file .*nowhere"):
        read_idx(tmp_path / "nowhere")
    with pytest.raises(FileFormatError, match="cannot be read"):
        read_idx(tmp_path)


def test_a_name_is_found_with_and_without_gz(tmp_path):
    zipped = write_idx(np.zeros(3, np.uint8), tmp_path / "labels.gz")
    assert find_idx(tmp_path, "labels") == zipped
    (tmp_path / "labels").write_bytes(TWO_LABELS)
    assert find_idx(tmp_path, "labels") == tmp_path / "labels"
    with pytest.raises(MissingFileError, match=r"images, and none with \.gz"):
        find_idx(tmp_path, "images")


@pytest.mark.parametrize("array", [np.zeros(3), np.zeros((), np.uint8)])
def test_other_arrays_are_not_written(tmp_path, array):
    with pytest.raises(InvalidInputError, match="takes uint8 arrays"):
        write_idx(array, tmp_path / "x.gz")
    assert not list(tmp_path.iterdir())
