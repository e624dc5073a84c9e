"""Which suffix is which format: the one place that knows them all."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from cnnvis.core.errors import FileFormatError, MissingFileError, did_you_mean


class Format(NamedTuple):
    """One file format.

    Parameters
    ----------
    module : str
        Module with `save(obj, path)` and `load(path)`, imported when first used.
    holds : str
        What such a file holds, in words.
    """

    module: str
    holds: str


FORMATS: dict[str, Format] = {
    ".csv": Format("cnnvis.io.tables_csv", "a table: orderings of one layer, importance, or pruning curves"),
    ".hd": Format("cnnvis.io.vox", "header of a .vox volume"),
    ".json": Format("cnnvis.io.scene_json", "a scene or a grid of scenes, its data beside it"),
    ".npy": Format("cnnvis.io.npy", "an array"),
    ".npz": Format("cnnvis.io.nnvis_npz", "a network of nn_vis, .imp.npz or .pro.npz; read only"),
    ".pvd": Format("cnnvis.io.pvd", "a series of volumes or networks: images, classes, epochs, iterations"),
    ".safetensors": Format(
        "cnnvis.io.tensors_safetensors",
        "a recording, importance, a bundled network, a survey, the maps of a network, a saliency map",
    ),
    ".vox": Format("cnnvis.io.vox", "a volume as bytes, with a .hd header beside it"),
    ".vti": Format("cnnvis.io.vti", "a volume"),
    ".vtm": Format("cnnvis.io.vtm", "several volumes or networks by name, or a bundled network: its lines and units"),
    ".vtp": Format("cnnvis.io.vtp", "polylines or units of a network"),
}
"""Every format by its suffix."""

FOLDERS = "cnnvis.io.run_folder"
"""Module with the `load(path)` of folders: runs, that `cnnvis.Watcher` writes."""


def save(obj: Any, path: str | Path) -> Path:
    """Write `obj` in the format that the suffix of `path` names.

    Parameters
    ----------
    obj : object
        What the format holds: see `FORMATS`. Arrays (C, H, W) and FeatureMaps of one image are volumes too.
    path : str or Path
        Missing folders are made. Some formats write a second file or a folder of pieces beside it.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    FileFormatError
        When no format has this suffix.
    InvalidInputError
        When the format cannot hold such an object.
    OutputError
        When the file cannot be written; what was there before is untouched.
    """
    path = Path(path)
    _module(path).save(obj, path.resolve())
    return path


def load(path: str | Path) -> Any:
    """Return what `save` wrote, what another program wrote in one of the `FORMATS`, or the run in a folder.

    Returns
    -------
    object
        .vti and .vox/.hd: Volume; .vtm: dict of Volume, PolylineSet or PointSet by name; .pvd: dict of one of these
        by label or time; .vtp: PolylineSet or PointSet; .npy: ndarray; .npz of nn_vis: BundledNetwork; .safetensors:
        Recording, Importance, BundledNetwork, Survey, NetworkMaps or SaliencyMap; .csv: dict of Ordering by name,
        Importance, or dict of PruneCurve (several of one name: a tuple) by name; .json: Scene or SceneGrid. A folder:
        StoredRun, what `cnnvis.Watcher` writes.

    Raises
    ------
    FileFormatError
        When no format has this suffix, or the content is not what it says.
    MissingFileError
        When the file, or one it refers to, does not exist.
    DataMismatchError
        When a file it refers to is not the one that was saved.
    """
    path = Path(path)
    if path.is_dir():
        return import_module(FOLDERS).load(path)
    module = _module(path)
    if not path.is_file():
        raise MissingFileError(f"There is no file {path}.")
    return module.load(path)


def _module(path: Path) -> Any:
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        hint = did_you_mean(suffix, FORMATS, what="suffixes") if suffix else "Add a suffix."
        raise FileFormatError(
            f"No format has the suffix {suffix!r} of {path.name!r}. {hint} All suffixes: {', '.join(FORMATS)}."
        )
    return import_module(FORMATS[suffix].module)
