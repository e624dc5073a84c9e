"""`cnnvis render`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from cnnvis.cli._options import Quiet, SavedSize
from cnnvis.cli._progress import progress_bar

if TYPE_CHECKING:
    from cnnvis.scene import Scene, SceneGrid


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
        A scene.json; or a volume (.vti, .vox), several (.vtm) or a series (.pvd) with default settings.
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
    from cnnvis.core import Volume
    from cnnvis.core.errors import InvalidInputError
    from cnnvis.io import load
    from cnnvis.scene import Scene, SceneGrid

    held = load(source)
    if isinstance(held, Scene | SceneGrid):
        return held
    if isinstance(held, Volume):
        return Scene.of(held)
    if isinstance(held, dict) and held and all(isinstance(part, Volume) for part in held.values()):
        volumes = list(held.values())
        if source.suffix.lower() == ".vtm":
            return SceneGrid([Scene.of(volume) for volume in volumes], link=("camera",))
        scene = Scene.of(volumes[0], name="volume")
        scene.set_frames("frame", [str(label) for label in held], {"volume": volumes})
        return scene
    raise InvalidInputError(f"{source} holds a {type(held).__name__}; what can be rendered is a scene or volumes.")
