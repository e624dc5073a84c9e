"""A plain array as a .npy file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import Volume
from cnnvis.core.atomic import AtomicWrite
from cnnvis.core.errors import FileFormatError, InvalidInputError, UnsafeFileError


def save(obj: NDArray[Any] | Volume, path: Path) -> None:
    """Write an array, or the values of a volume in the order shown, without anything else of it."""
    array = obj.values if isinstance(obj, Volume) else obj
    if not isinstance(array, np.ndarray) or array.dtype.hasobject:
        raise InvalidInputError(f"A .npy file holds an array of numbers or text, got {type(obj).__name__}.")
    with AtomicWrite() as write, write.file(path).open("wb") as file:
        np.save(file, array, allow_pickle=False)


def load(path: Path) -> NDArray[Any]:
    """Return the array.

    Raises
    ------
    UnsafeFileError
        When the file holds pickled objects, which could run code.
    FileFormatError
        When it is no .npy file, or cut short.
    """
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        if "pickle" in str(error):
            raise UnsafeFileError(
                f"{path} is no plain .npy array but holds pickled data, which could run code; it was refused."
            ) from error
        raise FileFormatError(f"{path} is not a .npy file or is cut short: {error}") from error
    if not isinstance(array, np.ndarray):
        raise FileFormatError(f"{path} is a .npz archive under the name of a .npy file.")
    return array
