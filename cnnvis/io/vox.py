"""CNN-VIS's volumes: a .vox file of bytes and a .hd header.

The bytes are the (C, H, W) stack in C order, so the column runs fastest; value = rint((v - min) / (max - min) * 255)
with the minimum and maximum of the whole layer. They are *unsigned*, as the header says: CNN-VIS cast them to int8,
which wraps above 127 and leaves the same bytes. The header's two lines are CNN-VIS's own, sizes as H x W x C::

    Size 55x55x96 unsigned byte
    Spacing 1.0x1.0x1.0

There the scaling is lost. Files written here carry it in a third and fourth line, which older programs need not read::

    Range 0.0 6.0
    SHA256 ...

With them values come back to within (max - min) / 510, and a header that belongs to other bytes is found out. Only
the Size line is required on reading.
"""

from __future__ import annotations

import hashlib
import logging
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import FeatureMaps, Volume
from cnnvis.core.atomic import AtomicWrite
from cnnvis.core.errors import DataMismatchError, FileFormatError, MissingFileError
from cnnvis.io.vti import single_volume

logger = logging.getLogger(__name__)

SCALED = "activation scaled to 0-255"
"""Quantity of a volume whose own range is not known."""

_NUMBER = r"([-+0-9.eE]+)"
_SIZE = re.compile(r"Size\s+(\d+)x(\d+)x(\d+)\s+unsigned byte\s*")
_SPACING = re.compile(rf"Spacing\s+{_NUMBER}x{_NUMBER}x{_NUMBER}\s*")
_RANGE = re.compile(rf"Range\s+{_NUMBER}\s+{_NUMBER}\s*")
_SHA256 = re.compile(r"SHA256\s+([0-9a-f]{64})\s*")


class Header(NamedTuple):
    """What a .hd file says: (C, H, W), (x, y, z) spacing, range of the values and hash of the bytes, if known."""

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    value_range: tuple[float, float] | None = None
    sha256: str | None = None


def save(obj: Volume | FeatureMaps | NDArray[Any], path: Path) -> None:
    """Write maps of one image as bytes and header, whichever of the two `path` names.

    A constant volume becomes 0; missing values become 0 (NaN, -inf) or 255 (+inf), which is logged.
    Layer, order and provenance are not kept: .vti keeps them.

    Notes
    -----
    The two renames follow one another at once; a kill between them is found out on reading, by the hash.
    """
    volume = single_volume(obj)
    if volume.n_missing:
        logger.warning("%s: %d missing values become 0 or 255; .vti keeps them.", path.name, volume.n_missing)
    low, high = volume.finite_range if volume.n_missing < volume.values.size else (0.0, 0.0)
    raw = scale_to_bytes(volume.values, low, high).tobytes()
    header = Header(volume.shape, volume.spacing, (low, high), hashlib.sha256(raw).hexdigest())
    with AtomicWrite() as write:
        write.file(path.with_suffix(".vox")).write_bytes(raw)
        write.file(path.with_suffix(".hd")).write_bytes(format_header(header).encode("ascii"))


def load(path: Path) -> Volume:
    """Return the volume: in its own units where the header has the range, else as 0 to 255.

    Raises
    ------
    MissingFileError
        When the other file of the pair does not exist.
    FileFormatError
        When the header cannot be read, or does not fit the number of bytes.
    DataMismatchError
        When the header belongs to other bytes.
    """
    vox, hd = path.with_suffix(".vox"), path.with_suffix(".hd")
    for file in (vox, hd):
        if not file.is_file():
            raise MissingFileError(f"There is no file {file}; a volume needs the .vox and the .hd file.")
    header = parse_header(hd.read_bytes().decode("ascii", errors="replace"), where=hd)
    raw = vox.read_bytes()
    channels, height, width = header.shape
    if len(raw) != channels * height * width:
        raise FileFormatError(
            f"{vox} has {len(raw)} bytes, but {hd.name} says {height}x{width}x{channels} = "
            f"{channels * height * width} bytes."
        )
    if header.sha256 not in (None, hashlib.sha256(raw).hexdigest()):
        raise DataMismatchError(
            f"{vox} is not what {hd.name} was written for: their sha256 differ. Save the pair again."
        )
    levels = np.frombuffer(raw, dtype=np.uint8).reshape(header.shape)
    if header.value_range is None:
        return Volume(levels, layer=path.stem, spacing=header.spacing, quantity=SCALED)
    low, high = header.value_range
    values = (low + (levels / np.float64(255)) * (high - low)).astype(np.float32)
    return Volume(values, layer=path.stem, spacing=header.spacing)


def scale_to_bytes(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Return `values` with `low` at 0 and `high` at 255, rounded to even, clipped; NaN and a range of nothing are 0."""
    if not high > low:
        return np.zeros(values.shape, dtype=np.uint8)
    finite = np.nan_to_num(values.astype(np.float64), nan=low, posinf=high, neginf=low)
    return np.rint((finite - low) / (high - low) * 255).astype(np.uint8)


def format_header(header: Header) -> str:
    """Return the text of a .hd file."""
    channels, height, width = header.shape
    x, y, z = header.spacing
    lines = [f"Size {height}x{width}x{channels} unsigned byte ", f"Spacing {y!r}x{x!r}x{z!r}"]
    if header.value_range is not None:
        lines.append(f"Range {header.value_range[0]!r} {header.value_range[1]!r}")
    if header.sha256 is not None:
        lines.append(f"SHA256 {header.sha256}")
    return "\n".join(lines)


def parse_header(text: str, *, where: Path) -> Header:
    """Return what the text of a .hd file says; unknown lines are skipped.

    Raises
    ------
    FileFormatError
        When there is no Size line, or a number is none.
    """
    lines = text.splitlines()
    size = _first(_SIZE, lines)
    if size is None or 0 in (shape := tuple(int(n) for n in size)):
        raise FileFormatError(
            f"{where} is not a volume header: it needs a line such as 'Size 55x55x96 unsigned byte', got {text[:80]!r}."
        )
    try:
        spacing = tuple(float(n) for n in _first(_SPACING, lines) or (1.0, 1.0, 1.0))
        limits = _first(_RANGE, lines)
        value_range = (float(limits[0]), float(limits[1])) if limits else None
    except ValueError as error:
        raise FileFormatError(f"{where}: {error}.") from error
    height, width, channels = shape
    y, x, z = spacing
    sha256 = _first(_SHA256, lines)
    return Header((channels, height, width), (x, y, z), value_range, sha256[0] if sha256 else None)


def _first(pattern: re.Pattern[str], lines: list[str]) -> tuple[str, ...] | None:
    """Return the groups of the first line that `pattern` matches as a whole."""
    return next((match.groups() for line in lines if (match := pattern.fullmatch(line))), None)
