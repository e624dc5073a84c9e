"""IDX files, the format in which MNIST and Fashion-MNIST are published: bytes with a shape, gzipped or not."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.atomic import save_bytes
from cnnvis.core.errors import FileFormatError, InvalidInputError, MissingFileError

_BYTES = 0x08  # the only element type that these data sets use
_GZIP = b"\x1f\x8b"


def find_idx(folder: str | Path, name: str) -> Path:
    """Return the file `name` or `name`.gz in `folder`.

    Raises
    ------
    MissingFileError
        When there is neither.
    """
    places = [Path(folder) / name, Path(folder) / f"{name}.gz"]
    for place in places:
        if place.is_file():
            return place
    raise MissingFileError(f"There is no IDX file {places[0]}, and none with .gz at its end.")


def read_idx(path: str | Path) -> NDArray[np.uint8]:
    """Return the array in an IDX file of bytes, read-only.

    Parameters
    ----------
    path : str or path
        Gzipped or not; its first bytes tell, not its name.

    Returns
    -------
    ndarray of uint8
        (N, H, W) for images, (N,) for labels.

    Raises
    ------
    MissingFileError
        When there is no such file.
    FileFormatError
        When it is no IDX file of bytes, is damaged, or holds fewer or more bytes than its header says.

    References
    ----------
    Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", section "File formats".
    """
    path = Path(path)
    content = _content(path)
    if len(content) < 4 or content[:3] != bytes((0, 0, _BYTES)) or content[3] == 0:
        raise FileFormatError(f"{path} is no IDX file of bytes: it begins with {content[:4].hex(' ') or 'nothing'}.")
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise FileFormatError(f"{path} ends within its header; it is truncated.")
    shape = tuple(int.from_bytes(content[at : at + 4], "big") for at in range(4, start, 4))
    if len(content) != start + math.prod(shape):
        raise FileFormatError(
            f"{path} should hold {' x '.join(map(str, shape))} bytes after its header, "
            f"but holds {len(content) - start}; it may be truncated or damaged."
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def write_idx(array: NDArray[np.uint8], path: str | Path) -> Path:
    """Write an array of bytes as gzipped IDX; the same array gives the same file. Return the path.

    Raises
    ------
    InvalidInputError
        When the array is of another type, or has no axis.
    OutputError
        When the file cannot be written.
    """
    if array.dtype != np.uint8 or array.ndim == 0:
        raise InvalidInputError(f"An IDX file here takes uint8 arrays, got {array.dtype} of shape {array.shape}.")
    header = bytes((0, 0, _BYTES, array.ndim)) + b"".join(side.to_bytes(4, "big") for side in array.shape)
    return save_bytes(gzip.compress(header + array.tobytes(), mtime=0), path)


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content.startswith(_GZIP) else content
    except FileNotFoundError:
        raise MissingFileError(f"There is no IDX file {path}.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise FileFormatError(f"{path} cannot be read ({error}); it may be truncated or damaged.") from error
