"""Reading pictures of every kind: known pixels in, known pixels out."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from cnnvis.core.errors import FileFormatError, InvalidInputError
from cnnvis.models import images, read_image, sample_images

WHITE, RED, HALF_RED = (255, 255, 255), (255, 0, 0), (255, 127, 127)


@pytest.fixture
def saved(tmp_path):
    """Save a Pillow image and read it back through `read_image`."""

    def save(image, name="picture.png", **options):
        image.save(tmp_path / name, **options)
        return read_image(tmp_path / name)

    return save


def test_rgb_comes_back_as_it_is(saved):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    result = saved(Image.fromarray(pixels))
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, pixels)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16", "I", "F", "YCbCr"])
def test_every_mode_gives_a_white_picture_for_a_white_picture(mode, saved):
    white = {"I;16": 65535, "I": 65535, "F": 1.0}.get(mode)
    image = Image.new("RGB", (4, 3), "white").convert(mode) if white is None else Image.new(mode, (4, 3), white)
    name = "picture.jpg" if mode in {"CMYK", "YCbCr"} else "picture.tif" if mode in {"I", "F"} else "picture.png"
    result = saved(image, name)
    assert result.shape == (3, 4, 3)
    assert (result == 255).all()


def test_transparency_is_laid_over_white(saved):
    image = Image.new("RGBA", (3, 1))
    image.putdata([(255, 0, 0, 255), (255, 0, 0, 128), (255, 0, 0, 0)])
    np.testing.assert_array_equal(saved(image)[0], [RED, HALF_RED, WHITE])


def test_grey_with_alpha_is_laid_over_white(saved):
    image = Image.new("LA", (2, 1))
    image.putdata([(0, 255), (0, 0)])
    np.testing.assert_array_equal(saved(image)[0], [(0, 0, 0), WHITE])


def test_the_transparent_colour_of_a_palette_is_white(saved):
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putdata([0, 1])
    np.testing.assert_array_equal(saved(image, transparency=1)[0], [RED, WHITE])


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_are_scaled_and_not_clipped(saved, suffix):
    values = np.array([[0, 257, 32896, 65535]], dtype=np.uint16)
    np.testing.assert_array_equal(saved(Image.fromarray(values), f"x.{suffix}")[0, :, 0], [0, 1, 128, 255])


def test_sixteen_bit_colour_is_scaled_and_not_clipped(tmp_path):
    # Pillow does not write 16-bit RGB, so this is a PNG by hand: 4 x 1 pixels, channels equal.
    row = b"\0" + np.repeat(np.array([0, 257, 32896, 65535], dtype=">u2"), 3).tobytes()
    header = struct.pack(">IIBBBBB", 4, 1, 16, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(row)), (b"IEND", b"")]
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    (tmp_path / "rgb16.png").write_bytes(content)
    np.testing.assert_array_equal(read_image(tmp_path / "rgb16.png")[0, :, 0], [0, 1, 128, 255])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_turns_the_picture_upright(saved, orientation):
    # Pixels as the camera stored them, so that the upright picture is red above blue in its left half.
    upright = np.zeros((16, 24, 3), dtype=np.uint8)
    upright[:8, :12], upright[8:, :12] = RED, (0, 0, 255)
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    np.testing.assert_array_equal(saved(Image.fromarray(np.ascontiguousarray(stored)), exif=exif), upright)


def test_the_first_frame_of_an_animation_is_read(saved):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    result = saved(frames[0], "moving.gif", save_all=True, append_images=frames[1:])
    assert (result == RED).all()


def test_a_huge_jpeg_is_decoded_reduced(tmp_path, monkeypatch):
    Image.new("RGB", (640, 400), "red").save(tmp_path / "huge.jpg")
    monkeypatch.setattr(images, "MAX_PIXELS", 20_000)  # 256 000 pixels: a factor of 4
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50_000)  # and twice this is a bomb
    result = read_image(tmp_path / "huge.jpg")
    assert result.shape == (100, 160, 3)
    assert abs(result.astype(int) - RED).max() < 5


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "I;16"])
def test_a_huge_picture_of_any_mode_is_reduced(mode, saved, monkeypatch):
    monkeypatch.setattr(images, "MAX_PIXELS", 20_000)
    image = (
        Image.new("I;16", (400, 200), 65535) if mode == "I;16" else Image.new("RGB", (400, 200), WHITE).convert(mode)
    )
    result = saved(image)
    assert result.shape == (100, 200, 3)
    assert (result == 255).all()


def test_a_huge_rotated_picture_is_reduced_and_upright(saved, monkeypatch):
    monkeypatch.setattr(images, "MAX_PIXELS", 20_000)
    exif = Image.Exif()
    exif[0x0112] = 6
    assert saved(Image.new("RGB", (400, 200)), "x.jpg", exif=exif).shape == (200, 100, 3)


def test_a_picture_too_large_to_decode_is_refused(saved, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(InvalidInputError, match=r"picture\.png is larger than .* megapixels.*JPEG"):
        saved(Image.new("L", (64, 64)))


def test_a_file_that_is_no_picture_is_named(tmp_path):
    (tmp_path / "notes.png").write_text("hello")
    with pytest.raises(FileFormatError, match=r"notes\.png is not a picture; accepted are PNG, JPEG"):
        read_image(tmp_path / "notes.png")


def test_an_empty_file_is_named(tmp_path):
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(FileFormatError, match=r"empty\.jpg"):
        read_image(tmp_path / "empty.jpg")


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_a_truncated_file_is_named(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    whole = tmp_path / f"whole.{suffix}"
    Image.fromarray(noise).save(whole)
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(FileFormatError, match=rf"cut\.{suffix}"):
        read_image(cut)


def test_a_folder_is_no_picture(tmp_path):
    with pytest.raises(InvalidInputError, match="is a folder"):
        read_image(tmp_path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InvalidInputError, match=r"no picture file .*nowhere\.png"):
        read_image(tmp_path / "nowhere.png")


def test_a_misspelt_sample_lists_near_matches():
    with pytest.raises(InvalidInputError, match="Did you mean: chelsea"):
        read_image("chelsae")


def test_sample_photos_are_read_by_name_and_are_inside_the_package():
    import skimage

    folder = skimage.__path__[0]
    assert {"chelsea", "coffee", "astronaut", "camera"} <= set(sample_images())
    assert all(str(path).startswith(folder) and path.is_file() for path in sample_images().values())
    assert read_image("chelsea").shape == (300, 451, 3)
    assert read_image("camera").shape == (512, 512, 3)  # a grey one


def test_a_file_wins_over_a_sample_of_the_same_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (2, 2), "red").save(tmp_path / "coffee", format="png")
    assert read_image("coffee").shape == (2, 2, 3)


@pytest.mark.parametrize(
    ("array", "pixel"),
    [
        (np.full((2, 3), 128, np.uint8), (128, 128, 128)),
        (np.full((2, 3, 1), 128, np.uint8), (128, 128, 128)),
        (np.full((2, 3, 3), 0.5, np.float32), (128, 128, 128)),
        (np.full((2, 3), 1.0), WHITE),
        (np.full((2, 3), True), WHITE),
        (np.full((2, 3), 65535, np.uint16), WHITE),
        (np.full((2, 3, 4), (255, 0, 0, 128), np.uint8), HALF_RED),
    ],
)
def test_arrays_become_rgb(array, pixel):
    result = read_image(array)
    assert result.shape == (2, 3, 3)
    assert result.dtype == np.uint8
    assert (result == pixel).all()


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=3, max_dims=3, max_side=5).map(lambda s: (*s[:2], 3))))
def test_an_rgb_array_is_unchanged(array):
    np.testing.assert_array_equal(read_image(array), array)


@given(st.integers(0, 65535))
def test_sixteen_bits_round_to_the_nearest_of_eight(value):
    assert read_image(np.array([[value]], np.uint16))[0, 0, 0] == int(value / 257 + 0.5)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((3, 8, 8), np.uint8), r"shape \(3, 8, 8\).*Move the channel axis"),
        (np.zeros((2, 2, 3, 3), np.uint8), r"shape \(2, 2, 3, 3\)"),
        (np.zeros((0, 4), np.uint8), r"shape \(0, 4\)"),
        (np.zeros((2, 2), np.int64), "holds int64"),
        (np.full((2, 2), 200.0), "floats from 200 to 200"),
        (np.array([[0.0, np.nan]]), "without NaN"),
        (np.full((2, 2), -0.5), "floats from -0.5"),
    ],
)
def test_arrays_that_are_no_picture_are_refused(array, message):
    with pytest.raises(InvalidInputError, match=message):
        read_image(array)
