"""`cnnvis render`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from cnnvis.cli._options import Quiet, SavedSize
from cnnvis.cli._progress import progress_bar

if TYPE_CHECKING:
    from cnnvis.scene import Scene, SceneGrid, SceneItem

_ADD = {"Volume": "add_volume", "PolylineSet": "add_bundle", "PointSet": "add_glyphs"}
"""By what a file holds: the method of a scene that adds it."""


def render(
    source: Path,
    target: Path,
    /,
    *,
    size: SavedSize = None,
    over: Annotated[Literal["turn", "series"], Parameter(name="--over")] = "turn",
    frames: Annotated[int, Parameter(name="--frames", validator=Number(gte=1))] = 48,
    fps: Annotated[int, Parameter(name="--fps", validator=Number(gte=1))] = 24,
    quiet: Quiet = False,
) -> None:
    """Render a saved scene to a picture.

    Or, by the suffix of TARGET, to a film (.mp4, .gif), to a page that turns in a browser (.html), or to glTF for 3-D
    programs (.glb, .gltf), which holds lines and units of networks only.

    Parameters
    ----------
    source : Path
        A scene.json; or with default settings a volume (.vti, .vox), several (.vtm), a bundled network (.safetensors,
        .vtm) or its lines or units (.vtp), or a series (.pvd).
    target : Path
        .png, .jpg, .tif, .webp, .mp4, .gif, .html, .glb or .gltf.
    over : {"turn", "series"}
        What a film runs over: once around, or the frames of the scene.
    frames : int
        Pictures of a turn.
    fps : int
        Pictures of a film per second.
    """
    from cnnvis import rendering

    shown = _shown(source)
    suffix = target.suffix.lower()
    if suffix in rendering.FILM_SUFFIXES:
        with progress_bar("rendering", unit="picture", quiet=quiet) as progress:
            rendering.film(shown, target, over=over, frames=frames, fps=fps, size=size, progress=progress)
    elif suffix in rendering.PAGE_SUFFIXES:
        rendering.export_html(shown, target)
    elif suffix in rendering.GLTF_SUFFIXES:
        rendering.export_gltf(shown, target)
    else:
        rendering.render(shown, target, size=size)
    if not quiet:
        sys.stdout.write(f"{target}\n")


def _shown(source: Path) -> Scene | SceneGrid:
    """Return what a file holds as something to render."""
    from cnnvis.core import BundledNetwork
    from cnnvis.core.errors import InvalidInputError
    from cnnvis.io import load
    from cnnvis.scene import Scene, SceneGrid

    held = load(source)
    if isinstance(held, Scene | SceneGrid):
        return held
    if isinstance(held, BundledNetwork):
        return Scene.of_network(held)
    parts = held if isinstance(held, dict) and held else {"": held}
    kinds = {type(part).__name__ for part in parts.values()}
    if source.suffix.lower() == ".vtm" and kinds == {"Volume"}:
        return SceneGrid([Scene.of(volume) for volume in parts.values()], link=("camera",))
    if not kinds <= _ADD.keys():
        names = ", ".join(sorted(kinds))
        raise InvalidInputError(f"{source} holds {names}; what can be rendered is a scene, volumes or a network.")
    return _series(parts) if source.suffix.lower() == ".pvd" else _together(parts)


def _together(parts: Mapping[str, Any]) -> Scene:
    """Return a scene of volumes, lines and units, each named as in its file."""
    from cnnvis.scene import Scene

    scene = Scene()
    for name, part in parts.items():
        _add(scene, part, name)
    return scene


def _series(frames: Mapping[Any, Any]) -> Scene:
    """Return a scene that plays volumes, lines or units of one kind."""
    from cnnvis.scene import Scene

    data = list(frames.values())
    scene = Scene()
    item = _add(scene, data[0])
    scene.set_frames("frame", [str(label) for label in frames], {item.name: data})
    return scene


def _add(scene: Scene, part: Any, name: str = "") -> SceneItem:
    """Add a volume, lines or units, in the colours of all classes where there are any."""
    arrays = getattr(part, "point_arrays", getattr(part, "arrays", {}))
    state = ({"name": name} if name else {}) | ({"shown_class": "all"} if "class_shares" in arrays else {})
    return getattr(scene, _ADD[type(part).__name__])(part, **state)
