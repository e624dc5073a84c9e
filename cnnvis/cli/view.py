"""`cnnvis view`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def view(
    *files: Path,
    example: Annotated[str | None, Parameter(name="--example", metavar="NAME")] = None,
    screenshot: Annotated[Path | None, Parameter(name="--screenshot", metavar="PNG")] = None,
) -> int:
    """Open the window, to explore a network, volumes or a scene.

    Parameters
    ----------
    files : Path
        What `cnnvis render` takes: a scene.json, a processed network (.safetensors), volumes (.vti, .vtm, .vox), lines
        and units (.vtp), a series (.pvd), a recording, importance; several stand side by side. None: a start page.
    example : str
        Open what comes along: "mnist", "fashion" or "photo".
    screenshot : Path
        Wait until everything is painted, save a picture of the whole window, and close it.
    """
    from cnnvis.core.errors import InvalidInputError, did_you_mean
    from cnnvis.viewer.app import run
    from cnnvis.viewer.examples import EXAMPLES

    if example is not None and example not in EXAMPLES:
        raise InvalidInputError(f"There is no example {example!r}. {did_you_mean(example, EXAMPLES, what='examples')}")
    return run(files, example=example, screenshot=screenshot)
