"""`cnnvis render`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from cnnvis.cli._options import Quiet, SavedSize
from cnnvis.cli._progress import progress_bar


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
        .vtm) or its lines or units (.vtp), a series (.pvd), a recording (.safetensors), importance (.safetensors, .csv)
        or an array (.npy).
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
    from cnnvis.io.showing import load_to_show

    shown = load_to_show(source).target
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
