"""The .safetensors format of results: tensors by name, everything else as JSON in the header."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.atomic import AtomicWrite
from cnnvis.core.errors import FileFormatError, InvalidInputError
from cnnvis.core.file_format import FileFormat

DTYPES = {
    "float16": "F16",
    "float32": "F32",
    "float64": "F64",
    "int64": "I64",
    "int32": "I32",
    "uint8": "U8",
    "bool": "BOOL",
}
"""numpy dtypes that are written, by the name the format has for them."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file holds.

    Parameters
    ----------
    key : str
        Entry of the header with the facts as JSON; the header's format is "cnnvis-" and this.
    version : int
        The newest that is read, and the one that is written.
    """

    key: str
    version: int

    @property
    def format(self) -> FileFormat:
        """What the header says it is."""
        return FileFormat(f"cnnvis-{self.key}", self.version, self.key)

    def write(self, path: Path, tensors: Mapping[str, NDArray[Any]], facts: Any) -> None:
        """Write a file, whole or not at all; memory-mapped tensors are never in memory as a whole."""
        header = {**self.format.header, self.key: json.dumps(facts)}
        with AtomicWrite() as write, write.file(path).open("wb") as file:
            _write_tensors(file, tensors, header)

    @contextmanager
    def open(self, path: Path) -> Iterator[tuple[Any, Any]]:
        """Open a file: its facts, and the mapping-like file of safetensors with its tensors.

        Raises
        ------
        FileFormatError
            When it holds something else, is of a newer version, or damaged: a tensor or fact that is missing while
            it is open, or is none that its object takes.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="numpy") as file:
                header = file.metadata() or {}
                self.format.require(path, header)
                yield json.loads(header[self.key]), file
        except FileFormatError:
            raise
        except (SafetensorError, KeyError, TypeError, ValueError) as error:
            raise FileFormatError(f"{path} is a damaged {self.key} file: {error}") from error


def all_tensors(file: Any) -> dict[str, NDArray[Any]]:
    """Return every tensor of a file that is open, by name."""
    return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping


def _write_tensors(file: BinaryIO, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> None:
    """Write arrays in the safetensors format: length of the header, header as JSON, then the raw little-endian data.

    The library's own `save_file` first copies all tensors into memory; a recording may be larger than that.
    Wide dtypes come first, so that every tensor is aligned.
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    ordered = sorted(tensors.items(), key=lambda item: -item[1].dtype.itemsize)
    end = 0
    for name, array in ordered:
        if array.dtype.name not in DTYPES:
            raise InvalidInputError(f"{name} has dtype {array.dtype}; written are {', '.join(DTYPES)}.")
        start, end = end, end + array.nbytes
        header[name] = {"dtype": DTYPES[array.dtype.name], "shape": array.shape, "data_offsets": (start, end)}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    file.write(len(text).to_bytes(8, "little"))
    file.write(text)
    for _, array in ordered:
        file.write(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")))
