"""`cnnvis render`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from cnnvis.cli._options import Quiet, Size
from cnnvis.cli._progress import progress_bar


def render(
    source: Path,
    target: Path,
    /,
    *,
    size: Size = (1600, 1000),
    over: Annotated[Literal["turn", "series"], Parameter(name="--over")] = "turn",
    frames: Annotated[int, Parameter(name="--frames", validator=Number(gte=1))] = 48,
    fps: Annotated[int, Parameter(name="--fps", validator=Number(gte=1))] = 24,
    quiet: Quiet = False,
) -> None:
    """Render a saved scene to a picture.

    Or, by the suffix of TARGET, to a film (.mp4, .gif) or to a page that turns in a browser (.html).

    Parameters
    ----------
    source : Path
        A scene.json, or a volume (.vti, .vox) shown with default settings.
    target : Path
        .png, .jpg, .tif, .webp, .mp4, .gif or .html.
    over : {"turn", "series"}
        What a film runs over: once around, or the frames of the scene.
    frames : int
        Pictures of a turn.
    fps : int
        Pictures of a film per second.
    """
    from cnnvis import rendering
    from cnnvis.core import Volume
    from cnnvis.core.errors import InvalidInputError
    from cnnvis.io import load
    from cnnvis.scene import Scene, SceneGrid

    shown = load(source)
    if isinstance(shown, Volume):
        shown = Scene.of(shown)
    if not isinstance(shown, Scene | SceneGrid):
        raise InvalidInputError(
            f"{source} holds a {type(shown).__name__}; what can be rendered is a scene or a volume."
        )
    suffix = target.suffix.lower()
    if suffix in rendering.FILM_SUFFIXES:
        with progress_bar("rendering", unit="picture", quiet=quiet) as progress:
            rendering.film(shown, target, over=over, frames=frames, fps=fps, size=size, progress=progress)
    elif suffix in rendering.PAGE_SUFFIXES:
        rendering.export_html(shown, target)
    else:
        rendering.render(shown, target, size=size)
    if not quiet:
        sys.stdout.write(f"{target}\n")
