"""`cnnvis importance`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from cyclopts import Parameter
from cyclopts.validators import Number

from cnnvis.cli._options import Data, Device, Layers, Methods, Model, Out, Quiet, Seed, TargetClass, Weights
from cnnvis.cli._progress import scoring_bar

if TYPE_CHECKING:
    from cnnvis.core import Importance, ImportanceAgreement, Provenance
    from cnnvis.models import Network

TOP = 5
"""Channels printed for each layer."""

STATE = "batchnorm_state.safetensors"
"""What an interrupted run by batchnorm goes on from."""

Wanted = Annotated[TargetClass | None, Parameter(show_default="all classes")]
Steps = Annotated[int, Parameter(name="--steps", validator=Number(gte=1))]


def importance(  # noqa: PLR0913 - one parameter per option of the command line
    *,
    model: Model = "fashion-cnn",
    weights: Weights = None,
    data: Data = None,
    method: Methods = ("gradient", "taylor"),
    layer: Annotated[Layers, Parameter(show_default="the network's own choice")] = (),
    target: Wanted = None,
    steps: Steps = 2000,
    seed: Seed = 0,
    device: Device = "auto",
    out: Out = Path("out/importance"),
    quiet: Quiet = False,
) -> None:
    """Score the importance of a network's channels by one method or several, and show where they agree.

    Leaves in the folder OUT, for each method, its scores as .csv and .safetensors; grid.png, bars of each layer, scores
    by class as classes_*.png, and, of several methods, agreement.png. With --class, pictures and print are of that
    class.

    Parameters
    ----------
    steps : int
        Steps of batchnorm. With --class it trains the scales of that class alone; interrupted, it goes on from where it
        was when it is run again.
    """
    from cnnvis.core.classes import class_index
    from cnnvis.io import require_writable, save
    from cnnvis.models import load
    from cnnvis.models.folders import labelled_parts

    network = load(model, weights=weights, device=device)
    if target is not None:
        class_index(target, network.class_names)
    require_writable(out)
    images = None if set(method) == {"weight"} else labelled_parts(network, data).importance.pair
    own: dict[str, dict[str, Any]] = {"batchnorm": _batchnorm_options(steps, seed, target, out)}
    scores, shown, files = {}, {}, []
    for name in dict.fromkeys(method):
        layers = layer or network.default_layers or None
        scores[name] = _score(network, images, name, layers=layers, options=own.get(name, {}), quiet=quiet)
        shown[name] = scores[name] if target is None else scores[name].of_class(_column(scores[name], target, network))
        files += [save(scores[name], out / f"{name}{suffix}") for suffix in (".csv", ".safetensors")]
    agreement = _agreement(shown)
    provenance = network.provenance([] if images is None else [f"{len(images[0])} images"])
    files += _draw(shown, agreement, provenance, out)
    if target is None:
        files += _draw_classes(scores, provenance, out)
    if not quiet:
        _say(shown, agreement, files)


def _batchnorm_options(steps: int, seed: int, target: str | None, out: Path) -> dict[str, Any]:
    classes = None if target is None else [target]
    return {"steps": steps, "random_state": seed, "classes": classes, "checkpoint": out / STATE}


def _score(
    network: Network, images: Any, method: str, *, layers: tuple[str, ...] | None, options: dict[str, Any], quiet: bool
) -> Importance:
    from cnnvis.attribution import importance as score

    with scoring_bar(method, quiet=quiet) as progress:
        return score(network, images, method, layers=layers, progress=progress, **options)  # type: ignore[arg-type]


def _column(scores: Importance, target: str, network: Network) -> int:
    """Return where the scores of a class are: batchnorm was asked for that class alone."""
    from cnnvis.core.classes import class_index

    index = class_index(target, network.class_names)
    return scores.classes.index(index) if index in scores.classes else index


def _agreement(scores: Mapping[str, Importance]) -> ImportanceAgreement | None:
    from cnnvis.analysis import compare_importance

    return compare_importance(scores) if len(scores) > 1 else None


def _draw(
    scores: Mapping[str, Importance], agreement: ImportanceAgreement | None, provenance: Provenance, out: Path
) -> list[Path]:
    """Draw grid, bars and agreement; return the files."""
    from cnnvis.io import save_bytes
    from cnnvis.report import agreement_matrix_figure, importance_bars, importance_grid, to_png

    figures = {"grid.png": importance_grid(_one_or_all(scores), provenance=provenance)}
    for layer in dict.fromkeys(layer for found in scores.values() for layer in found):
        scored = {name: found for name, found in scores.items() if layer in found}
        figures[f"bars_{layer}.png"] = importance_bars(scored, layer, provenance=provenance)
    if agreement is not None:
        figures["agreement.png"] = agreement_matrix_figure(agreement, provenance=provenance)
    return [save_bytes(to_png(figure), out / name) for name, figure in figures.items()]


def _draw_classes(scores: Mapping[str, Importance], provenance: Provenance, out: Path) -> list[Path]:
    """Draw scores by class, of each method and layer that has them; return the files."""
    from cnnvis.io import save_bytes
    from cnnvis.report import importance_by_class, to_png

    return [
        save_bytes(
            to_png(importance_by_class(found, layer, provenance=provenance)), out / f"classes_{name}_{layer}.png"
        )
        for name, found in scores.items()
        for layer in found.per_class or ()
    ]


def _training(report: Mapping[str, Any]) -> list[str]:
    """Return how well class and rest are told apart before and after, and how many scales are gone."""
    accuracy = report["balanced_accuracy"]
    told = [f"{before:.1%} -> {after:.1%}" for before, after in zip(accuracy["before"], accuracy["after"], strict=True)]
    gone = [f"{layer} {found['share_near_zero']:.0%}" for layer, found in report["gamma"].items()]
    return [f"  balanced accuracy by class: {', '.join(told)}", f"  scales below 0.02: {', '.join(gone)}"]


def _one_or_all(scores: Mapping[str, Importance]) -> Importance | Mapping[str, Importance]:
    return next(iter(scores.values())) if len(scores) == 1 else scores


def _say(scores: Mapping[str, Importance], agreement: ImportanceAgreement | None, files: list[Path]) -> None:
    lines = []
    for name, found in scores.items():
        wanted = found.options.get("class")
        lines += ["", f"{name}, most important first" + (f", class {wanted}" if wanted is not None else "")]
        width = max(map(len, found))
        for layer, values in found.scores.items():
            best = np.argsort(-values, kind="stable")[:TOP]
            lines.append(f"  {layer:<{width}}  " + "  ".join(f"{channel} ({values[channel]:.3g})" for channel in best))
        if "report" in found.options:
            lines += _training(found.options["report"])
    if agreement is not None:
        lines += ["", "rank correlation, mean over the layers"]
        for row, first in enumerate(agreement.methods):
            for column in range(row):
                lines.append(f"  {agreement.mean[row, column]:+.2f}  {first}, {agreement.methods[column]}")
    sys.stdout.write("\n".join([*lines, "", "Written:", *(f"  {file}" for file in files), ""]))
