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
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.capture.sinks import FileSink, MemorySink, Sink, require_space, stored_dtype, writing
from cnnvis.core import FeatureMaps, Provenance, Recording
from cnnvis.core.errors import FileFormatError, InvalidInputError, OutputError
from cnnvis.core.memory import show_bytes

logger = logging.getLogger(__name__)

MANIFEST = "manifest.json"
LOGITS = "logits.npy"
FORMAT = "cnnvis recording"
VERSION = 1

ACTIVATIONS, GRADIENTS, WEIGHT_GRADIENTS = "activations", "gradients", "weight_gradients"
"""Parts of a recording: arrays by layer."""

_LISTS = {ACTIVATIONS: "layers", GRADIENTS: "gradients", WEIGHT_GRADIENTS: "weight_gradients"}
"""Under which name the manifest lists the arrays of a part."""


class _Key(NamedTuple):
    """Which array of a recording."""

    part: str
    layer: str


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
        self._sinks: dict[_Key, Sink] = {}
        self._shapes: dict[_Key, tuple[int, ...]] = {}
        self._in_memory = 0
        self._on_disk = 0

    def __enter__(self) -> RecordingWriter:
        if self._store is not None:
            self._make_folder()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, traceback: TracebackType | None) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def append(self, layer: str, values: Tensor, part: str = ACTIVATIONS) -> None:
        """Add the (n, C, *S) values of one batch, its gradients (n, C, *S), or weight gradients per image (n, ...).

        Raises
        ------
        InvalidInputError
            When the shape of one image is not that of the batches before.
        OutputError
            When the disk is full, or the values of all images would not fit on it.
        """
        key, shape = _Key(part, layer), tuple(values.shape[1:])
        if key not in self._sinks:
            self._shapes[key] = shape
            self._sinks[key] = self._new_sink(key, shape, stored_dtype(values.dtype))
        if shape != self._shapes[key]:
            raise InvalidInputError(
                f"Layer {layer!r} gives values of shape {shape} for this batch and {self._shapes[key]} for those "
                "before; one recording holds images of one size. Resize them, or record each size by itself."
            )
        self._sinks[key].append(values)

    def report(self) -> None:
        """Log what the recording needs, as far as it is known: after the first batch."""
        images = "an unknown number of" if self._n_images is None else self._n_images
        logger.info(
            "Recording %d layers of %s images: %s in memory (budget %s), %s on disk%s",
            sum(key.part == ACTIVATIONS for key in self._sinks),
            images,
            show_bytes(self._in_memory),
            show_bytes(self._budget),
            show_bytes(self._on_disk) if self._n_images is not None else "the rest",
            f" in {self._folder}" if self._folder is not None else "",
        )

    def finish(self, facts: Recording) -> Recording:
        """Return the recording; a store is published under its name first.

        Parameters
        ----------
        facts : Recording
            All but the maps: logits, names, target, provenance, and those weight gradients that were not appended.
        """
        arrays = {key: sink.finish() for key, sink in self._sinks.items()}
        recording = _recording(arrays, facts)
        if self._folder is None:
            return recording
        if self._store is None:
            self._forget_folder(self._folder)
            return recording
        with writing(self._store):
            arrays |= {_Key(WEIGHT_GRADIENTS, layer): array for layer, array in facts.weight_gradients.items()}
            for index, (key, array) in enumerate(arrays.items()):
                if key not in self._sinks:
                    np.save(self._folder / _file_name(index, key), array, allow_pickle=False)
            _write_manifest(self._folder, arrays, facts)
            _replace_folder(self._store, self._folder)
        self._folder = None
        return open_store(self._store)

    def _new_sink(self, key: _Key, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Sink:
        n_bytes = (self._n_images or 0) * math.prod(shape) * dtype.itemsize
        if self._n_images is not None and self._store is None and self._in_memory + n_bytes <= self._budget:
            self._in_memory += n_bytes
            return MemorySink(key.layer, self._n_images, shape, dtype)
        folder = self._folder or self._make_folder()
        self._on_disk += n_bytes
        require_space(folder, self._on_disk)
        return FileSink(folder / _file_name(len(self._sinks), key), shape, dtype)

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
        lists = {"gradients": [], "weight_gradients": []} | manifest  # older stores have no gradients
        arrays = {
            _Key(part, entry["layer"]): _open_array(folder, entry)
            for part, name in _LISTS.items()
            for entry in lists[name]
        }
        return _recording(arrays, _read_facts(folder, manifest))
    except FileNotFoundError as error:
        raise FileFormatError(f"{folder} is no recording of cnnvis: {error.filename} is missing.") from error
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise FileFormatError(f"{folder} is no recording of cnnvis: {MANIFEST} does not read as one.") from error


def _write_manifest(folder: Path, arrays: Mapping[_Key, NDArray[Any]], facts: Recording) -> None:
    lists: dict[str, list[dict[str, Any]]] = {name: [] for name in _LISTS.values()}
    for index, (key, values) in enumerate(arrays.items()):
        entry = {"layer": key.layer, "file": _file_name(index, key), "shape": values.shape, "dtype": values.dtype.str}
        lists[_LISTS[key.part]].append(entry)
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        **lists,
        "logits": None if facts.logits is None else LOGITS,
        "inputs": facts.inputs,
        "target": facts.target if facts.target is None else np.asarray(facts.target).tolist(),
        "per_image": facts.per_image,
        "transposed": dict(facts.transposed),
        "provenance": json.loads(facts.provenance.to_json()),
    }
    if facts.logits is not None:
        np.save(folder / LOGITS, facts.logits, allow_pickle=False)
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def _read_facts(folder: Path, manifest: Mapping[str, Any]) -> Recording:
    """Return what the manifest says besides the arrays; what came with gradients is missing in older ones."""
    target = manifest.get("target")
    return Recording(
        {},
        logits=None if manifest["logits"] is None else np.load(folder / LOGITS, allow_pickle=False),
        inputs=tuple(manifest["inputs"]),
        target=np.array(target) if isinstance(target, list) else target,
        per_image=manifest.get("per_image", False),
        transposed=manifest.get("transposed", {}),
        provenance=Provenance.from_json(json.dumps(manifest["provenance"])),
    )


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


def _recording(arrays: Mapping[_Key, NDArray[Any]], facts: Recording) -> Recording:
    """Return `facts` with the maps, and with the weight gradients among `arrays`."""
    maps = {
        layer: FeatureMaps(array, layer, arrays.get(_Key(GRADIENTS, layer)), facts.provenance)
        for (part, layer), array in arrays.items()
        if part == ACTIVATIONS
    }
    gradients = {layer: array for (part, layer), array in arrays.items() if part == WEIGHT_GRADIENTS}
    return replace(facts, maps=maps, weight_gradients={**facts.weight_gradients, **gradients})


def _file_name(index: int, key: _Key) -> str:
    """Return a file name that is unique by its number and tells the layer, and the part where it is no activation."""
    part = "" if key.part == ACTIVATIONS else f".{key.part}"
    return f"{index:04d}_{re.sub(r'[^A-Za-z0-9_.-]', '_', key.layer)[:100]}{part}.npy"


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
