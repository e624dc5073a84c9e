"""`cnnvis architecture`, and what `pipelines/architecture.py` runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from cnnvis.cli._options import Data, Device, Layers, Model, Out, Quiet, Seed, Size, Weights
from cnnvis.cli._progress import StageBars
from cnnvis.cli._results import command_line, say_result

NotNegative = Number(gte=0)


def architecture(  # noqa: PLR0913 - one parameter per option of the command line
    *,
    model: Model = "fashion-cnn",
    weights: Weights = None,
    image: Annotated[str, Parameter(name="--image")] = "0",
    data: Data = None,
    layer: Annotated[Layers, Parameter(show_default="inputs, convolutions, dense layers, poolings, merges")] = (),
    links: Annotated[int, Parameter(name="--links", validator=NotNegative)] = 600,
    frames: Annotated[int, Parameter(name="--frames", validator=NotNegative)] = 48,
    seed: Seed = 0,
    device: Device = "auto",
    size: Size = (1600, 1000),
    out: Out = Path("out/architecture"),
    quiet: Quiet = False,
) -> None:
    """Show a whole network as the maps that its layers make of one image, in space.

    Leaves pictures of the maps as grid, circle, stack and line, a film from one to the next, a scene for the window and
    the report index.html in the folder OUT.

    Parameters
    ----------
    image : str
        A picture file, a sample such as chelsea, or the number of a test image of DATA, from 0.
    links : int
        Links between maps at most, the strongest between each two layers.
    frames : int
        Pictures of the film; 0 for none.
    """
    from cnnvis.studies import ArchitectureStudy, architecture

    study = ArchitectureStudy(
        model=model,
        image=image,
        data=data,
        layers=layer,
        top_k=links,
        frames=frames,
        size=size,
        weights=weights,
        random_state=seed,
        device=device,
    )
    bars = StageBars(quiet=quiet)
    result = architecture.run(study, out, command=command_line(), on_stage=bars.done, on_progress=bars.progress)
    if not quiet:
        answer = "" if result.answer is None else f": {result.answer.name} ({result.answer.probability:.1%})"
        say_result(["", f"{result.image}{answer}"], result, out)
