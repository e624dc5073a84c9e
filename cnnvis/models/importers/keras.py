"""Weights that Keras wrote, read with h5py and without Keras: ``.h5``, ``.weights.h5``, those inside ``.keras``."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.errors import CheckpointError, MissingDependencyError, MissingFileError
from cnnvis.models._reason import first_sentence
from cnnvis.models.importers._weights import ForeignWeights

SUFFIXES = (".h5", ".hdf5", ".keras")

_INSIDE = "model.weights.h5"
"""The file with the weights inside a .keras archive."""


def is_keras(path: Path) -> bool:
    """Return whether a path has the suffix of a file that Keras writes."""
    return path.suffix in SUFFIXES


def read_keras(path: Path) -> ForeignWeights:
    """Return the weights of a file of Keras 2 or 3, each read when it is asked for.

    Names are the paths of the arrays in the file, such as ``conv2d/kernel`` (Keras 2, where they are shortened from
    ``model_weights/conv2d/conv2d/kernel:0``) or ``layers/conv2d/vars/0`` (Keras 3: 0 is the kernel, 1 the bias; of a
    batch norm gamma, beta, mean, variance). The layers of the model are not taken over.

    Raises
    ------
    MissingDependencyError
        When h5py is not installed.
    MissingFileError, CheckpointError
        When there is no such file; when it is damaged, or none of Keras.
    """
    if not path.is_file():
        raise MissingFileError(f"There is no file {path}.")
    h5py = _h5py()
    try:
        file = h5py.File(io.BytesIO(_unzipped(path)) if path.suffix == ".keras" else path, "r")
        places: dict[str, str] = {}
        file.visititems(lambda place, item: places.update({place: place}) if isinstance(item, h5py.Dataset) else None)
    except (OSError, RuntimeError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"{path} cannot be read as weights of Keras ({first_sentence(error)}).") from error
    names = _shortened(list(places))
    numbers = {name: place for name, place in names.items() if file[place].dtype.kind in "fiub"}
    unread = {name: "text" for name in names if name not in numbers}
    shapes = {name: tuple(file[place].shape) for name, place in numbers.items()}
    if not shapes:
        raise CheckpointError(f"{path} holds no weights.")

    def read(name: str) -> NDArray[Any]:
        try:
            return np.asarray(file[numbers[name]])
        except (OSError, RuntimeError) as error:
            raise CheckpointError(f"{name} in {path} is damaged ({first_sentence(error)}).") from error

    return ForeignWeights(path, shapes, read, unread)


def _shortened(places: list[str]) -> dict[str, str]:
    """Return the places of Keras 2 by the names of their weights, where these are unlike; other places by themselves.

    It repeats the name of a layer as the scope of its weights: ``model_weights/fc/sequential/fc/kernel:0``.
    """
    names: dict[str, list[str]] = {}
    for place in places:
        parts = place.removeprefix("model_weights/").removesuffix(":0").split("/")
        layer, own = parts[0], parts[1:]
        short = "/".join(own[own.index(layer) :]) if layer in own else "/".join(parts)
        names.setdefault(short, []).append(place)
    return {(name if len(found) == 1 else place): place for name, found in names.items() for place in found}


def _unzipped(path: Path) -> bytes:
    """Return the weights inside a .keras archive; in memory, as HDF5 is read from anywhere in it."""
    with zipfile.ZipFile(path) as archive:
        return archive.read(_INSIDE)


def _h5py() -> Any:
    try:
        import h5py
    except ImportError as error:
        raise MissingDependencyError(
            f"Weights of Keras need h5py installed and importable ({error}). Type: pip install 'cnnvis[keras]', or "
            "pip install h5py"
        ) from error
    return h5py
