"""Sorted tables of LevelDB, read whole: what TensorFlow writes as the .index of a checkpoint.

Source: leveldb/doc/table_format.md; TensorFlow's copy of the code writes the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from cnnvis.models.importers._crc32c import crc32c, masked
from cnnvis.models.importers._protobuf import varint
from cnnvis.models.importers._snappy import unpacked

MAGIC = 0xDB4775248B80FB57.to_bytes(8, "little")
"""How every table ends."""

_FOOTER = 48
_TRAILER = 5  # of a block: how it is packed, and its check


def read_table(content: bytes) -> dict[bytes, bytes]:
    """Return all values of a table by key, every block checked.

    Raises
    ------
    ValueError
        When it is no table, cut short or damaged: the text says at which byte.
    """
    if len(content) < _FOOTER or content[-8:] != MAGIC:
        raise ValueError("it does not end as a table does, so it is no table or cut short")
    footer = content[-_FOOTER:]
    _, place = _handle(footer, 0)  # of the block of filters, of which TensorFlow has none
    index, _ = _handle(footer, place)
    table: dict[bytes, bytes] = {}
    for _, handle in _entries(_block(content, *index)):
        table.update(_entries(_block(content, *_handle(handle, 0)[0])))
    return table


def _handle(data: bytes, place: int) -> tuple[tuple[int, int], int]:
    """Return (offset, size) of a block, and the place behind them."""
    offset, place = varint(data, place)
    size, place = varint(data, place)
    return (offset, size), place


def _block(content: bytes, offset: int, size: int) -> bytes:
    stored = content[offset : offset + size + _TRAILER]
    if len(stored) < size + _TRAILER:
        raise ValueError(f"a block of {size} bytes at byte {offset} does not end within it")
    if masked(crc32c(stored[:-4])) != int.from_bytes(stored[-4:], "little"):
        raise ValueError(f"the checksum of the block at byte {offset} is wrong")
    packing = stored[size]
    if packing not in (0, 1):
        raise ValueError(
            f"the block at byte {offset} is packed in the unknown way {packing}; plain and snappy are read"
        )
    return unpacked(stored[:size]) if packing else stored[:size]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values: of each key only what differs from the one before is stored."""
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 * (restarts + 1)
    if len(block) < 4 or end < 0:
        raise ValueError("a block is shorter than its list of restarts")
    key, place = b"", 0
    while place < end:
        shared, place = varint(block, place)
        own, place = varint(block, place)
        length, place = varint(block, place)
        if shared > len(key) or place + own + length > end:
            raise ValueError("an entry does not end within its block")
        key = key[:shared] + block[place : place + own]
        yield key, block[place + own : place + own + length]
        place += own + length
