"""`cnnvis view`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from cnnvis.cli._options import Image, Layers, Model, Weights


def view(
    *files: Path,
    example: Annotated[str | None, Parameter(name="--example", metavar="NAME")] = None,
    model: Model | None = None,
    weights: Weights = None,
    image: Image | None = None,
    layer: Annotated[Layers, Parameter(show_default="the network's own choice")] = (),
    tiles: Annotated[bool, Parameter(name="--tiles", negative=())] = False,
    screenshot: Annotated[Path | None, Parameter(name="--screenshot", metavar="PNG")] = None,
) -> int:
    """Open the window, to explore a network, volumes or a scene.

    Shows files, an example, or a model: with an image, what its layers make of it; without one, all of the network as
    bundled links; with --tiles, the maps of all its layers; or the folder of a training, followed while that goes on.
    With none of them there is a start page. F1 in the window lists keys and mouse. Needs a display.

    Parameters
    ----------
    files : Path
        What `cnnvis render` takes: a scene.json, a processed network (.safetensors), volumes (.vti, .vtm, .vox), lines
        and units (.vtp), a series (.pvd), a recording, importance, a survey; several stand side by side. Or the folder
        that cnnvis.Watcher writes. With a survey --model and --weights say which network its images go through, where
        it is not loaded by the name alone; with a training --model names its architecture.
    example : str
        Open what comes along: "mnist", "fashion", "photo" or "training".
    tiles : bool
        Show the whole model as the maps that its layers make of the image, or of its own example.
    screenshot : Path
        Wait until everything is painted, save a picture of the whole window, and close it.
    """
    fields = {"image": image, "layers": layer, "weights": weights, "tiles": tiles}
    asked = {name: value for name, value in fields.items() if value}
    _check(files, example, model, asked)
    from cnnvis.viewer.app import run

    return run(files, example=example, model=model, view=asked, screenshot=screenshot)


def _check(files: tuple[Path, ...], example: str | None, model: str | None, asked: dict[str, Any]) -> None:
    """Say what cannot be shown before a window opens.

    Raises
    ------
    InvalidInputError
        When options contradict each other, or there is no such example.
    """
    from cnnvis.core.errors import InvalidInputError, did_you_mean
    from cnnvis.viewer.examples import EXAMPLES

    given = [name for name, value in (("files", files), ("--example", example), ("--model", model)) if value]
    of_a_survey = example is None and not asked.keys() & {"image", "layers", "tiles"}
    if len(given) > 1 and not of_a_survey:
        raise InvalidInputError(f"The window opens with files, an example or a model; got {' and '.join(given)}.")
    if example is not None and example not in EXAMPLES:
        raise InvalidInputError(f"There is no example {example!r}. {did_you_mean(example, EXAMPLES, what='examples')}")
    if asked and model is None:
        raise InvalidInputError("--image, --layer, --tiles and --weights go with --model: name one, too.")
    if "layers" in asked and not asked.keys() & {"image", "tiles"}:
        raise InvalidInputError("--layer shows maps of an image: name one with --image, or leave --layer out.")
