"""Where recorded values go: to arrays in memory, or appended to .npy files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import DTypeLike, NDArray
from torch import Tensor

from cnnvis.core.errors import InvalidInputError, OutputError
from cnnvis.core.memory import show_bytes

_STORED = {torch.float16: np.float16, torch.float32: np.float32, torch.float64: np.float64}


def stored_dtype(dtype: torch.dtype) -> np.dtype[Any]:
    """Return the dtype in which values are kept: float16, float32, float64 as they are, all else as float32.

    NumPy has no bfloat16; float32 holds it exactly.
    """
    return np.dtype(_STORED.get(dtype, np.float32))


class Sink(Protocol):
    """Takes the values of one layer, batch after batch."""

    def append(self, values: Tensor) -> None:
        """Add (n, C, *S) values."""

    def finish(self) -> NDArray[Any]:
        """Return all values (N, C, *S)."""


class MemorySink:
    """An array for `n_images` images, filled in place: each value is copied once.

    Parameters
    ----------
    name : str
    n_images : int
    shape : tuple of int
        (C, *S)
    dtype : dtype
    """

    def __init__(self, name: str, n_images: int, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self._name = name
        self._array = np.empty((n_images, *shape), dtype=dtype)
        self._tensor = torch.from_numpy(self._array)
        self._filled = 0

    def append(self, values: Tensor) -> None:
        """Copy (n, C, *S) values into the next n rows."""
        stop = self._filled + values.shape[0]
        if stop > self._array.shape[0]:
            raise InvalidInputError(
                f"The loader gave more than the {self._array.shape[0]} images that its length promised "
                f"(layer {self._name!r}); pass a generator over it, whose length is not relied on."
            )
        self._tensor[self._filled : stop].copy_(values)
        self._filled = stop

    def finish(self) -> NDArray[Any]:
        """Return the rows that were filled."""
        return self._array[: self._filled]


class FileSink:
    """A .npy file that grows with each batch; no file stays open, and the number of images need not be known.

    Written, not mapped: a full disk is then an error that can be caught, not a crash.

    Parameters
    ----------
    path : Path
    shape : tuple of int
        (C, *S)
    dtype : dtype
    """

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self._path = path
        self._shape = shape
        self._dtype = np.dtype(dtype)
        self._filled = 0
        with writing(path), path.open("wb") as file:
            self._write_header(file)

    def _write_header(self, file: Any) -> None:
        # NumPy pads the header, so that the first axis can grow in place
        shape = (self._filled, *self._shape)
        header = {"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)

    def append(self, values: Tensor) -> None:
        """Write (n, C, *S) values to the end of the file."""
        kept = values.dtype if values.dtype in _STORED else torch.float32
        array = values.to("cpu", kept).numpy()
        with writing(self._path), self._path.open("ab") as file:
            file.write(np.ascontiguousarray(array).data)
        self._filled += array.shape[0]

    def finish(self) -> NDArray[Any]:
        """Return the whole file as a read-only memory map."""
        with writing(self._path), self._path.open("r+b") as file:
            self._write_header(file)
        return np.load(self._path, mmap_mode="r", allow_pickle=False)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an OSError while writing `path` into an OutputError that names it."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror or error}.") from error


def require_space(folder: Path, n_bytes: int) -> None:
    """Raise OutputError unless `n_bytes` fit on the disk of `folder`."""
    free = shutil.disk_usage(folder).free
    if n_bytes > free:
        raise OutputError(
            f"The recording needs {show_bytes(n_bytes)} on disk, {folder} has {show_bytes(free)} free. "
            "Record fewer layers or images, or pass store= a folder on a larger disk."
        )
