"""Protocol buffers on the wire: numbers and bytes by field, without their schema."""

from __future__ import annotations

from collections.abc import Iterator

Value = int | bytes


def varint(data: bytes, place: int) -> tuple[int, int]:
    """Return an unsigned number of variable length, at most 64 bits, and the place behind it.

    Raises
    ------
    ValueError
        When the bytes end within the number, or it has more than 64 bits.
    """
    number = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            raise ValueError("it ends within a number")
        byte = data[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & 0xFFFFFFFFFFFFFFFF, place
    raise ValueError("a number has more than 64 bits")


def signed(number: int) -> int:
    """Return a varint that is an int64: negative ones are stored as their two's complement."""
    return number - (1 << 64) if number >= 1 << 63 else number


def fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """Yield (number, value) of the fields of a message: int for numbers, bytes for texts and messages.

    Raises
    ------
    ValueError
        When the bytes are no message.
    """
    place = 0
    while place < len(data):
        tag, place = varint(data, place)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, place = varint(data, place)
            yield number, value
            continue
        if wire == 2:
            length, place = varint(data, place)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise ValueError(f"field {number} has the unknown wire type {wire}")
        content = data[place : place + length]
        if len(content) < length:
            raise ValueError(f"it ends within field {number}")
        place += length
        yield number, content if wire == 2 else int.from_bytes(content, "little")
