"""`cnnvis compare-networks`, and what `pipelines/compare_networks.py` runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from cnnvis.cli._options import Data, Device, Method, Out, Quiet, Seed, Size
from cnnvis.cli._progress import StageBars
from cnnvis.cli._results import command_line, say_result

if TYPE_CHECKING:
    pass

AtLeastOne = Number(gte=1)


def compare_networks(  # noqa: PLR0913 - one parameter per option of the command line
    *,
    model: Annotated[
        tuple[str, ...],
        Parameter(
            name="--model",
            negative="",
            metavar="NAME",
            show_default="mnist-mlp-untrained, mnist-mlp, mnist-mlp-l1",
            help="Network as for the other verbs; name at least two, of the same layer sizes.",
        ),
    ] = (),
    seeds: Annotated[int, Parameter(name="--seeds", validator=AtLeastOne)] = 5,
    controls: Annotated[int, Parameter(name="--controls", validator=Number(gte=0))] = 3,
    method: Method = "batchnorm",
    steps: Annotated[int, Parameter(name="--steps", validator=AtLeastOne)] = 2000,
    share: Annotated[float, Parameter(name="--share", validator=Number(gt=0, lte=1))] = 0.1,
    hubs: Annotated[int, Parameter(name="--hubs", validator=Number(gte=0, lte=256))] = 0,
    class_separation: Annotated[float, Parameter(name="--class-separation", validator=Number(gte=0, lte=1))] = 1.0,
    data: Data = None,
    seed: Seed = 0,
    device: Device = "auto",
    size: Size = (1800, 600),
    out: Out = Path("out/compare_networks"),
    quiet: Quiet = False,
) -> None:
    """Draw networks alike, side by side, and measure how compact their links are.

    Edge compactness is how many times closer together links run than straight ones. Leaves the picture, charts, a table
    of all numbers (.csv) and the report index.html in the folder OUT. Without --model it compares the perceptron of
    the digits untrained, trained, and trained with L1, from several training seeds, beside accuracy and the train-test
    gap. Importance is kept in OUT, so that an interrupted run goes on.

    Parameters
    ----------
    seeds : int
        Training seeds of the perceptrons; 1 is a quick look at those that come with cnnvis.
    controls : int
        Times that the importances of each network are permuted, for comparison.
    steps : int
        Optimiser steps of batchnorm for each class.
    share : float
        Share of the links of each gap between layers that is drawn, most important first: above 0, to 1.
    hubs : int
        Bundles between each two layers, as for `cnnvis bundle`, where it is 4; 0 leaves their number to the network.
        A number that is set decides how compact links can be.
    class_separation : float
        How strictly links keep to those of their own classes in the end, 0 to 1: with 0 they are bundled as if there
        were no classes.
    """
    from cnnvis.layout import BundleOptions
    from cnnvis.studies import CompareNetworks, compare_networks
    from cnnvis.studies.compare_report import answers
    from cnnvis.studies.compare_results import BUNDLING

    study = CompareNetworks(
        models=model,
        n_seeds=seeds,
        n_controls=controls,
        method=method,
        steps=steps,
        share=share,
        bundling=replace(BundleOptions(hubs=hubs) if hubs else BUNDLING, class_separation=class_separation),
        data=data,
        random_state=seed,
        device=device,
        size=size,
    )
    command = command_line()
    bars = StageBars(quiet=quiet)
    result = compare_networks.run(study, out, command=command, on_stage=bars.done, on_progress=bars.progress)
    if not quiet:
        say_result(["", *answers(result)], result, out)
