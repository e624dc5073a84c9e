"""TensorFlow's checkpoints and the variables of a SavedModel, read without TensorFlow, one tensor at a time.

A checkpoint of version 2 is ``NAME.index``, a sorted table from names to `BundleEntryProto`, and shards of raw values,
``NAME.data-00000-of-00001``. It holds variables only: no layers, strides or pooling.

Source: tensorflow/core/protobuf/tensor_bundle.proto, tensor_shape.proto and tensor_slice.proto;
tensorflow/core/lib/strings/ordered_code.cc for the keys of slices.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.errors import CheckpointError, FileFormatError, MissingFileError
from cnnvis.models._reason import first_sentence
from cnnvis.models.importers._crc32c import crc32c, masked
from cnnvis.models.importers._object_graph import KEY, full_names
from cnnvis.models.importers._protobuf import fields, signed
from cnnvis.models.importers._table import MAGIC, read_table
from cnnvis.models.importers._weights import ForeignWeights, Shape

_BFLOAT16 = 14
_DTYPES = {
    1: "f4", 2: "f8", 3: "i4", 4: "u1", 5: "i2", 6: "i1", 8: "c8", 9: "i8", 10: "?", _BFLOAT16: "u2", 17: "u2",
    18: "c16", 19: "f2", 22: "u4", 23: "u8",
}  # fmt: skip
"""Number of a DataType -> numpy's; bfloat16 is the upper half of a float32."""

_OBJECT_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"  # behind each variable of a checkpoint of objects, TensorFlow 2
_SHARD = re.compile(r"\.data-\d{5}-of-\d{5}$")


@dataclass(frozen=True, slots=True)
class _Extent:
    """Part of one axis: `length` None for all of it."""

    start: int = 0
    length: int | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where a tensor is: in one piece, or as slices that stand under keys of their own."""

    dtype: int = 0
    shape: Shape = ()
    shard: int = 0
    offset: int = 0
    size: int = 0
    crc: int = 0
    slices: tuple[tuple[_Extent, ...], ...] = ()


@dataclass(frozen=True)
class _Bundle:
    """An index that was read, and its shards as memory maps."""

    prefix: Path
    entries: Mapping[bytes, _Entry]
    names: Mapping[str, bytes]
    n_shards: int
    order: str
    shards: dict[int, NDArray[np.uint8]] = field(default_factory=dict)

    def shard_path(self, number: int) -> Path:
        return self.prefix.with_name(f"{self.prefix.name}.data-{number:05d}-of-{self.n_shards:05d}")

    def stored(self, entry: _Entry) -> NDArray[np.uint8]:
        """Return the bytes of an entry, a view of its shard; raise where the shard is missing or too short."""
        path = self.shard_path(entry.shard)
        if entry.shard not in self.shards:
            if not path.is_file():
                raise MissingFileError(f"The checkpoint {self.prefix} lacks its piece {path.name}.")
            empty = path.stat().st_size == 0
            self.shards[entry.shard] = np.empty(0, np.uint8) if empty else np.memmap(path, np.uint8, "r")
        shard = self.shards[entry.shard]
        if entry.offset + entry.size > shard.size:
            raise CheckpointError(
                f"{path} is cut short: it has {shard.size} bytes, and values up to byte {entry.offset + entry.size}."
            )
        return shard[entry.offset : entry.offset + entry.size]


def is_tensorflow(path: Path) -> bool:
    """Return whether a path names a TensorFlow checkpoint, a folder of them, or a SavedModel."""
    return bool(_prefixes(path)) or _is_version_1(path)


def tensorflow_epochs(path: Path) -> dict[int, Path]:
    """Return the checkpoints of a folder by the last number in their name, ``model.ckpt-3``; by 0 where there is none.

    A SavedModel, and a path that names one checkpoint, are one.

    Raises
    ------
    MissingFileError
        When there is none.
    FileFormatError
        When two have the same number, or it is a checkpoint of version 1.
    """
    prefixes = _prefixes(path)
    if not prefixes:
        if _is_version_1(path):
            raise FileFormatError(
                f"{path} is a TensorFlow checkpoint of version 1; save it again with tf.train.Saver, which writes "
                ".index and .data files."
            )
        raise MissingFileError(f"There is no TensorFlow checkpoint {path}: a file with the suffix .index is needed.")
    epochs: dict[int, Path] = {}
    for prefix in prefixes:
        numbers = re.findall(r"\d+", prefix.name)
        number = int(numbers[-1]) if numbers else 0
        if number in epochs:
            raise FileFormatError(
                f"Two checkpoints in {path} have the number {number}: {epochs[number].name} and {prefix.name}. "
                "Name one of them."
            )
        epochs[number] = prefix
    return dict(sorted(epochs.items()))


def read_tensorflow(path: Path) -> ForeignWeights:
    """Return the variables of one checkpoint or SavedModel, each read and checked when it is asked for.

    Names are those of the file. TensorFlow 2 stores variables by their place in a graph of objects ("variables/0");
    they are named as this graph calls them ("sequential/conv2d/kernel"), or else by their place without
    ``/.ATTRIBUTES/VARIABLE_VALUE``. Partitioned variables are put together. bfloat16 comes as float32.

    Parameters
    ----------
    path : Path
        ``NAME.index``, a shard of it, ``NAME`` alone, or a SavedModel's folder.

    Raises
    ------
    MissingFileError
        When there is none, or a shard is missing.
    CheckpointError
        When the index is damaged, or a shard too short. Damaged values are found when they are read.
    FileFormatError
        When it is of version 1, or a folder of several checkpoints.

    Notes
    -----
    The index is in memory, the values are views of memory maps: reading a tensor takes no memory of its own, but for
    partitioned ones and bfloat16. 100 MB are read and checked in about 0.3 s.
    """
    epochs = tensorflow_epochs(path)
    if len(epochs) > 1:
        raise FileFormatError(
            f"{path} holds {len(epochs)} checkpoints; name one of them: {', '.join(map(str, epochs))}."
        )
    bundle = _read_index(next(iter(epochs.values())))
    entries = {name: bundle.entries[key] for name, key in bundle.names.items()}
    unread = {name: _obstacle(entry) for name, entry in entries.items() if _obstacle(entry)}
    shapes = {name: entry.shape for name, entry in entries.items() if name not in unread}
    for key, entry in bundle.entries.items():
        _require_there(bundle, key, entry)
    return ForeignWeights(bundle.prefix, shapes, partial(_read, bundle), unread)


def _prefixes(path: Path) -> list[Path]:
    """Return the checkpoints that `path` stands for, without suffix."""
    if path.is_dir():
        saved_model = path / "variables" / "variables.index"
        found = [saved_model] if saved_model.is_file() else sorted(path.glob("*.index"))
        return [file.with_suffix("") for file in found]
    prefix = path.with_suffix("") if path.suffix == ".index" else path.with_name(_SHARD.sub("", path.name))
    return [prefix] if prefix.with_name(f"{prefix.name}.index").is_file() else []


def _is_version_1(path: Path) -> bool:
    if not path.is_file() or path.stat().st_size < len(MAGIC) or path.suffix == ".index":
        return False
    with path.open("rb") as file:
        file.seek(-len(MAGIC), 2)
        return file.read() == MAGIC


def _read_index(prefix: Path) -> _Bundle:
    path = prefix.with_name(f"{prefix.name}.index")
    try:
        table = read_table(path.read_bytes())
        if b"" not in table:
            raise ValueError("it has no header, so it is no index of a checkpoint")
        header = {number: value for number, value in fields(table.pop(b"")) if isinstance(value, int)}
        entries = {key: _entry(value) for key, value in table.items()}
        names = {_shown(key): key for key in entries if not key.startswith(b"\0")}
    except ValueError as error:
        raise CheckpointError(
            f"{path} cannot be read as the index of a checkpoint ({first_sentence(error)})."
        ) from error
    bundle = _Bundle(prefix, entries, names, header.get(1, 1), ">" if header.get(2) else "<")
    return replace(bundle, names=_renamed(bundle))


def _renamed(bundle: _Bundle) -> dict[str, bytes]:
    """Return the keys by what the graph of objects calls them, where it does; by their own text otherwise.

    Several entries of one full name are one variable that was stored twice where their checks are the same, and keep
    their keys where not.
    """
    if KEY not in bundle.entries:
        return dict(bundle.names)
    try:
        called = full_names(bytes(bundle.stored(bundle.entries[KEY])))
    except ValueError:  # it only helps to read the rest
        return dict(bundle.names)
    groups: dict[str, list[bytes]] = {}
    for key in bundle.names.values():
        groups.setdefault(called.get(key, _shown(key)), []).append(key)
    names: dict[str, bytes] = {}
    for name, keys in groups.items():
        alike = len({(bundle.entries[key].shape, bundle.entries[key].crc) for key in keys}) == 1
        names |= {name: keys[0]} if alike else {_shown(key): key for key in keys}
    return names


def _entry(message: bytes) -> _Entry:
    """Return a BundleEntryProto."""
    names = {1: "dtype", 3: "shard", 4: "offset", 5: "size", 6: "crc"}
    numbers: dict[str, int] = {}
    shape: Shape = ()
    slices = []
    for number, value in fields(message):
        if number in names and isinstance(value, int):
            numbers[names[number]] = value
        elif number == 2 and isinstance(value, bytes):
            shape = tuple(_dimension(part) for key, part in fields(value) if key == 2 and isinstance(part, bytes))
        elif number == 7 and isinstance(value, bytes):
            slices.append(tuple(_extent(part) for key, part in fields(value) if key == 1 and isinstance(part, bytes)))
    return _Entry(shape=shape, slices=tuple(slices), **numbers)


def _dimension(message: bytes) -> int:
    size = next((signed(value) for number, value in fields(message) if number == 1 and isinstance(value, int)), 0)
    if size < 0:
        raise ValueError("the length of an axis is unknown")
    return size


def _extent(message: bytes) -> _Extent:
    values = {number: signed(value) for number, value in fields(message) if isinstance(value, int)}
    return _Extent(values.get(1, 0), values.get(2))


def _shown(key: bytes) -> str:
    return key.decode().removesuffix(_OBJECT_SUFFIX)


def _obstacle(entry: _Entry) -> str:
    """Return why the values of an entry cannot be read as numbers; "" where they can."""
    if entry.dtype == 7:
        return "text"
    return "" if entry.dtype in _DTYPES else f"values of TensorFlow's type {entry.dtype}"


def _require_there(bundle: _Bundle, key: bytes, entry: _Entry) -> None:
    """Raise unless the bytes of an entry are there, and as many as its shape needs."""
    if entry.slices or entry.dtype not in _DTYPES:
        return
    needed = math.prod(entry.shape) * np.dtype(_DTYPES[entry.dtype]).itemsize
    if entry.size != needed:
        raise CheckpointError(
            f"{bundle.prefix}.index is damaged: {key!r} of shape {entry.shape} needs {needed} bytes, not {entry.size}."
        )
    bundle.stored(entry)


def _read(bundle: _Bundle, name: str) -> NDArray:
    entry = bundle.entries[bundle.names[name]]
    return _joined(bundle, name, entry) if entry.slices else _values(bundle, name, entry)


def _values(bundle: _Bundle, name: str, entry: _Entry) -> NDArray:
    """Return the values of a tensor in one piece, once their check is right."""
    stored = bundle.stored(entry)
    if masked(crc32c(stored)) != entry.crc:
        raise CheckpointError(
            f"The checksum of {name} in {bundle.shard_path(entry.shard)} is wrong: the file was changed or damaged."
        )
    dtype = np.dtype(_DTYPES[entry.dtype]).newbyteorder(bundle.order)
    values = np.frombuffer(stored, dtype).reshape(entry.shape)
    if entry.dtype == _BFLOAT16:
        return (values.astype(np.uint32) << 16).view(np.float32)
    return values


def _joined(bundle: _Bundle, name: str, whole: _Entry) -> NDArray:
    """Return a partitioned variable."""
    joined, filled = None, 0
    for extents in whole.slices:
        entry = bundle.entries.get(_slice_key(bundle.names[name], extents))
        place = _place(whole.shape, extents)
        shape = tuple(part.stop - part.start for part in place)
        if entry is None or entry.shape != shape or entry.dtype != whole.dtype:
            raise CheckpointError(
                f"{bundle.prefix}.index is damaged: a slice of {name} is missing or of another shape."
            )
        part = _values(bundle, name, entry)
        joined = np.empty(whole.shape, part.dtype) if joined is None else joined
        joined[place] = part
        filled += part.size
    if joined is None or filled != joined.size:
        raise CheckpointError(f"The slices of {name} in {bundle.prefix}.index hold {filled} values of {whole.shape}.")
    return joined


def _place(shape: Shape, extents: tuple[_Extent, ...]) -> tuple[slice, ...]:
    lengths = [size if extent.length is None else extent.length for size, extent in zip(shape, extents, strict=False)]
    return tuple(slice(extent.start, extent.start + length) for extent, length in zip(extents, lengths, strict=False))


def _slice_key(name: bytes, extents: tuple[_Extent, ...]) -> bytes:
    """Return the key of a slice: its name and extents as text that sorts as they do (OrderedCode)."""
    key = _ordered(0) + name + b"\0\1" + _ordered(len(extents))  # UTF-8 has no byte 255, names no 0: nothing to escape
    for extent in extents:
        key += _ordered_signed(extent.start) + _ordered_signed(-1 if extent.length is None else extent.length)
    return key


def _ordered(number: int) -> bytes:
    content = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return bytes([len(content)]) + content


def _ordered_signed(number: int) -> bytes:
    """Return a signed number: as many leading ones as bytes, inverted for negative ones, then its bits."""
    bits = (number if number >= 0 else ~number).bit_length()
    length = bits // 7 + 1
    content = (number & ((1 << 8 * length) - 1)).to_bytes(length, "big")
    header = ((1 << length) - 1) << (16 - length) if length < 16 else 0xFFFF
    mask = (header >> 8, header & 0xFF)
    return bytes(byte ^ (mask[place] if place < 2 else 0) for place, byte in enumerate(content))
