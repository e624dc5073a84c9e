"""CNN-VIS's volumes, byte by byte."""

import hashlib

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from io_samples import small_volume

from cnnvis.core import Volume
from cnnvis.core.errors import DataMismatchError, FileFormatError, MissingFileError
from cnnvis.io import load, save
from cnnvis.io.vox import SCALED

SEED_HEADER = b"Size 2x3x2 unsigned byte \nSpacing 1.0x1.0x1.0"
"""As CNN-VIS writes it: H x W x C, a space before the newline, none at the end."""


def test_the_seeds_own_files_are_read_as_unsigned(tmp_path):
    (tmp_path / "conv1.hd").write_bytes(SEED_HEADER)
    (tmp_path / "conv1.vox").write_bytes(bytes([0, 1, 2, 3, 4, 5, 127, 128, 200, 253, 254, 255]))
    for name in ("conv1.vox", "conv1.hd"):
        volume = load(tmp_path / name)
        assert volume.values.tolist() == [[[0, 1, 2], [3, 4, 5]], [[127, 128, 200], [253, 254, 255]]]
        assert (volume.layer, volume.quantity, volume.spacing) == ("conv1", SCALED, (1.0, 1.0, 1.0))


def test_what_is_written_is_what_the_seed_wrote(tmp_path):
    # min -1, max 3: 4 units are 255 levels. 0.5 of a level rounds to even, as np.rint does.
    values = np.array([[[-1.0, 3.0, 1.0], [0.0, 2.0, -1.0 + 4 * 2.5 / 255]], np.full((2, 3), -1.0)])
    save(Volume(values), tmp_path / "x.vox")
    raw = bytes([0, 255, 128, 64, 191, 2, 0, 0, 0, 0, 0, 0])
    assert (tmp_path / "x.vox").read_bytes() == raw
    header = (tmp_path / "x.hd").read_bytes()
    assert header.startswith(SEED_HEADER + b"\n")
    assert header.split(b"\n")[2:] == [b"Range -1.0 3.0", b"SHA256 " + hashlib.sha256(raw).hexdigest().encode()]


def test_the_seeds_scaling_gives_the_same_bytes(tmp_path):
    volume = small_volume(shape=(4, 6, 5))
    values = volume.values.astype(np.float64)
    seed = np.rint((values - values.min()) / (values.max() - values.min()) * 255).astype(np.uint8).astype(np.int8)
    save(volume, tmp_path / "x.vox")
    assert (tmp_path / "x.vox").read_bytes() == seed.tobytes()  # the seed's int8 wraps to the same bytes


@given(
    hnp.arrays(
        np.float32, hnp.array_shapes(min_dims=3, max_dims=3, max_side=5), elements=st.floats(-1e6, 1e6, width=32)
    )
)
@settings(max_examples=50)
def test_values_come_back_to_half_a_level(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("vox") / "x.vox"
    save(Volume(values, spacing=(1.5, 2.0, 0.25)), path)
    back = load(path)
    half_a_level = (float(values.max()) - float(values.min())) / 510
    rounding = np.abs(values).max() * 2e-7  # of float32 itself
    assert np.abs(back.values - values).max() <= half_a_level + rounding
    assert back.spacing == (1.5, 2.0, 0.25)


def test_a_constant_volume_comes_back(tmp_path):
    save(Volume(np.full((2, 2, 2), 0.3)), tmp_path / "x.vox")
    assert (tmp_path / "x.vox").read_bytes() == bytes(8)
    assert load(tmp_path / "x.vox").values == pytest.approx(np.full((2, 2, 2), 0.3))


def test_missing_values_are_clipped_and_said(tmp_path, caplog):
    save(np.array([[[np.nan, -np.inf, np.inf], [0.0, 1.0, 0.0]]]), tmp_path / "x.hd")
    assert (tmp_path / "x.vox").read_bytes() == bytes([0, 0, 255, 0, 255, 0])
    assert "3 missing values" in caplog.text
    save(np.full((1, 1, 2), np.nan), tmp_path / "x.hd")
    assert (tmp_path / "x.vox").read_bytes() == bytes(2)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"", "not a volume header"),
        (b"Size 2x3 unsigned byte", "not a volume header"),
        (b"Size 2x3x2 float", "not a volume header"),
        (b"Size 0x3x2 unsigned byte", "not a volume header"),
        (b"Size -2x3x2 unsigned byte", "not a volume header"),
        (b"\xff\xfe\x00\x01", "not a volume header"),
        (b"Size 2x3x2 unsigned byte\nSpacing 1.0.0x1x1", "could not convert"),
        (b"Size 5x3x2 unsigned byte", "has 12 bytes, but x.hd says 5x3x2 = 30 bytes"),
    ],
)
def test_a_bad_header_is_explained(header, message, tmp_path):
    (tmp_path / "x.hd").write_bytes(header)
    (tmp_path / "x.vox").write_bytes(bytes(12))
    with pytest.raises(FileFormatError, match=message):
        load(tmp_path / "x.vox")


def test_both_files_are_needed(tmp_path):
    (tmp_path / "x.vox").write_bytes(bytes(12))
    with pytest.raises(MissingFileError, match=r"x\.hd; a volume needs"):
        load(tmp_path / "x.vox")


def test_bytes_of_another_volume_are_found_out(tmp_path):
    save(small_volume(1), tmp_path / "x.vox")
    raw = bytearray((tmp_path / "x.vox").read_bytes())
    raw[0] ^= 1
    (tmp_path / "x.vox").write_bytes(raw)
    with pytest.raises(DataMismatchError, match=r"x\.hd was written for"):
        load(tmp_path / "x.vox")
