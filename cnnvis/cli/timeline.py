"""`cnnvis timeline`, and what `pipelines/training_timeline.py` runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from cnnvis.cli._options import Data, Out, Quiet, Seed, Size
from cnnvis.cli._progress import say_stage
from cnnvis.cli._results import command_line, say_result

Run = Annotated[
    str,
    Parameter(metavar="RUN", help="Folder that cnnvis.Watcher writes, or of state dicts with --model; or fashion-cnn."),
]
Architecture = Annotated[
    str | None,
    Parameter(
        name="--model", show_default=False, help="Architecture of state dicts: a bundled name, file.py:factory ..."
    ),
]
Layer = Annotated[str, Parameter(name="--layer", metavar="NAME", show_default="the second with maps")]
Sample = Annotated[
    int | None,
    Parameter(name="--sample", show_default="the first that was learned", validator=Number(gte=0)),
]


def timeline(  # noqa: PLR0913 - one parameter per option of the command line
    run: Run = "fashion-cnn",
    *,
    layer: Layer = "",
    sample: Sample = None,
    order: Annotated[str, Parameter(name="--order", metavar="METHOD")] = "kmeans",
    fps: Annotated[int, Parameter(name="--fps", validator=Number(gte=1, lte=30))] = 2,
    smooth: Annotated[int, Parameter(name="--smooth", validator=Number(gte=1, lte=60))] = 1,
    model: Architecture = None,
    data: Data = None,
    seed: Seed = 0,
    size: Size = (960, 600),
    out: Out = Path("out/training_timeline"),
    quiet: Quiet = False,
) -> None:
    """Show a training from its first weights to its last: curves, and a layer's maps of one image, epoch by epoch.

    Leaves a film, a scene with a frame per epoch, pictures and the report index.html in the folder OUT. The run may
    still be going on. A folder of state dicts, each with its epoch as the last number of its name, needs --model.
    Without RUN it is the training of fashion-cnn, whose weights after each epoch come along.

    Parameters
    ----------
    layer : str
        A layer whose values the run kept.
    sample : int
        Which of its samples is shown.
    order : str
        Method that orders the channels by the maps of the last epoch: kmeans, pca, leaf, original ...
    fps : int
        Epochs per second of the film.
    smooth : int
        Pictures of the film per epoch: between two epochs their values are blended, and the film says so.
    """
    from cnnvis.studies import TrainingTimeline, training_timeline

    study = TrainingTimeline(
        run=run,
        layer=layer,
        sample=sample,
        order=order,  # type: ignore[arg-type]  # checked by TrainingTimeline
        fps=fps,
        smooth=smooth,
        model=model or "",
        data=data,
        size=size,
        random_state=seed,
        command=command_line(),
    )
    result = training_timeline.run(study, out, on_stage=None if quiet else say_stage)
    if not quiet:
        say_result(_found(result), result, out)


def _found(result: Any) -> list[str]:
    """Return what was found, line by line."""
    run = result.run
    lines = ["", f"{run.facts.name}: {run.state}, {len(result.epochs)} {run.unit}s kept; {result.subject}"]
    return [*lines, *(f"  {run.unit} {label}" for label in result.volumes), *run.problems]
