"""The JSON of the Unity CNN visualizer (stefsietz/nn-visualizer): layers, weights and activations by epoch.

Two forms are read. The present one is a folder of three kinds of files: ``model_structure.json``, and for each epoch
``model_weights_epochNNN.json`` and ``model_activations_epochNNN.json``. The first version had one ``epochN.json`` for
each epoch, with everything of one image in it. Arrays are nested lists, channels last.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cnnvis.core import FeatureMaps, Provenance, Recording
from cnnvis.core.errors import FileFormatError, InvalidInputError, MissingFileError, did_you_mean
from cnnvis.models.importers._fitting import fill, shown
from cnnvis.models.importers._unity_structure import Kind, Layer, module_of, require_known
from cnnvis.models.importers._weights import ForeignWeights, Shape
from cnnvis.models.network import Network
from cnnvis.models.preprocessing import ImageSpec

_STRUCTURE = "model_structure.json"
_WEIGHTS = re.compile(r"model_weights_epoch(\d+)\.json")
_ACTIVATIONS = re.compile(r"model_activations_epoch(\d+)\.json")
_FIRST_VERSION = re.compile(r"epoch(\d+)\.json")

LEFT_OUT = "Biases and batch norms are not in the visualizer's files: the network computes without them."
"""What no file of the visualizer holds."""


@dataclass(frozen=True, eq=False)
class UnityValues:
    """What is stored of some images after one epoch.

    Parameters
    ----------
    images : (N, C, H, W) ndarray of float32
        As the network took them, 0 to 1.
    activations : mapping of str to (N, C, *S) ndarray of float32
        By the visualizer's name of the layer, behind its ReLU.
    truth, prediction : tuple of str
        Classes of the images, and the network's answers; the number of the output where no class names are stored.
    """

    images: NDArray[np.float32]
    activations: dict[str, NDArray[np.float32]]
    truth: tuple[str, ...]
    prediction: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class UnityRun:
    """A training run as the visualizer has it, read file by file when something of it is asked for.

    Parameters
    ----------
    folder : Path
    weight_files, value_files : mapping of int to Path
        By epoch; in the first version both are the same.
    first_version : bool
    """

    folder: Path
    weight_files: dict[int, Path]
    value_files: dict[int, Path]
    first_version: bool

    @property
    def epochs(self) -> tuple[int, ...]:
        """Epochs that have weights; 0 is before training."""
        return tuple(self.weight_files)

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Names of the outputs; None in the first version, which has none."""
        return self._structure[1]

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Layers from the input to the output."""
        return self._structure[0]

    def weights(self, epoch: int | None = None) -> dict[str, NDArray[np.float32]]:
        """Return the kernels of convolutions (H, W, in, out) and dense layers (in, out) after an epoch, by layer.

        Raises
        ------
        InvalidInputError
            When there is no such epoch.
        FileFormatError
            When the file is damaged, or its layers are not those of the structure.
        """
        path = self.weight_files[self._epoch(epoch)]
        first, length = (1, 6) if self.first_version else (0, 3)
        rows = [_row(row, first, length, path) for row in _rows(path)]
        _require_names([name for name, _, _ in rows], self.layers, path)
        kernels = {}
        for layer, (name, shape, values) in zip(self.layers, rows, strict=True):
            if layer.kind in (Kind.CONVOLUTION, Kind.DENSE):
                if shape != layer.shape:
                    raise FileFormatError(
                        f"{path}: {name} has the shape {shown(shape)}, the network has {shown(layer.shape)} there."
                    )
                kernels[name] = _array(values, shape, f"{path}: the weights of {name}")
        return kernels

    def values(self, epoch: int | None = None) -> UnityValues:
        """Return the stored images, activations and answers after an epoch.

        Raises
        ------
        InvalidInputError, MissingFileError
            When there is no such epoch, or nothing is stored of it but weights.
        FileFormatError
            When the file is damaged.
        """
        epoch = self._epoch(epoch)
        if epoch not in self.value_files:
            raise MissingFileError(f"{self.folder} has no activations of epoch {epoch}, model_activations_epoch*.json.")
        path = self.value_files[epoch]
        rows = _rows(path)
        labels = None if self.first_version else rows.pop()
        first = 4 if self.first_version else 1
        named = [(_text(row, 1 if self.first_version else 0, path), row) for row in rows]
        arrays = {
            name: _array(*_shaped(row, first, path, name), f"{path}: the activations of {name}") for name, row in named
        }
        images = arrays.pop(next((name for name in arrays if Kind.of(name) is Kind.INPUT), ""), None)
        if images is None or len({len(array) for array in (images, *arrays.values())}) != 1:
            raise FileFormatError(f"{path} has no activations of an input for as many images as of all other layers.")
        truth, prediction = self._labels(labels, rows, arrays, path)
        moved = {name: _channels_first(array) for name, array in arrays.items()}
        return UnityValues(_channels_first(images), moved, truth, prediction)

    def recording(self, epoch: int | None = None) -> Recording:
        """Return the stored activations by the names of the network's layers: ``conv0_relu``, ``maxpool0``, ``fc_out``.

        Raises as `values`. Layers of unknown kinds are in it, too.
        """
        epoch = self._epoch(epoch)
        values = self.values(epoch)
        inputs = tuple(f"sample {number}" for number in range(len(values.images)))
        provenance = Provenance(model=self.folder.name, weights=f"epoch {epoch}", inputs=inputs)
        layers = {name: Layer(name, ()) for name in values.activations}
        maps = {
            layers[name].value: FeatureMaps(array, layers[name].value, provenance=provenance)
            for name, array in values.activations.items()
        }
        logits = next((values.activations[name] for name, layer in layers.items() if layer.is_output), None)
        return Recording(maps, logits=logits, inputs=inputs, provenance=provenance)

    def network(self, epoch: int | None = None) -> Network:
        """Return the network with the weights of an epoch (default the last), in eval mode.

        A sequence of ``conv0, conv0_relu, maxpool0, ..., flatten, fc0, fc0_relu, fc_out``. Biases and batch norms are
        not stored, so it computes without them.

        Raises
        ------
        InvalidInputError
            When there is no such epoch.
        FileFormatError
            When a file is damaged, a layer of an unknown kind, or can be meant in several ways.
        """
        epoch = self._epoch(epoch)
        require_known(self.layers, str(self.folder))
        kernels = self.weights(epoch)  # whose shapes are those of the structure from here on, however damaged it is
        module = self._module().eval()
        _, *size, channels = self.layers[0].shape
        colour = {1: "L", 3: "RGB"}.get(channels)
        example = torch.zeros(1, channels, *size)
        weights = ForeignWeights(
            self.weight_files[epoch], {name: one.shape for name, one in kernels.items()}, kernels.get
        )
        fill(module, (example,), weights, {name: f"{name}.weight" for name in kernels})
        return Network(
            module,
            name=self.folder.name,
            weights=f"epoch {epoch}",
            image=ImageSpec(tuple(size), colour=colour) if colour else None,
            example=None if colour else example,
            class_names=self.class_names,
            default_layers=tuple(layer.value for layer in self.layers if layer.kind is Kind.CONVOLUTION)[:2],
        )

    @cached_property
    def _structure(self) -> tuple[tuple[Layer, ...], tuple[str, ...] | None]:
        if self.first_version:
            path = next(iter(self.weight_files.values()))
            named = [_row(row, 1, 6, path) for row in _rows(path)]
            return tuple(Layer(name, shape) for name, shape, _ in named), None
        path = self.folder / _STRUCTURE
        rows = _rows(path)
        names = rows.pop()
        if not rows or not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise FileFormatError(f"{path} must end with a row of class names.")
        layers = [Layer(_text(row, 0, path), _shaped(row, 1, path, "a layer", values=False)[1]) for row in rows]
        return tuple(layers), tuple(names)

    def _module(self) -> nn.Sequential:
        """Return the network without weights, settled with the values of the first epoch that has any."""
        values: dict[str, NDArray] = {}
        if self.value_files:
            stored = self.values(next(iter(self.value_files)))
            values = {name: np.moveaxis(array, 1, -1) for name, array in stored.activations.items()}
        return module_of(self.layers, values, str(self.folder))

    def _epoch(self, epoch: int | None) -> int:
        if epoch is not None and epoch not in self.weight_files:
            raise InvalidInputError(f"{self.folder} has no epoch {epoch}. It has {', '.join(map(str, self.epochs))}.")
        return max(self.epochs) if epoch is None else epoch

    def _labels(
        self, labels: Any, rows: Sequence[Any], arrays: dict[str, NDArray], path: Path
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return truth and prediction of each image."""
        n_images = len(next(iter(arrays.values()), ()))
        if self.first_version:
            answers = next(
                (array for name, array in arrays.items() if Layer(name, ()).is_output), np.zeros((n_images, 0))
            )
            found = tuple(str(int(row.argmax())) for row in answers.reshape(n_images, -1) if row.size)
            return (_text(rows[0], 0, path),) * n_images, found
        fits = isinstance(labels, list) and len(labels) == 2 and all(isinstance(part, list) for part in labels)
        if not fits or not all(len(part) == n_images and all(isinstance(x, str) for x in part) for part in labels):
            raise FileFormatError(f"{path} must end with the true and the predicted class of its {n_images} images.")
        return tuple(labels[0]), tuple(labels[1])


def is_unity(path: Path) -> bool:
    """Return whether a path is a folder of the visualizer, or a file of such a folder, by the names of files."""
    return bool(_files(_folder(path), _FIRST_VERSION)) or (_folder(path) / _STRUCTURE).is_file()


def read_unity(path: Path) -> UnityRun:
    """Return the run in a folder of the visualizer, or of one of its files; an ``epochN.json`` alone is that epoch.

    Raises
    ------
    MissingFileError
        When there is none, or no weights in it.
    """
    folder = _folder(path)
    if (folder / _STRUCTURE).is_file():
        run = UnityRun(folder, _files(folder, _WEIGHTS), _files(folder, _ACTIVATIONS), first_version=False)
        if not run.epochs:
            raise MissingFileError(f"{folder} has no weights, model_weights_epoch*.json.")
        return run
    files = _files(folder, _FIRST_VERSION)
    if path.is_file():
        files = {epoch: file for epoch, file in files.items() if file == path}
    if not files:
        raise MissingFileError(f"{path} is no folder of the Unity visualizer: neither {_STRUCTURE} nor epoch*.json.")
    return UnityRun(folder, files, files, first_version=True)


def _folder(path: Path) -> Path:
    """Return the folder that is meant by a path: itself, or that of one of the visualizer's files."""
    known = path.name == _STRUCTURE or any(
        pattern.fullmatch(path.name) for pattern in (_WEIGHTS, _ACTIVATIONS, _FIRST_VERSION)
    )
    return path.parent if known and path.is_file() else path


def _files(folder: Path, pattern: re.Pattern[str]) -> dict[int, Path]:
    if not folder.is_dir():
        return {}
    found = {int(match[1]): file for file in folder.iterdir() if (match := pattern.fullmatch(file.name))}
    return dict(sorted(found.items()))


def _rows(path: Path) -> list[Any]:
    if not path.is_file():
        raise MissingFileError(f"There is no file {path}.")
    try:
        rows = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{path} is no JSON or cut short ({error}).") from error
    if not isinstance(rows, list) or len(rows) < 2:
        raise FileFormatError(f"{path} must be a list of layers, got {type(rows).__name__}.")
    return rows


def _row(row: Any, first: int, length: int, path: Path) -> tuple[str, Shape, Any]:
    """Return name, shape and nested values of a row that begins with them at `first`."""
    if not isinstance(row, list) or len(row) < length:
        raise FileFormatError(f"{path} has a row that is no list of name, shape and values.")
    name = _text(row, first, path)
    values, shape = _shaped(row, first + 1, path, name)
    return name, shape, values


def _text(row: Any, place: int, path: Path) -> str:
    if not isinstance(row, list) or len(row) <= place or not isinstance(row[place], str):
        raise FileFormatError(f"{path} has a row without the name of a layer.")
    return row[place]


def _shaped(row: Any, place: int, path: Path, name: str, *, values: bool = True) -> tuple[Any, Shape]:
    """Return the values of a row, and their shape, which stands before them at `place`."""
    shape = row[place] if len(row) > place + values else None
    if not isinstance(shape, list) or not all(type(size) is int and size > 0 for size in shape):
        raise FileFormatError(
            f"{path}: {name} needs a shape{' and values' if values else ''}, a list of whole numbers above 0."
        )
    return (row[place + 1] if values else None), tuple(shape)


def _array(values: Any, shape: Shape, what: str) -> NDArray[np.float32]:
    try:
        with np.errstate(over="ignore"):  # what is too large is infinite, as where training diverged
            array = np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError, OverflowError) as error:
        raise FileFormatError(f"{what} are no array of numbers ({error}).") from error
    if array.shape != shape:
        raise FileFormatError(f"{what} have the shape {shown(array.shape)}, but are said to have {shown(shape)}.")
    return array


def _channels_first(array: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.ascontiguousarray(np.moveaxis(array, -1, 1)) if array.ndim > 2 else array


def _require_names(names: Sequence[str], layers: Sequence[Layer], path: Path) -> None:
    known = [layer.name for layer in layers]
    if list(names) == known:
        return
    strange = next((name for name in names if name not in known), None)
    if strange is not None:
        raise FileFormatError(
            f"{path} has a layer {strange!r} that the network has not. {did_you_mean(strange, known)}"
        )
    raise FileFormatError(f"{path} has the layers {', '.join(names)}; the network has {', '.join(known)}.")
