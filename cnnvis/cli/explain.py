"""`cnnvis explain`, and what `pipelines/explain_operations.py` runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from cnnvis.cli._options import Data, Device, Layers, Model, Out, Quiet, Seed, Weights
from cnnvis.cli._progress import StageBars
from cnnvis.cli._results import command_line, say_result

NotNegative = Number(gte=0)


def explain(  # noqa: PLR0913 - one parameter per option of the command line
    *,
    model: Model = "fashion-cnn",
    weights: Weights = None,
    image: Annotated[str, Parameter(name="--image")] = "0",
    data: Data = None,
    layer: Annotated[Layers, Parameter(show_default="one of each kind, and softmax")] = (),
    channel: Annotated[int | None, Parameter(name="--channel", validator=NotNegative, show_default="strongest")] = None,
    position: Annotated[
        tuple[int, int] | None, Parameter(name="--position", metavar="ROW COLUMN", show_default="strongest")
    ] = None,
    frames: Annotated[int, Parameter(name="--frames", validator=NotNegative)] = 100,
    seed: Seed = 0,
    device: Device = "auto",
    out: Out = Path("out/explain"),
    quiet: Quiet = False,
) -> None:
    """Explain how single values of a network are computed, with the actual numbers.

    Leaves a picture of each operation, a film of a window that moves over its maps, a chart of the answer while a
    channel is scaled, and the report index.html in the folder OUT.

    Parameters
    ----------
    image : str
        A picture file, a sample such as chelsea, or the number of a test image of DATA, from 0.
    channel : int
        Of each layer.
    position : int
        Row and column in the maps of each layer that has maps.
    frames : int
        Positions in the film; 0 for none.
    """
    from cnnvis.studies import OperationStudy, operations

    study = OperationStudy(
        model=model,
        image=image,
        data=data,
        layers=layer,
        channel=channel,
        position=position,
        frames=frames,
        weights=weights,
        random_state=seed,
        device=device,
    )
    bars = StageBars(quiet=quiet)
    result = operations.run(study, out, command=command_line(), on_stage=bars.done, on_progress=bars.progress)
    if not quiet:
        answer = "" if result.answer is None else f": {result.answer.name} ({result.answer.probability:.1%})"
        say_result(["", f"{result.image}{answer}"], result, out)
