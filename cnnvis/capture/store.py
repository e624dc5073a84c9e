"""A recording on disk: a folder with one .npy file per layer and a manifest in JSON. No pickle anywhere."""

from __future__ import annotations

import atexit
import json
import logging
import math
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.capture.budget import show_bytes
from cnnvis.capture.sinks import FileSink, MemorySink, Sink, require_space, stored_dtype, writing
from cnnvis.core import FeatureMaps, Provenance, Recording
from cnnvis.core.errors import FileFormatError, InvalidInputError, OutputError

logger = logging.getLogger(__name__)

MANIFEST = "manifest.json"
LOGITS = "logits.npy"
FORMAT = "cnnvis recording"
VERSION = 1


class RecordingWriter:
    """Takes the values of all layers, keeps to a memory budget, and makes the Recording.

    Each layer whose values for all images still fit into the budget becomes an array in memory, any
    other a memory-mapped file in a temporary folder that is gone when the recording is. With `store`,
    or where the number of images is not known, every layer is a file. A store appears under its name
    only when it is complete; one that was there before is replaced then.

    Parameters
    ----------
    n_images : int or None
    budget : int
        Bytes.
    store : path, optional
        Folder to make.
    """

    def __init__(self, n_images: int | None, *, budget: int, store: str | os.PathLike[str] | None = None) -> None:
        self._n_images = n_images
        self._budget = budget
        self._store = None if store is None else Path(store)
        if self._store is not None and self._store.exists() and not (self._store / MANIFEST).is_file():
            raise OutputError(f"{self._store} exists and is no recording of cnnvis; it is not overwritten.")
        self._folder: Path | None = None
        self._sinks: dict[str, Sink] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._in_memory = 0
        self._on_disk = 0

    def __enter__(self) -> RecordingWriter:
        if self._store is not None:
            self._make_folder()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, traceback: TracebackType | None) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def append(self, layer: str, values: Tensor) -> None:
        """Add the (n, C, *S) values of one batch.

        Raises
        ------
        InvalidInputError
            When the shape of one image is not that of the batches before.
        OutputError
            When the disk is full, or the values of all images would not fit on it.
        """
        shape = tuple(values.shape[1:])
        if layer not in self._sinks:
            self._shapes[layer] = shape
            self._sinks[layer] = self._new_sink(layer, shape, stored_dtype(values.dtype))
        if shape != self._shapes[layer]:
            raise InvalidInputError(
                f"Layer {layer!r} gives values of shape {shape} for this batch and {self._shapes[layer]} for those "
                "before; one recording holds images of one size. Resize them, or record each size by itself."
            )
        self._sinks[layer].append(values)

    def report(self) -> None:
        """Log what the recording needs, as far as it is known: after the first batch."""
        images = "an unknown number of" if self._n_images is None else self._n_images
        logger.info(
            "Recording %d layers of %s images: %s in memory (budget %s), %s on disk%s",
            len(self._sinks),
            images,
            show_bytes(self._in_memory),
            show_bytes(self._budget),
            show_bytes(self._on_disk) if self._n_images is not None else "the rest",
            f" in {self._folder}" if self._folder is not None else "",
        )

    def finish(self, logits: NDArray[Any] | None, inputs: Sequence[str], provenance: Provenance) -> Recording:
        """Return the recording; a store is published under its name first."""
        arrays = {layer: sink.finish() for layer, sink in self._sinks.items()}
        recording = _recording(arrays, logits, inputs, provenance)
        if self._folder is None:
            return recording
        if self._store is None:
            self._forget_folder(self._folder)
            return recording
        with writing(self._store):
            _write_manifest(self._folder, recording)
            _replace_folder(self._store, self._folder)
        self._folder = None
        return open_store(self._store)

    def _new_sink(self, layer: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Sink:
        n_bytes = (self._n_images or 0) * math.prod(shape) * dtype.itemsize
        if self._n_images is not None and self._store is None and self._in_memory + n_bytes <= self._budget:
            self._in_memory += n_bytes
            return MemorySink(layer, self._n_images, shape, dtype)
        folder = self._folder or self._make_folder()
        self._on_disk += n_bytes
        require_space(folder, self._on_disk)
        return FileSink(folder / _file_name(len(self._sinks), layer), shape, dtype)

    def _make_folder(self) -> Path:
        """Make the folder that is written to: beside the store, so that it can be renamed, or a temporary one."""
        if self._store is None:
            folder = Path(tempfile.mkdtemp(prefix="cnnvis-"))
        else:
            folder = self._store.absolute().with_name(f".{self._store.name}-{uuid.uuid4().hex[:8]}.part")
            with writing(self._store):
                folder.mkdir(parents=True)
        self._folder = folder
        return folder

    def _forget_folder(self, folder: Path) -> None:
        """Remove the temporary files; the maps keep their contents as long as they live."""
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():  # Windows keeps files that are mapped
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
        self._folder = None


def open_store(path: str | os.PathLike[str]) -> Recording:
    """Return a recording that `record(..., store=path)` wrote, its values as read-only memory maps.

    Parameters
    ----------
    path : path

    Raises
    ------
    FileFormatError
        When it is no such folder, of a newer version, or a file in it is missing or not as the manifest says.

    Notes
    -----
    Reads the manifest only; values are read from disk where they are used.
    """
    folder = Path(path)
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT or manifest["version"] > VERSION:
            raise FileFormatError(
                f"{folder} is a {manifest['format']!r} of version {manifest['version']}; "
                f"this cnnvis reads {FORMAT!r} up to version {VERSION}."
            )
        arrays = {entry["layer"]: _open_array(folder, entry) for entry in manifest["layers"]}
        logits = None if manifest["logits"] is None else np.load(folder / LOGITS, allow_pickle=False)
        provenance = Provenance.from_json(json.dumps(manifest["provenance"]))
        return _recording(arrays, logits, manifest["inputs"], provenance)
    except FileNotFoundError as error:
        raise FileFormatError(f"{folder} is no recording of cnnvis: {error.filename} is missing.") from error
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise FileFormatError(f"{folder} is no recording of cnnvis: {MANIFEST} does not read as one.") from error


def _write_manifest(folder: Path, recording: Recording) -> None:
    entries = []
    for index, (layer, maps) in enumerate(recording.maps.items()):
        values = maps.activations
        file = _file_name(index, layer)
        entries.append({"layer": layer, "file": file, "shape": values.shape, "dtype": values.dtype.str})
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "layers": entries,
        "logits": None if recording.logits is None else LOGITS,
        "inputs": recording.inputs,
        "provenance": json.loads(recording.provenance.to_json()),
    }
    if recording.logits is not None:
        np.save(folder / LOGITS, recording.logits, allow_pickle=False)
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def _open_array(folder: Path, entry: Mapping[str, Any]) -> NDArray[Any]:
    path = folder / Path(entry["file"]).name  # never outside the folder
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        raise FileFormatError(f"{path} (layer {entry['layer']!r}) is cut off or no .npy file: {error}.") from error
    if list(array.shape) != entry["shape"] or array.dtype.str != entry["dtype"]:
        raise FileFormatError(
            f"{path} (layer {entry['layer']!r}) holds {array.dtype.str} values of shape {array.shape}; "
            f"{MANIFEST} says {entry['dtype']} {tuple(entry['shape'])}."
        )
    return array


def _recording(
    arrays: Mapping[str, NDArray[Any]], logits: NDArray[Any] | None, inputs: Sequence[str], provenance: Provenance
) -> Recording:
    maps = {layer: FeatureMaps(array, layer=layer, provenance=provenance) for layer, array in arrays.items()}
    return Recording(maps, logits=logits, inputs=tuple(inputs), provenance=provenance)


def _file_name(index: int, layer: str) -> str:
    """Return a file name that is unique by its number and tells the layer."""
    return f"{index:04d}_{re.sub(r'[^A-Za-z0-9_.-]', '_', layer)[:100]}.npy"


def _replace_folder(target: Path, folder: Path) -> None:
    """Rename `folder` to `target`; what was there is moved away first and removed last."""
    old = folder.with_suffix(".old")
    if target.exists():
        target.rename(old)
    try:
        folder.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
