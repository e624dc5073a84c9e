"""Snappy blocks, unpacked: as the format is described in google/snappy, format_description.txt."""

from __future__ import annotations

from cnnvis.models.importers._protobuf import varint

_MOST = 64
"""Bytes that one byte of a packed block can stand for at most, rounded up: a copy of 64 takes three."""


def unpacked(data: bytes) -> bytes:
    """Return the content of one block without framing, as LevelDB tables hold it.

    Raises
    ------
    ValueError
        When it is none, or damaged.
    """
    size, place = varint(data, 0)
    if size > _MOST * len(data):
        raise ValueError(f"a packed block of {len(data)} bytes cannot hold {size}")
    out = bytearray()
    while place < len(data) and len(out) <= size:
        place = _copy(data, place, out) if data[place] & 3 else _literal(data, place, out)
    if len(out) != size:
        raise ValueError(f"a packed block holds {len(out)} bytes instead of {size}")
    return bytes(out)


def _literal(data: bytes, place: int, out: bytearray) -> int:
    length, place = data[place] >> 2, place + 1
    if length >= 60:
        extra = length - 59
        length, place = int.from_bytes(data[place : place + extra], "little"), place + extra
    end = place + length + 1
    if end > len(data):
        raise ValueError("a packed block ends too early")
    out += data[place:end]
    return end


def _copy(data: bytes, place: int, out: bytearray) -> int:
    tag, kind = data[place], data[place] & 3
    width = {1: 1, 2: 2, 3: 4}[kind]
    if place + 1 + width > len(data):
        raise ValueError("a packed block ends too early")
    offset = int.from_bytes(data[place + 1 : place + 1 + width], "little")
    length = (tag >> 2) + 1
    if kind == 1:
        offset, length = offset | (tag >> 5) << 8, (tag >> 2 & 7) + 4
    if not 0 < offset <= len(out):
        raise ValueError("a packed block refers to what is before its beginning")
    start = len(out) - offset
    repeated = bytes(out[start : start + length])  # shorter than `length` where the copy runs into itself
    out += (repeated * (length // len(repeated) + 1))[:length]
    return place + 1 + width
