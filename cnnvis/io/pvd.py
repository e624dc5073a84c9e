"""A series of volumes or networks (images, epochs, iterations) as a .pvd file, which ParaView plays as it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyvista as pv
from numpy.typing import NDArray

from cnnvis.core import FeatureMaps, PointSet, PolylineSet, Volume
from cnnvis.core.atomic import AtomicWrite
from cnnvis.core.errors import FileFormatError, InvalidInputError
from cnnvis.geometry import from_pyvista, to_pyvista
from cnnvis.geometry.field_data import get_text, set_text
from cnnvis.io import vtk_xml
from cnnvis.io.pieces import PieceWriter
from cnnvis.io.vti import grid_with_statistics, single_volume
from cnnvis.io.vtk_index import Entry, old_pieces, read_index, write_index

KIND = "Collection"
NETWORKS = PolylineSet, PointSet
"""Frames that are no volumes."""

LABEL = "label"
"""Field data that holds a frame's label; the attributes of a .pvd have no standard place for one."""


def save(obj: Mapping[str | float, Any] | Sequence[Any] | FeatureMaps | NDArray[Any], path: Path) -> None:
    """Write one volume, or one set of lines or points, per frame; the pieces go into `<stem>/`.

    Parameters
    ----------
    obj : mapping of label or time to frame, sequence of frames, FeatureMaps, or (N, C, H, W) array
        Numbers as keys are the times: {0: ..., 10: ...} for epochs. Labels are strings, their times 0, 1, 2 ...
        All frames are volumes, or all PolylineSets (the stages of bundling, say), or all PointSets.
        FeatureMaps give one frame per image, labelled by the inputs' names where these differ.
    path : Path
    """
    frames = _frames(obj)
    old = old_pieces(path, KIND)
    with AtomicWrite() as write:
        pieces = PieceWriter(write, path.parent / path.stem)
        entries = []
        for number, (key, part) in enumerate(frames.items()):
            grid = _grid(part)
            labelled = isinstance(key, str)
            if labelled:
                set_text(grid, LABEL, key)
            attributes = {"timestep": repr(float(number if labelled else key)), "group": "", "part": "0"}
            entries.append(Entry(pieces.add(str(key), grid).path, attributes))
        write_index(write.file(path), KIND, entries, folder=path.parent)
    pieces.remove_old(old)


def load(path: Path) -> dict[str | float, Volume | PolylineSet | PointSet]:
    """Return the frames in order of time, by label, or by time where they have no label."""
    timed = [(_time(path, entry), entry) for entry in read_index(path, KIND)]
    frames: dict[str | float, Volume | PolylineSet | PointSet] = {}
    for time, entry in sorted(timed, key=lambda pair: pair[0]):
        if entry.path.suffix.lower() not in vtk_xml.SUFFIXES.values():
            raise FileFormatError(f"{path} holds {entry.path.name}; only series of .vti and .vtp files can be read.")
        grid = vtk_xml.read(entry.path)
        key = get_text(grid, LABEL) or (int(time) if time.is_integer() else time)
        if key in frames:
            raise FileFormatError(f"{path} has two data sets at {key!r}; a series has one per frame.")
        frames[key] = from_pyvista(grid)  # type: ignore[assignment]
    return frames


def _frames(obj: Any) -> Mapping[str | float, Any]:
    """Return one object per frame by label or time."""
    if isinstance(obj, np.ndarray) and obj.ndim == 4:
        obj = FeatureMaps(activations=obj)
    if isinstance(obj, FeatureMaps):
        names = obj.provenance.inputs
        keys: Sequence[Any] = names if len(set(names)) == len(obj) == len(names) else range(len(obj))
        obj = {key: obj.volume(image=image) for image, key in enumerate(keys)}
    elif isinstance(obj, (list, tuple)):
        obj = dict(enumerate(obj))
    if not isinstance(obj, Mapping) or not obj:
        raise InvalidInputError(
            f"A .pvd series needs at least one frame: a dict by label or time, a list, or FeatureMaps; "
            f"got {type(obj).__name__}{' that is empty' if isinstance(obj, Mapping) else ''}."
        )
    if len({isinstance(key, str) for key in obj}) > 1:
        raise InvalidInputError(f"The frames of a series are named by labels or by times, not by both: {list(obj)}.")
    kinds = {type(part) if isinstance(part, NETWORKS) else Volume for part in obj.values()}
    if len(kinds) > 1:
        raise InvalidInputError(
            f"The frames of a series are of one kind, got {', '.join(sorted(kind.__name__ for kind in kinds))}."
        )
    return obj


def _grid(part: Any) -> pv.DataSet:
    """Return one frame as a data set."""
    return to_pyvista(part) if isinstance(part, NETWORKS) else grid_with_statistics(single_volume(part))


def _time(path: Path, entry: Entry) -> float:
    text = entry.attributes.get("timestep", "0")
    try:
        time = float(text)
    except ValueError:
        time = math.nan
    if not math.isfinite(time):
        raise FileFormatError(f"{path}: the timestep {text!r} of {entry.path.name} is not a number.")
    return time
