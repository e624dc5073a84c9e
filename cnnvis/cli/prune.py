"""`cnnvis prune`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from cnnvis.cli._options import Data, Device, Layers, Method, Model, Out, Quiet, Seed, Weights
from cnnvis.cli._progress import scoring_bar

if TYPE_CHECKING:
    from cnnvis.pruning import Measured, Pruned

Keep = Annotated[float, Parameter(name="--keep", validator=Number(gt=0, lte=1))]


def prune(  # noqa: PLR0913 - one parameter per option of the command line
    *,
    model: Model = "fashion-cnn",
    weights: Weights = None,
    data: Data = None,
    method: Method = "taylor",
    keep: Keep = 0.5,
    scope: Annotated[Literal["global", "layer"], Parameter(name="--scope")] = "global",
    layer: Layers = (),
    min_channels: Annotated[int, Parameter(name="--min-channels", validator=Number(gte=1))] = 1,
    seed: Seed = 0,
    device: Device = "auto",
    out: Out = Path("out/pruned"),
    quiet: Quiet = False,
) -> None:
    """Write a physically smaller network, without its least important units.

    Leaves network.pt2 (a program that runs without the network's code, and that info and volume take as --model),
    tensors.safetensors and description.json in the folder OUT. Accuracy is measured on images that importance was not
    scored on: of the whole network, with the units switched off, without them, and of the file written.

    Parameters
    ----------
    keep : float
        Share of the units that stay, above 0 and up to 1.
    scope : str
        Which share is meant: of all layers together, or of each.
    min_channels : int
        Fewest units that stay in each layer.
    """
    from cnnvis.attribution import importance
    from cnnvis.models import load
    from cnnvis.models.folders import labelled_parts
    from cnnvis.pruning import evaluate, load_pruned, save_pruned
    from cnnvis.pruning import prune as cut

    network = load(model, weights=weights, device=device)
    parts = labelled_parts(network, data)
    scoring, testing = parts.importance.pair, parts.testing.pair
    with scoring_bar(method, quiet=quiet) as progress:
        scores = importance(network, scoring, method, progress=progress)  # type: ignore[arg-type]
    result = cut(
        network, scores, keep=keep, scope=scope, layers=layer or None, min_channels=min_channels, random_state=seed
    )
    files = save_pruned(result, out)
    measured = {
        "whole": evaluate(network, testing),
        "units off": evaluate(network, testing, without=result.removed),
        "smaller": evaluate(result.network, testing),
        "file": evaluate(load_pruned(out), testing),
    }
    if not quiet:
        _say(network.name, result, measured, files)


def _say(name: str, result: Pruned, measured: dict[str, Measured], files: tuple[Path, ...]) -> None:
    images = int(measured["whole"].confusion.sum())
    options = result.options
    lines = [
        "",
        f"{name} by {options['method']}: {options['keep']:.0%} of the units kept ({options['scope']}).",
        f"On {images:,} images that importance was not scored on:",
        "",
        f"{'':<10}{'accuracy':>10}{'loss':>10}{'parameters':>14}{'multiply-adds':>16}",
    ]
    for row, (kind, found) in enumerate(measured.items()):
        size = int(row > 1)
        lines.append(
            f"{kind:<10}{found.accuracy:>10.2%}{found.loss:>10.4f}"
            f"{result.n_parameters[size]:>14,}{result.multiply_adds[size]:>16,}"
        )
    removed = ", ".join(f"{layer} {channels.size}" for layer, channels in result.removed.items())
    lines += ["", f"Removed: {removed or 'nothing'}."]
    lines += [f"Left whole: {layer}, {reason}." for layer, reason in result.left_whole.items()]
    lines += [
        f"Outputs differ from those with the units off by {result.largest_difference:.1e} at most.",
        "",
        "Written:",
    ]
    sys.stdout.write("\n".join([*lines, *(f"  {file}" for file in files), ""]))
