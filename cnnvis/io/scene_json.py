"""A scene, or a grid of scenes, as JSON with its data beside it in `<stem>.data/`.

::

    {"format": "cnnvis-scene", "version": 1,
     "scene": {... Scene.state() ...},
     "data": {item name: {"path": relative path, "sha256": hash, "array": name of the array in the file}},
     "frames": {item name: [one such entry per frame]}}

A grid has `link`, `columns` and `scenes`, a list of such scenes, instead. Keys this version does not know are skipped
with a warning, a newer version is an error, and so is a data file that is not the one that was saved.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from cnnvis.core import Volume
from cnnvis.core.atomic import AtomicWrite
from cnnvis.core.errors import DataMismatchError, FileFormatError, InvalidInputError, MissingFileError
from cnnvis.io import network_maps_safetensors, npy, vti, vtp
from cnnvis.io.pieces import PieceWriter, file_hash
from cnnvis.scene import ITEM_KINDS, Scene, SceneGrid

logger = logging.getLogger(__name__)

FORMAT = "cnnvis-scene"
VERSION = 1

KEYS = {"format", "version", "scene", "data", "frames", "link", "columns", "size", "scenes"}
"""Keys of a scene file."""

LOADERS = {".vti": vti.load, ".vtp": vtp.load, ".npy": npy.load, ".safetensors": network_maps_safetensors.load}
"""How a data file is read, by its suffix."""


def save(obj: Scene | SceneGrid, path: Path) -> None:
    """Write display state and data. Data that several items or frames share are written once."""
    if not isinstance(obj, (Scene, SceneGrid)):
        raise InvalidInputError(f"A .json file holds a Scene or a SceneGrid, got {type(obj).__name__}.")
    old = _old_pieces(path)
    with AtomicWrite() as write:
        store = _DataStore(PieceWriter(write, path.parent / f"{path.stem}.data"), path.parent.resolve())
        document: dict[str, Any] = {"format": FORMAT, "version": VERSION}
        if isinstance(obj, Scene):
            document |= _document(obj, store)
        else:
            scenes = [_document(scene, store) for scene in obj]
            document |= obj.options | {"scenes": scenes}
        text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
        write.file(path).write_text(text + "\n", encoding="utf-8")
    store.pieces.remove_old(old)


def load(path: Path) -> Scene | SceneGrid:
    """Return the scene or grid, with its data.

    Raises
    ------
    FileFormatError
        When it is no scene, of a newer version, or has values that are not allowed.
    MissingFileError
        When a data file does not exist.
    DataMismatchError
        When a data file is not the one that was saved.
    """
    document = read_document(path)
    data = _DataReader(path)
    try:
        if "scenes" not in document:
            return _scene(document, data)
        scenes = [_scene(part, data) for part in document["scenes"]]
        return SceneGrid(
            scenes, link=document.get("link", ()), columns=document.get("columns"), size=document.get("size")
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise FileFormatError(f"{path}: {error.title} {where}: {first['msg']}, got {first['input']!r}.") from error
    except (InvalidInputError, KeyError, TypeError, AttributeError) as error:
        raise FileFormatError(f"{path} is not a scene this version can show: {error}") from error


def read_document(path: Path) -> dict[str, Any]:
    """Return the JSON of a scene file, checked for format and version."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FileFormatError(f"{path} is not JSON, or cut short: {error}.") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise FileFormatError(f'{path} is JSON, but no scene: it lacks "format": "{FORMAT}".')
    version = document.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise FileFormatError(f"{path} is a scene of version {version}, this cnnvis reads {VERSION}; update cnnvis.")
    for key in sorted(document.keys() - KEYS):
        logger.warning("%s: the key %r is not known to this version and is skipped.", path, key)
    return document


class _DataStore:
    """Writes the data of items, each object once, and gives the entry that finds it again."""

    def __init__(self, pieces: PieceWriter, base: Path) -> None:
        self.pieces = pieces
        self._base = base
        self._entries: dict[int, dict[str, str]] = {}

    def entry(self, name: str, data: Any) -> dict[str, str]:
        if id(data) not in self._entries:
            piece = self.pieces.add(name, data)
            self._entries[id(data)] = {
                "path": piece.path.relative_to(self._base).as_posix(),
                "sha256": piece.sha256,
                "array": data.quantity if isinstance(data, Volume) else "",
            }
        return self._entries[id(data)]


class _DataReader:
    """Reads the data files of a scene, each once, after comparing their hash."""

    def __init__(self, path: Path) -> None:
        self._scene = path
        self._loaded: dict[Path, Any] = {}

    def read(self, entry: Mapping[str, str]) -> Any:
        path = self._scene.parent / entry["path"]
        if path not in self._loaded:
            self._check(path, entry)
            self._loaded[path] = LOADERS[path.suffix](path)
        return self._loaded[path]

    def _check(self, path: Path, entry: Mapping[str, str]) -> None:
        if Path(entry["path"]).is_absolute() or path.suffix not in LOADERS:
            raise FileFormatError(
                f"{self._scene} names the data file {entry['path']!r}; "
                f"allowed are relative paths to {', '.join(LOADERS)} files."
            )
        if not path.is_file():
            raise MissingFileError(
                f"{self._scene} needs {path}, which does not exist; its folder belongs beside the scene."
            )
        if file_hash(path) != entry["sha256"]:
            raise DataMismatchError(
                f"{path} is not the file that {self._scene.name} was saved with: its sha256 differs. "
                "Save the scene again, or bring the old file back."
            )


def _document(scene: Scene, store: _DataStore) -> dict[str, Any]:
    """Return a scene's state and where its data are."""
    return {
        "scene": scene.state(),
        "data": {item.name: store.entry(item.name, item.data) for item in scene.items},
        "frames": {name: [store.entry(name, data) for data in frames] for name, frames in scene.frames.items()},
    }


def _scene(document: Mapping[str, Any], data: _DataReader) -> Scene:
    """Return the scene of one document."""
    state = dict(document["scene"])
    items = [_known(ITEM_KINDS[item["kind"]], item) if item["kind"] in ITEM_KINDS else item for item in state["items"]]
    fields = _known(Scene, {key: value for key, value in state.items() if key != "items"})
    frames = {name: [data.read(entry) for entry in entries] for name, entries in document.get("frames", {}).items()}
    return Scene.from_state(
        fields | {"items": items},
        {name: data.read(entry) for name, entry in document["data"].items()},
        frames,
    )


def _known(model: type[BaseModel], state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of `state` that `model` knows, at every depth; warn of the rest."""
    known: dict[str, Any] = {}
    for key, value in state.items():
        if key not in model.model_fields:
            logger.warning("%s: the key %r is not known to this version and is skipped.", model.__name__, key)
            continue
        kind = model.model_fields[key].annotation
        nested = isinstance(kind, type) and issubclass(kind, BaseModel) and isinstance(value, Mapping)
        known[key] = _known(kind, value) if nested else value  # type: ignore[arg-type]
    return known


def _old_pieces(path: Path) -> list[Path]:
    """Return the data files that the scene at `path` names now; none when there is no scene."""
    try:
        document = read_document(path)
        return [path.parent / entry["path"] for entry in _entries(document)]
    except (FileFormatError, OSError, LookupError, TypeError, AttributeError):
        return []


def _entries(document: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    for part in document.get("scenes", [document]):
        yield from part["data"].values()
        for frames in part["frames"].values():
            yield from frames
