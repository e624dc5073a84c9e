"""`cnnvis prune-curve`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from cyclopts import Parameter
from cyclopts.validators import Number

from cnnvis.cli._options import Data, Device, Layers, Methods, Model, Out, Quiet, Seed, Weights
from cnnvis.cli._progress import progress_bar, scoring_bar

if TYPE_CHECKING:
    from torch import Tensor

    from cnnvis.core import Importance, PruneCurve
    from cnnvis.models import Network


def prune_curve(  # noqa: PLR0913 - one parameter per option of the command line
    *,
    model: Model = "mnist-mlp",
    weights: Weights = None,
    data: Data = None,
    method: Methods = ("gradient", "taylor", "weight"),
    kind: Annotated[Literal["units", "links"], Parameter(name="--kind")] = "units",
    scope: Annotated[Literal["global", "layer"], Parameter(name="--scope")] = "global",
    layer: Layers = (),
    points: Annotated[int, Parameter(name="--points", validator=Number(gte=2))] = 21,
    random: Annotated[int, Parameter(name="--random", validator=Number(gte=0))] = 5,
    include_inputs: Annotated[bool, Parameter(name="--include-inputs", negative="", show_default=False)] = False,
    include_outputs: Annotated[bool, Parameter(name="--include-outputs", negative="", show_default=False)] = False,
    seed: Seed = 0,
    device: Device = "auto",
    out: Out = Path("out/curve"),
    quiet: Quiet = False,
) -> None:
    """Draw accuracy against the share of units or links removed, least important first.

    Leaves curves.csv and the charts accuracy.png and loss.png in the folder OUT. Each method stands beside its own
    reverse and random orders. Importance is scored on other images than the curves are measured on.

    Parameters
    ----------
    kind : str
        Switch off units, or set single links (weights, kernels of convolutions) to zero.
    scope : str
        One ranking over all layers, or the same share of each layer.
    points : int
        Shares from 0 to 1.
    random : int
        Random orders.
    include_inputs, include_outputs : bool
        Remove units of the input, and the classes, as well; only batchnorm scores these.
    """
    from cnnvis.io import save, save_bytes
    from cnnvis.models import load
    from cnnvis.models.folders import labelled_parts
    from cnnvis.pruning import curves_with_controls
    from cnnvis.report import prune_curve_chart, to_png

    network = load(model, weights=weights, device=device)
    parts = labelled_parts(network, data)
    orders = _orders(network, parts.importance.pair, method, quiet=quiet)
    with progress_bar("pruning", unit="point", quiet=quiet) as progress:
        curves = curves_with_controls(
            network,
            parts.testing.pair,
            orders,
            n_random=random,
            progress=progress,
            kind=kind,
            scope=scope,
            layers=layer or None,
            shares=np.linspace(0, 1, points),
            include_inputs=include_inputs,
            include_outputs=include_outputs,
            random_state=seed,
        )
    provenance = network.provenance()
    files = [save(curves, out / "curves.csv")]
    for measure in ("accuracy", "loss"):
        figure = prune_curve_chart(curves, measure=measure, provenance=provenance)
        files.append(save_bytes(to_png(figure), out / f"{measure}.png"))
    if not quiet:
        _say(curves, files)


def _orders(
    network: Network, images: tuple[Tensor, Tensor], methods: tuple[str, ...], *, quiet: bool
) -> dict[str, Importance | str]:
    from cnnvis.attribution import importance
    from cnnvis.capture import channel_spaces

    found: dict[str, Importance | str] = {}
    for method in dict.fromkeys(methods):
        if method == "weight":  # of links |weight| itself, not what they inherit from the norm of a filter
            found[method] = method
            continue
        # pixels and classes are scored where they are named, and only by batch norm
        ends = {"layers": channel_spaces(network).names} if method == "batchnorm" else {}
        with scoring_bar(method, quiet=quiet) as progress:
            found[method] = importance(network, images, method, progress=progress, **ends)  # type: ignore[arg-type]
    return found


def _say(runs: dict[str, tuple[PruneCurve, ...]], files: list[Path]) -> None:
    first = next(iter(runs.values()))[0]
    width = max(map(len, runs))
    lines = [
        "",
        f"{first.n_total:,} {first.kind} ({first.scope}); the whole network has {first.accuracy[0]:.2%} right.",
        "",
        f"{'order':<{width}}  {'area':>6}  {'removable at 1 point of accuracy lost':>38}",
    ]
    for name, part in runs.items():
        area = np.mean([curve.area for curve in part])
        lines.append(f"{name:<{width}}  {area:>6.3f}  {np.mean([curve.removable() for curve in part]):>38.0%}")
    sys.stdout.write("\n".join([*lines, "", "Written:", *(f"  {file}" for file in files), ""]))
