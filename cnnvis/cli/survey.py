"""`cnnvis survey`, and what `pipelines/channel_survey.py` runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from cnnvis.cli._options import Data, Device, Layers, Model, Out, Quiet, Seed, Weights
from cnnvis.cli._progress import StageBars
from cnnvis.cli._results import command_line, say_result

AtLeastOne = Number(gte=1)
Positive = Number(gt=0)


def survey(  # noqa: PLR0913 - one parameter per option of the command line
    *,
    model: Model = "vgg16-fashion",
    weights: Weights = None,
    data: Data = None,
    layer: Annotated[Layers, Parameter(show_default="all convolutions and dense layers")] = (),
    signal: Annotated[Literal["post", "pre"], Parameter(name="--signal")] = "post",
    window: Annotated[int, Parameter(name="--window", validator=AtLeastOne)] = 1000,
    recent: Annotated[bool, Parameter(name="--recent", negative=())] = False,
    alike: Annotated[Literal["averages", "maps"], Parameter(name="--alike")] = "averages",
    links: Annotated[Literal["power", "exponential"], Parameter(name="--links")] = "power",
    exponent: Annotated[
        float | None, Parameter(name="--exponent", validator=Positive, show_default="6; 20 of exponential links")
    ] = None,
    algorithm: Annotated[Literal["louvain", "leiden"], Parameter(name="--algorithm")] = "leiden",
    resolution: Annotated[float, Parameter(name="--resolution", validator=Positive)] = 1.0,
    merge: Annotated[bool, Parameter(name="--merge", negative="--no-merge")] = True,
    max_drop: Annotated[float, Parameter(name="--max-drop", validator=Number(gte=0, lte=1))] = 0.01,
    workers: Annotated[int, Parameter(name="--workers", validator=AtLeastOne)] = 1,
    scheduler: Annotated[str | None, Parameter(name="--scheduler", show_default=False)] = None,
    seed: Seed = 0,
    device: Device = "auto",
    out: Out = Path("out/channel_survey"),
    quiet: Quiet = False,
) -> None:
    """Follow every channel over many images: which are alike, which are odd, which can go.

    Leaves the survey, a table of all channels, figures, the report index.html and, where redundant channels could be
    merged, the smaller network in the folder OUT. DATA may be one picture or a folder of them without
    classes, too: nothing is merged then. Interrupted, it goes on where it was when it is run again.

    Parameters
    ----------
    signal : str
        Values behind the activation of each layer, or before it.
    window : int
        Images whose averages are kept, the last ones: for the stability of groups, and for cnnvis diagnose.
    recent : bool
        Look at the last WINDOW images alone, not at all of them: statistics, correlation and groups.
    alike : str
        Channels are alike where their averages correlate over images, or their maps position by position. Maps take
        about as much work again as the network itself.
    links : str
        Channels are linked by max(r, 0) to a power, r being their correlation, or by exp(EXPONENT r), as in ReactCNN.
    exponent : float
        Of the links.
    algorithm : str
        How groups of channels are found.
    resolution : float
        Above 1 more and smaller groups, below 1 fewer.
    merge : bool
        Look for redundant channels, merge them, and measure what that costs.
    max_drop : float
        Accuracy that merging may cost, on the images that choose.
    workers : int
        Processes of the survey, each with one thread.
    scheduler : str
        Address of a Dask cluster for the survey, such as tcp://host:8786.
    """
    from cnnvis.studies import ChannelSurvey, channel_survey
    from cnnvis.studies.survey_report import findings

    study = ChannelSurvey(
        model=model,
        data=data,
        layers=layer,
        signal=signal,
        window=window,
        recent=recent,
        alike=alike,
        links=links,
        exponent=exponent,
        algorithm=algorithm,
        resolution=resolution,
        merge=merge,
        max_drop=max_drop,
        workers=workers,
        scheduler=scheduler,
        weights=weights,
        random_state=seed,
        device=device,
    )
    bars = StageBars(quiet=quiet)
    result = channel_survey.run(study, out, command=command_line(), on_stage=bars.done, on_progress=bars.progress)
    if not quiet:
        say_result(["", *findings(result)], result, out)
