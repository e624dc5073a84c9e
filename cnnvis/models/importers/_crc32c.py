"""CRC-32C (Castagnoli), as LevelDB tables and TensorFlow's tensors carry it: with numpy alone, many lanes at once.

A cyclic redundancy check is linear over GF(2): the check of two pieces one after the other is that of the first, moved
on by the length of the second, xor that of the second. So the bytes are cut into lanes of equal length, all lanes are
checked together four bytes at a step, and the lanes are folded in pairs.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

_POLYNOMIAL = 0x82F63B78  # reflected
_ONES = 0xFFFFFFFF
_BLOCK = 1 << 23
"""Bytes that are checked together: 8 MiB, so that what is computed on the way stays in the cache."""

_STEPS = 128
"""Words of four bytes in a lane; more lanes than that cost more to fold than they save."""


def crc32c(data: bytes | NDArray[np.uint8]) -> int:
    """Return the CRC-32C of some bytes. Cost: about 0.2 s for 100 MB, and 0.1 ms for a few bytes.

    Parameters
    ----------
    data : bytes or (N,) ndarray of uint8
        May be a memory map, which is read through once.
    """
    array = np.frombuffer(data, np.uint8) if isinstance(data, bytes) else data
    state, done = _ONES, array.size % _BLOCK
    state = _moved(state, done) ^ _raw(array[:done])
    for start in range(done, array.size, _BLOCK):
        state = _moved(state, _BLOCK) ^ _raw(array[start : start + _BLOCK])
    return state ^ _ONES


def masked(crc: int) -> int:
    """Return a check as it is stored: LevelDB turns it and adds a constant, so that checks of checks work."""
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & _ONES


def _raw(data: NDArray[np.uint8]) -> int:
    """Return the check of `data` that begins with 0 and ends without inversion; zeros in front do not change it."""
    words = -(-data.size // 4)
    if not words:
        return 0
    lanes = 1 << max(0, (words // _STEPS).bit_length() - 1)
    steps = -(-words // lanes)
    padded = np.zeros(4 * lanes * steps, np.uint8)
    padded[padded.size - data.size :] = data
    states = _of_lanes(padded.view("<u4").reshape(lanes, steps))
    length = 4 * steps
    while states.size > 1:
        states = _apply(_operator(length), states[0::2]) ^ states[1::2]
        length *= 2
    return int(states[0])


def _of_lanes(words: NDArray[np.uint32]) -> NDArray[np.uint32]:
    low, high = _tables()
    states = np.zeros(len(words), np.uint32)
    for step in range(words.shape[1]):
        states ^= words[:, step]
        states = low[states & 0xFFFF] ^ high[states >> 16]
    return states


def _moved(state: int, length: int) -> int:
    """Return a state after `length` bytes of zeros: by squaring, one operator for each bit of the length."""
    value, power = np.array([state], np.uint32), 0
    while length >> power:
        if length >> power & 1:
            value = _apply(_operator(1 << power), value)
        power += 1
    return int(value[0])


@cache
def _tables() -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return what four bytes of zeros make of the lower and of the upper half of a state."""
    numbers = np.arange(1 << 16, dtype=np.uint32)
    operator = _operator(4)
    return _apply(operator, numbers), _apply(operator, numbers << 16)


@cache
def _operator(length: int) -> tuple[int, ...]:
    """Return what `length` bytes of zeros make of each of the 32 bits of a state: the columns of a matrix."""
    if length == 1:
        return tuple(_after_byte(1 << bit) for bit in range(32))
    half = _operator(length // 2)
    doubled = tuple(int(value) for value in _apply(half, np.array(half, np.uint32)))
    if length % 2 == 0:
        return doubled
    return tuple(int(value) for value in _apply(_operator(1), np.array(doubled, np.uint32)))


def _after_byte(state: int) -> int:
    for _ in range(8):
        state = state >> 1 ^ (_POLYNOMIAL if state & 1 else 0)
    return state


def _apply(operator: tuple[int, ...], states: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the matrix times each state, over GF(2)."""
    result = np.zeros_like(states)
    for bit, column in enumerate(operator):
        result ^= (states >> bit & 1) * np.uint32(column)
    return result
