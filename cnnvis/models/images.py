"""Reading pictures: whatever a person has, out comes (H, W, 3) uint8 RGB."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, JpegImagePlugin, UnidentifiedImageError

from cnnvis.core.errors import FileFormatError, InvalidInputError, did_you_mean

logger = logging.getLogger(__name__)

MAX_PIXELS = 64_000_000
"""Largest image returned, 192 MB as RGB; a larger one is reduced by a whole factor when it is read."""

_WHITE_16_BIT = 65535
_ACCEPTED = "accepted are PNG, JPEG, TIFF, GIF, BMP, WebP and what else Pillow reads"

ImageLike = str | os.PathLike[str] | NDArray[np.generic]
"""A picture file, the name of a sample photo, or an array (H, W) or (H, W, 3 or 4)."""


def read_image(source: ImageLike) -> NDArray[np.uint8]:
    """Return a picture as an RGB array.

    Parameters
    ----------
    source : str, path or ndarray
        A file: grey, RGB, RGBA (laid over white), palette, CMYK, 8 or 16 bits (scaled, not clipped);
        turned upright by its EXIF tag; the first frame of an animation. A name without such a file is
        looked up among the `sample_images`. An array (H, W) or (H, W, 1, 3 or 4): bool, uint8, uint16,
        or float within 0 to 1.

    Returns
    -------
    (H, W, 3) ndarray of uint8
        RGB, read-only; may share memory with an array given. An image of more than 64 megapixels is reduced by
        a whole factor.

    Raises
    ------
    FileFormatError
        When the file is no picture, or is damaged.
    InvalidInputError
        When the file is missing, a folder or too large to decode, or the array is none of the above.

    Notes
    -----
    Memory: JPEG files of any size are decoded reduced, at most 64 megapixels; other formats are decoded whole,
    and refused above 179 megapixels, where Pillow suspects a decompression bomb.
    """
    if isinstance(source, np.ndarray):
        return _within_limit(_from_array(source, "The image"))
    path = _find(Path(source))
    try:
        with warnings.catch_warnings():
            # Pillow warns from 89 megapixels on; the limits here are documented above.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with _open(path) as image:
                return _within_limit(_from_pillow(image, path))
    except UnidentifiedImageError:
        raise FileFormatError(f"{path} is not a picture; {_ACCEPTED}.") from None
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, (FileFormatError, InvalidInputError)):
            raise
        raise FileFormatError(f"{path} cannot be read as a picture ({error}); it may be damaged.") from error


@cache
def sample_images() -> Mapping[str, Path]:
    """Return name -> file of the sample photos inside scikit-image's package ("chelsea", "coffee" ...).

    Nothing is downloaded: photos that scikit-image would fetch are not listed.
    """
    folder = Path(str(files("skimage"))) / "data"
    found = (path for path in sorted(folder.glob("*")) if path.suffix in {".png", ".jpg", ".gif"})
    return MappingProxyType({path.stem: path for path in found})


def _find(path: Path) -> Path:
    """Return the file that is meant, or raise."""
    if path.is_dir():
        raise InvalidInputError(f"{path} is a folder; name one picture file in it.")
    if path.exists():
        return path
    if str(path) in sample_images():
        return sample_images()[str(path)]
    hint = "" if path.suffix else " " + did_you_mean(str(path), sample_images(), what="sample photos")
    raise InvalidInputError(f"There is no picture file {path}.{hint}")


def _open(path: Path) -> Image.Image:
    try:
        return Image.open(path)
    except Image.DecompressionBombError:
        # A JPEG is decoded reduced, whatever its size, so the bomb check of Image.open does not apply.
        with path.open("rb") as file:
            if file.read(2) == b"\xff\xd8":
                return JpegImagePlugin.JpegImageFile(path)
        raise InvalidInputError(
            f"{path} is larger than {2 * Image.MAX_IMAGE_PIXELS // 10**6} megapixels and cannot be decoded in bounded "
            "memory; save it smaller, or as JPEG, which is decoded reduced."
        ) from None


def _from_pillow(image: Image.Image, path: Path) -> NDArray[np.uint8]:
    """Return an opened file as (H, W, 3) uint8, upright."""
    factor = _reduction(image.width * image.height)
    if factor > 1:
        # Only JPEG knows how: it decodes 1/2, 1/4 or 1/8 of the size. A no-op for the rest.
        image.draft(None, (image.width // factor, image.height // factor))
    if image.mode in {"L", "RGB", "RGBA", "CMYK"}:
        image = _reduced(image)  # before anything copies it; the other modes cannot be averaged as they are
    image = ImageOps.exif_transpose(image)
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        values = np.asarray(image)
        if image.mode == "I":
            values = _sixteen_bit(values, path)
        return _from_array(values, str(path))
    if image.has_transparency_data:
        return _over_white(np.asarray(image.convert("RGBA")))
    return np.asarray(image.convert("RGB"))


def _sixteen_bit(values: NDArray[np.int32], path: Path) -> NDArray[np.uint16]:
    """Return Pillow's 32-bit integers as the 16-bit values that they nearly always hold."""
    if values.min() < 0 or values.max() > _WHITE_16_BIT:
        raise InvalidInputError(
            f"{path} holds integers from {values.min()} to {values.max()}; allowed are 8 or 16 bits, 0 to 65535."
        )
    return values.astype(np.uint16)


def _from_array(array: NDArray[np.generic], what: str) -> NDArray[np.uint8]:
    """Return an array as (H, W, 3) uint8."""
    channels = 1 if array.ndim == 2 else array.shape[-1] if array.ndim == 3 else 0
    if channels not in (1, 3, 4) or 0 in array.shape:
        hint = " Move the channel axis to the end." if array.ndim == 3 and array.shape[0] in (1, 3, 4) else ""
        raise InvalidInputError(f"{what} has shape {array.shape}; allowed are (H, W) and (H, W, 1, 3 or 4).{hint}")
    values = _eight_bit(array, what).reshape(*array.shape[:2], channels)
    if channels == 4:
        return _over_white(values)
    return np.ascontiguousarray(np.broadcast_to(values, (*values.shape[:2], 3)))


def _eight_bit(array: NDArray[np.generic], what: str) -> NDArray[np.uint8]:
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:
        return ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if array.dtype.kind != "f":
        raise InvalidInputError(
            f"{what} holds {array.dtype}; allowed are bool, uint8, uint16, and float within 0 to 1."
        )
    low, high = float(array.min()), float(array.max())
    if not (low >= 0 and high <= 1):  # also for NaN, which makes both NaN
        raise InvalidInputError(f"{what} holds floats from {low:g} to {high:g}; allowed are 0 to 1 without NaN.")
    return np.rint(array * 255).astype(np.uint8)


def _over_white(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (H, W, 4) uint8 laid over a white page, (H, W, 3)."""
    page = Image.new("RGBA", (rgba.shape[1], rgba.shape[0]), "white")
    return np.asarray(Image.alpha_composite(page, Image.fromarray(rgba)).convert("RGB"))


def _reduction(pixels: int) -> int:
    """Return the whole factor by which both sides shrink to stay within MAX_PIXELS."""
    return int(np.ceil(np.sqrt(pixels / MAX_PIXELS)))


def _reduced(image: Image.Image) -> Image.Image:
    """Return `image`, or its box average where it has more than MAX_PIXELS."""
    factor = _reduction(image.width * image.height)
    if factor <= 1:
        return image
    logger.info("An image of %d x %d pixels is reduced by %d.", image.width, image.height, factor)
    return image.reduce(factor)


def _within_limit(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if _reduction(image.shape[0] * image.shape[1]) <= 1:
        return image
    return np.asarray(_reduced(Image.fromarray(image)))
