"""`cnnvis bundle`, and what `pipelines/bundled_network.py` and `random_network.py` run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter, Token
from cyclopts.validators import Number

from cnnvis.cli._drawing import DEFAULTS, DrawingFlags
from cnnvis.cli._options import Data, Device, Model, Out, Quiet, Seed, Size, Weights
from cnnvis.cli._progress import StageBars
from cnnvis.cli._results import command_line, say_result

if TYPE_CHECKING:
    pass


def parse_layers(text: str) -> tuple[int, ...]:
    """Return the layer sizes of a text such as "784,81,49,10".

    Raises
    ------
    ValueError
        When it is not numbers of at least 1 with commas between, two of them at least.
    """
    if not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)+", text.strip()):
        raise ValueError(f"expected the sizes of two layers or more such as 100,40,20,10, got {text!r}.")
    return tuple(int(size) for size in text.split(","))


def _convert_layers(type_: Any, tokens: Sequence[Token]) -> tuple[int, ...]:
    return parse_layers(tokens[0].value)


LAYERS = Parameter(negative="", metavar="N,N,...", n_tokens=1, converter=_convert_layers)
Importance = Annotated[
    str | None,
    Parameter(name="--importance", metavar="METHOD|FILE", show_default="as it comes with cnnvis, else weight"),
]
Classes = Annotated[
    tuple[str, ...],
    Parameter(name="--class", negative="", metavar="NAME|INDEX", show_default="all, up to 12"),
]
Frames = Annotated[int, Parameter(name="--frames", validator=Number(gte=0))]
Stages = Annotated[bool, Parameter(name="--stages", negative="", show_default=False)]


def bundle(  # noqa: PLR0913 - one parameter per option of the command line
    *,
    model: Annotated[Model | None, Parameter(name="--model", show_default="mnist-mlp")] = None,
    weights: Weights = None,
    random: Annotated[tuple[int, ...], LAYERS, Parameter(name="--random", show_default=False)] = (),
    importance: Importance = None,
    data: Data = None,
    class_: Classes = (),
    drawing: DrawingFlags = DEFAULTS,
    stages: Stages = False,
    frames: Frames = 36,
    seed: Seed = 0,
    device: Device = "auto",
    size: Size = (1600, 1000),
    out: Out = Path("out/bundled_network"),
    quiet: Quiet = False,
) -> None:
    """Draw a whole network as bundled links, for all classes and each class.

    Leaves pictures, a turntable film, an interactive page, files for ParaView, the processed network and the report
    index.html in the folder OUT. Links are drawn as dense and in the colours of the classes that their units are
    important for.

    Parameters
    ----------
    random : str
        Draw a random network of these layer sizes in place of a model: 784,81,49,10.
    importance : str
        Of the units: a method (batchnorm, gradient, taylor, activation, ablation, weight) or a .safetensors file that
        `cnnvis importance` left. weight needs no images and does not tell classes apart.
    class_ : str
        Class that gets a picture of its own, may be repeated.
    stages : bool
        Keep the unbundled links, those between moved units and those after each iteration, as a series and a film.
    frames : int
        Pictures of the turntable; 0 leaves the film out.
    """
    from cnnvis.core.errors import InvalidInputError
    from cnnvis.studies import bundled_network
    from cnnvis.studies.bundle_report import findings
    from cnnvis.studies.bundle_results import BundleStudy

    if random and (model or weights or importance or data):
        raise InvalidInputError(
            "--random makes a network of its own; it takes no --model, --weights, --importance or --data."
        )
    chosen = drawing.chosen(random_state=seed)
    study = BundleStudy(
        model=model or "mnist-mlp",
        layers=random,
        scores=importance,
        data=data,
        options=chosen.options,
        look=chosen.look,
        classes=class_,
        stages=stages,
        weights=weights,
        random_state=seed,
        device=device,
        size=size,
        film_frames=frames,
    )
    command = command_line()
    bars = StageBars(quiet=quiet)
    result = bundled_network.run(study, out, command=command, on_stage=bars.done, on_progress=bars.progress)
    if not quiet:
        say_result(["", *findings(result)], result, out)
