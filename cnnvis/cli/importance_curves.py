"""`cnnvis importance-curves`, and what `pipelines/importance_curves.py` runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from cnnvis.cli._options import METHODS, Data, Device, Methods, Model, Out, Quiet, Seed, Weights
from cnnvis.cli._progress import StageBars
from cnnvis.cli._results import command_line, say_result

if TYPE_CHECKING:
    from cnnvis.studies.curve_results import CurveResult

WITHOUT_TRAINING = tuple(method for method in METHODS if method != "batchnorm")
SLOW = "fashion-cnn"
"""Convolutions take a hundred times as long as the perceptron: fewer points and images by default, and no training of
batch norms, which takes half an hour."""

AtLeastOne = Number(gte=1)


def importance_curves(  # noqa: PLR0913 - one parameter per option of the command line
    *,
    model: Annotated[Model | None, Parameter(name="--model", show_default="mnist-mlp and fashion-cnn")] = None,
    weights: Weights = None,
    data: Data = None,
    method: Annotated[Methods, Parameter(show_default="all, but batchnorm for fashion-cnn")] = (),
    networks: Annotated[int, Parameter(name="--networks", validator=AtLeastOne)] = 5,
    random: Annotated[int, Parameter(name="--random", validator=AtLeastOne)] = 5,
    points: Annotated[
        int | None, Parameter(name="--points", validator=Number(gte=3), show_default="21; 11 for fashion-cnn")
    ] = None,
    images: Annotated[
        int | None, Parameter(name="--images", validator=AtLeastOne, show_default="2000; 1000 for fashion-cnn")
    ] = None,
    steps: Annotated[int, Parameter(name="--steps", validator=AtLeastOne)] = 2000,
    variants: Annotated[bool, Parameter(name="--variants", negative="", show_default=False)] = False,
    seed: Seed = 0,
    device: Device = "auto",
    out: Out = Path("out/importance_curves"),
    quiet: Quiet = False,
) -> None:
    """Put methods of importance to the test: prune by them, beside the controls they must beat.

    The controls are random orders, |weight| and each method's own reverse. Leaves curves and scores (.csv), figures
    and the report index.html in the folder OUT. Without --model two networks are studied: the perceptron of the
    digits, trained from several seeds, and fashion-cnn.

    Parameters
    ----------
    networks : int
        Training seeds of mnist-mlp.
    random : int
        Random orders per network.
    points : int
        Shares removed, from 0 to 1.
    images : int
        Images of the curves, at most.
    steps : int
        Optimiser steps of batchnorm for each class.
    variants : bool
        Compare nn_vis's variants of batch norm as well; each takes as long as batchnorm itself.
    """
    from cnnvis.attribution.batchnorm_options import VARIANTS
    from cnnvis.core.errors import InvalidInputError
    from cnnvis.studies import ImportanceCurves, importance_curves

    if model is None and (weights or data):
        raise InvalidInputError("--weights and --data belong to one network; name it by --model.")
    names = ("mnist-mlp", SLOW) if model is None else (model,)
    chosen = {name: method or (WITHOUT_TRAINING if name == SLOW else METHODS) for name in names}
    studies = [
        ImportanceCurves(
            model=name,
            data=data,
            methods=methods,
            n_networks=networks,
            n_random=random,
            n_points=points or (11 if name == SLOW else 21),
            n_images=images or (1000 if name == SLOW else 2000),
            steps=steps,
            variants=tuple(VARIANTS) if variants and "batchnorm" in methods else (),
            weights=weights,
            random_state=seed,
            device=device,
        )
        for name, methods in chosen.items()
    ]
    command = command_line()
    bars = StageBars(quiet=quiet)
    result = importance_curves.run(studies, out, command=command, on_stage=bars.done, on_progress=bars.progress)
    if not quiet:
        say_result(_found(result), result, out)


def _found(result: CurveResult) -> list[str]:
    """Return what was found, line by line."""
    from cnnvis.studies.curve_report import verdicts

    lines = []
    for part in result.parts:
        lines += ["", f"{part.network.name}, hidden units, area under the accuracy:"]
        lines += [f"  {sentence}" for sentence in verdicts(part)]
    return lines
