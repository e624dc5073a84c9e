"""What files hold, as something to show: the same scene for `cnnvis render`, the viewer and scripts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import BundledNetwork, Importance, NetworkMaps, Recording, Survey
from cnnvis.core.errors import FileFormatError, InvalidInputError
from cnnvis.geometry import layers_with_maps
from cnnvis.io.registry import FORMATS, load
from cnnvis.scene import Scene, SceneGrid, SceneItem, scenes_of
from cnnvis.scene.links import fitting_links

ADD = {"Volume": "add_volume", "PolylineSet": "add_bundle", "PointSet": "add_glyphs"}
"""By what a file holds: the method of a scene that adds it."""

SERIES = ".pvd"

ALLOWED = (
    "what can be shown is a scene, volumes, a network, a recording, importance, a survey, or an array of 2 or 3 axes"
)

MAX_LISTED = 5
"""Files of a folder that an error names."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """Something to show, and what it was made of.

    Parameters
    ----------
    target : Scene or SceneGrid
    networks : tuple of BundledNetwork or None
        The network behind each scene, None where it is not made of one or only its lines are known. Default: None for
        each.
    survey : Survey, optional
        To be shown beside it.
    """

    target: Scene | SceneGrid
    networks: tuple[BundledNetwork | None, ...] = ()
    survey: Survey | None = None

    def __post_init__(self) -> None:
        networks = self.networks or (None,) * len(self.scenes)
        if len(networks) != len(self.scenes):
            raise InvalidInputError(f"There are {len(self.scenes)} scenes to show, got {len(networks)} networks.")
        object.__setattr__(self, "networks", tuple(networks))

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """All scenes, one after the other."""
        return scenes_of(self.target)


def load_to_show(*paths: str | Path) -> Shown:
    """Return what files hold as something to show; several files side by side.

    Parameters
    ----------
    *paths : path
        At least one: a scene.json, a volume (.vti, .vox), several (.vtm), a bundled network (.safetensors, .vtm), its
        lines or units (.vtp), a series (.pvd), a recording (.safetensors), importance (.safetensors, .csv), a survey
        (.safetensors), or an array (.npy).

    Returns
    -------
    Shown
        Of several files, a grid as `side_by_side` makes it.

    Raises
    ------
    FileFormatError
        When a path is a folder, its suffix is no format, the file is damaged or holds nothing that can be shown.
    MissingFileError
        When there is no such file, or one it refers to is missing.
    DataMismatchError
        When a file it refers to is not the one that was saved.
    """
    if not paths:
        raise InvalidInputError("There is no file to show: name at least one.")
    shown = [_load_one(Path(path)) for path in paths]
    return shown[0] if len(shown) == 1 else side_by_side(shown)


def _load_one(path: Path) -> Shown:
    if path.is_dir():
        raise FileFormatError(f"{path} is a folder; name a file in it. {_files_in(path)}")
    held = load(path)
    network = held if isinstance(held, BundledNetwork) else None
    try:
        target = scene_of(held, as_series=path.suffix.lower() == SERIES)
    except InvalidInputError as error:
        raise FileFormatError(f"{path}: {error}") from error
    return Shown(target, (network,) if network else (), held if isinstance(held, Survey) else None)


def _files_in(folder: Path) -> str:
    """Return which files of a folder have a known suffix, in a sentence."""
    names = sorted(file.name for file in folder.iterdir() if file.suffix.lower() in FORMATS)
    if not names:
        return f"None of its files has a known suffix: {', '.join(FORMATS)}."
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return f"It has {', '.join(names[:MAX_LISTED])}{more}."


def scene_of(held: Any, *, as_series: bool = False) -> Scene | SceneGrid:
    """Return a scene, with default settings, of what a file holds.

    Parameters
    ----------
    held : object
        What `cnnvis.load` returns. Volumes by name, the layers of a recording (its first image) and those of importance
        become a grid; lines and units by name one scene; a (C, H, W) array a volume, an (R, C) array a matrix; a survey
        the correlation of the channels of its last layer before the scores.
    as_series : bool
        The dict holds frames of one thing, to be played.

    Returns
    -------
    Scene or SceneGrid

    Raises
    ------
    InvalidInputError
        When nothing of it can be shown.
    """
    if isinstance(held, Scene | SceneGrid):
        return held
    if isinstance(held, BundledNetwork | NetworkMaps):
        return Scene.of_network(held) if isinstance(held, BundledNetwork) else Scene.of_tiles(held)
    if isinstance(held, np.ndarray):
        return _of_array(held)
    if isinstance(held, Importance):
        return _of_importance(held)
    if isinstance(held, Survey):
        return _of_survey(held)
    if isinstance(held, Recording):
        held = {name: maps.volume() for name, maps in layers_with_maps(held).items()}
    parts = held if isinstance(held, Mapping) and held else {"": held}
    kinds = {type(part).__name__ for part in parts.values()}
    if not kinds <= ADD.keys():
        raise InvalidInputError(f"It holds {', '.join(sorted(kinds))}; {ALLOWED}.")
    if as_series:
        return _series(parts)
    if kinds == {"Volume"}:
        return _grid([Scene.of(volume) for volume in parts.values()])
    return _together(parts)


def _of_array(array: NDArray[Any]) -> Scene:
    """Return a scene of a stack of maps, or of a matrix."""
    if array.ndim == 3:
        return Scene.of(array)
    if array.ndim == 2:
        scene = Scene()
        scene.add_matrix(array)
        return scene
    raise InvalidInputError(f"It holds an array of shape {array.shape}; {ALLOWED}.")


def _of_importance(importance: Importance) -> Scene | SceneGrid:
    """Return the scores of each layer as a matrix of its channels."""
    scenes = [Scene() for _ in importance.scores]
    for scene, layer in zip(scenes, importance.scores, strict=True):
        scene.add_importance(importance, layer)
    return _grid(scenes)


def _of_survey(survey: Survey) -> Scene:
    """Return the correlation of the channels of the last layer before the scores, like ones together."""
    from cnnvis.analysis.grouping import grouped, likeness

    layer = survey.last_hidden
    if survey.n_images < 2:  # nothing correlates
        scene = Scene(title=f"{layer}: averages over 1 image")
        columns = math.isqrt(survey[layer].n_channels - 1) + 1
        cells = np.full(-(-survey[layer].n_channels // columns) * columns, np.nan)
        cells[: survey[layer].n_channels] = survey[layer].mean
        scene.add_matrix(
            cells.reshape(-1, columns), n_cells=survey[layer].n_channels, name="averages", quantity="average"
        )
        return scene
    alike = likeness(survey[layer], survey.grouping)
    order = np.argsort(grouped(alike, survey.grouping), kind="stable")
    scene = Scene(title=f"{layer}: correlation of averages over {survey.n_images:,} images")
    scene.add_matrix(alike[np.ix_(order, order)], rows=order.tolist(), columns=order.tolist(), name="correlation")
    return scene


def _grid(scenes: Sequence[Scene]) -> Scene | SceneGrid:
    """Return scenes side by side; one by itself."""
    return scenes[0] if len(scenes) == 1 else side_by_side([Shown(scene) for scene in scenes]).target


def side_by_side(shown: Sequence[Shown]) -> Shown:
    """Return several things as one grid, a scene of each; of a grid, all its scenes.

    They share what `cnnvis.scene.links.fitting_links` says: what they have in common already.
    """
    scenes = [scene for each in shown for scene in each.scenes]
    networks = tuple(network for each in shown for network in each.networks)
    return Shown(SceneGrid(scenes, link=fitting_links(scenes)), networks)


def _together(parts: Mapping[str, Any]) -> Scene:
    """Return a scene of volumes, lines and units, each named as in its file."""
    scene = Scene()
    for name, part in parts.items():
        _add(scene, part, name)
    return scene


def _series(frames: Mapping[Any, Any]) -> Scene:
    """Return a scene that plays volumes, lines or units of one kind."""
    data = list(frames.values())
    scene = Scene()
    item = _add(scene, data[0])
    scene.set_frames("frame", [str(label) for label in frames], {item.name: data})
    return scene


def _add(scene: Scene, part: Any, name: str = "") -> SceneItem:
    """Add a volume, lines or units, in the colours of all classes where there are any."""
    arrays = getattr(part, "point_arrays", getattr(part, "arrays", {}))
    state = ({"name": name} if name else {}) | ({"shown_class": "all"} if "class_shares" in arrays else {})
    item: SceneItem = getattr(scene, ADD[type(part).__name__])(part, **state)
    return item
