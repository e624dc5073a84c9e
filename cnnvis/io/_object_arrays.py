"""numpy arrays of objects, read without unpickling: the opcodes are followed by hand, and nothing is ever called.

`np.save` writes such arrays as a pickle, which can run any code when it is loaded. What numpy itself writes needs few
opcodes and five functions; these are understood here, everything else is refused.

Source: PEP 307 and 3154, Python's pickletools; numpy's `ndarray.__reduce__` and `dtype.__reduce__`.
"""

from __future__ import annotations

import math
import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.errors import UnsafeFileError

_CORE = ("numpy.core.multiarray", "numpy._core.multiarray")  # before numpy 2, and since
_ALLOWED = {
    **{f"{module} _reconstruct": "array" for module in _CORE},
    **{f"{module} scalar": "scalar" for module in _CORE},
    "numpy ndarray": "ndarray",
    "numpy dtype": "dtype",
    "_codecs encode": "encode",  # bytes in the pickles of Python 2
}
"""What a pickle may name -> what is done instead of calling it."""

_VALUES = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "BINBYTES", "BINBYTES8",
    "SHORT_BINBYTES", "UNICODE", "BINUNICODE", "BINUNICODE8", "SHORT_BINUNICODE",
}  # fmt: skip
"""Opcodes that put what stands behind them."""

_FRAME = ("PROTO", "FRAME", "STOP")
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_MARK = object()


@dataclass(frozen=True)
class _Name:
    """A function or class that the pickle names."""

    kind: str


@dataclass(eq=False)
class _Unbuilt:
    """An array or dtype whose state has not come yet; `slots` are the places of the memo that wait for it."""

    kind: str
    arguments: tuple[Any, ...]
    slots: list[int] = field(default_factory=list)


def read_object_array(file: BinaryIO) -> NDArray[Any]:
    """Return the array in a .npy file; objects are None, numbers, texts, bytes, lists, tuples and arrays of these.

    Raises
    ------
    UnsafeFileError
        When the pickle names anything that numpy does not need for arrays, or has opcodes that it does not write.
    ValueError
        When the file is damaged.
    """
    shape, fortran, dtype = _header(file)
    if dtype.hasobject:
        array = _Machine().run(file.read())
        if not isinstance(array, np.ndarray) or array.shape != shape:
            raise ValueError("its header and its content differ")
        return array
    return _numbers(file.read(), dtype, shape, fortran=fortran)


def _header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Return shape, whether columns come first, and dtype."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"it is of version {version} of the .npy format")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        return read(file)
    except Exception as error:  # numpy's own reading of it raises what Python's tokenizer does
        raise ValueError(f"its header cannot be read ({error})") from error


class _Machine:
    """The stack and the memo of a pickle."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._steps: dict[str, Callable[[Any], None]] = {
            "MARK": lambda _: self._push(_MARK),
            "EMPTY_LIST": lambda _: self._push([]),
            "EMPTY_TUPLE": lambda _: self._push(()),
            "LIST": lambda _: self._push(self._to_mark()),
            "TUPLE": lambda _: self._push(tuple(self._to_mark())),
            "TUPLE1": lambda _: self._push(tuple(self._pop(1))),
            "TUPLE2": lambda _: self._push(tuple(self._pop(2))),
            "TUPLE3": lambda _: self._push(tuple(self._pop(3))),
            "APPEND": lambda _: self._extend(self._pop(1)),
            "APPENDS": lambda _: self._extend(self._to_mark()),
            "MEMOIZE": lambda _: self._remember(len(self._memo)),
            "BINPUT": self._remember,
            "LONG_BINPUT": self._remember,
            "BINGET": self._recall,
            "LONG_BINGET": self._recall,
            "GLOBAL": self._name,
            "STACK_GLOBAL": lambda _: self._name(" ".join(map(str, self._pop(2)))),
            "REDUCE": lambda _: self._reduce(*self._pop(2)),
            "BUILD": lambda _: self._build(*self._pop(2)),
        }

    def run(self, content: bytes) -> Any:
        """Return what the pickle stands for."""
        for operation, argument, _ in pickletools.genops(content):
            name = operation.name
            if name in self._steps:
                self._steps[name](argument)
            elif name in _VALUES:
                self._push(argument)
            elif name in _CONSTANTS:
                self._push(_CONSTANTS[name])
            elif name not in _FRAME:
                raise UnsafeFileError(f"a pickle with {name}, which no array of numbers needs")
        (result,) = self._pop(1)
        if self._stack:
            raise ValueError("its pickle ends too early")
        return result

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _pop(self, count: int) -> list[Any]:
        if len(self._stack) < count or any(value is _MARK for value in self._stack[-count:]):
            raise ValueError("its pickle takes more than it puts")
        taken = self._stack[-count:]
        del self._stack[-count:]
        return taken

    def _to_mark(self) -> list[Any]:
        for place in range(len(self._stack) - 1, -1, -1):
            if self._stack[place] is _MARK:
                taken = self._stack[place + 1 :]
                del self._stack[place:]
                return taken
        raise ValueError("its pickle takes more than it puts")

    def _extend(self, values: list[Any]) -> None:
        top = self._stack[-1] if self._stack else None
        if not isinstance(top, list):
            raise ValueError("its pickle adds to what is no list")  # noqa: TRY004 - of a damaged file
        top.extend(values)

    def _remember(self, slot: int) -> None:
        (top,) = self._pop(1)
        self._push(top)
        self._memo[int(slot)] = top
        if isinstance(top, _Unbuilt):
            top.slots.append(int(slot))

    def _recall(self, slot: int) -> None:
        if slot not in self._memo:
            raise ValueError("its pickle refers to what is not there")
        self._push(self._memo[slot])

    def _name(self, text: str) -> None:
        if text not in _ALLOWED:
            raise UnsafeFileError(f"a pickle that wants to import {text.replace(' ', '.')}")
        self._push(_Name(_ALLOWED[text]))

    def _reduce(self, function: Any, arguments: Any) -> None:
        if not isinstance(function, _Name) or not isinstance(arguments, tuple):
            raise ValueError("its pickle calls what is no function")  # noqa: TRY004 - of a damaged file
        if function.kind == "encode":
            self._push(_encoded(*arguments))
        elif function.kind == "scalar":
            self._push(_scalar(*arguments))
        elif function.kind in ("array", "dtype"):
            self._push(_Unbuilt(function.kind, arguments))
        else:
            raise UnsafeFileError("a pickle that calls numpy.ndarray")

    def _build(self, target: Any, state: Any) -> None:
        if not isinstance(target, _Unbuilt) or not isinstance(state, tuple):
            raise UnsafeFileError("a pickle that sets the state of what is no array")
        built = _dtype(target.arguments, state) if target.kind == "dtype" else _array(state)
        for slot in target.slots:
            self._memo[slot] = built
        self._push(built)


def _encoded(text: Any = None, encoding: Any = None) -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise ValueError("in its pickle bytes are written in an unknown way")
    return text.encode("latin-1")


def _dtype(arguments: tuple[Any, ...], state: tuple[Any, ...]) -> np.dtype:
    """Return a dtype of numbers or objects, from its text ("f4") and its state, which has the order of its bytes."""
    text = arguments[0] if arguments else None
    text = text.decode("latin-1") if isinstance(text, bytes) else text
    order = state[1] if len(state) > 1 else None
    order = order.decode("latin-1") if isinstance(order, bytes) else order
    if not isinstance(text, str) or text[:1] not in "Obiuf" or order not in ("<", ">", "|", "="):
        raise ValueError(f"in its pickle is an array of the unknown type {text!r}")
    try:
        return np.dtype(text).newbyteorder(order)
    except TypeError as error:
        raise ValueError(f"in its pickle is an array of the unknown type {text!r}") from error


def _array(state: tuple[Any, ...]) -> NDArray[Any]:
    """Return an array of its state: (version, shape, dtype, whether columns come first, values)."""
    if len(state) != 5:
        raise ValueError("in its pickle an array has an unknown state")
    _, shape, dtype, fortran, values = state
    if not isinstance(shape, tuple) or not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError("in its pickle an array has no shape")
    if isinstance(dtype, np.dtype) and not dtype.hasobject:
        return _numbers(values, dtype, shape, fortran=bool(fortran))
    if not isinstance(dtype, np.dtype) or not isinstance(values, list) or len(values) != math.prod(shape):
        raise ValueError("in its pickle an array of objects has no type, or too few of them")
    array = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        array[place] = value
    return array.reshape(shape, order="F" if fortran else "C")


def _numbers(values: Any, dtype: np.dtype, shape: tuple[int, ...], *, fortran: bool) -> NDArray[Any]:
    if not isinstance(values, bytes) or len(values) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"an array of shape {shape} has too few or too many values")
    return np.frombuffer(values, dtype).reshape(shape, order="F" if fortran else "C")


def _scalar(dtype: Any = None, values: Any = None) -> Any:
    if not isinstance(dtype, np.dtype) or dtype.hasobject:
        raise ValueError("in its pickle is a number of no type")
    return _numbers(values, dtype, (), fortran=False).item()
