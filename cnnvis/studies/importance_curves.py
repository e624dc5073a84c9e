"""Whether importance can be believed: pruning curves of every method beside the controls that it must beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from cnnvis.analysis import compare_curves, compare_importance
from cnnvis.attribution import RandomisationCheck, importance, randomisation_check
from cnnvis.attribution.batchnorm import batchnorm_variants
from cnnvis.capture import channel_spaces
from cnnvis.core import ClassCurves, CurveComparison, FilterTable, Importance, PruneCurve
from cnnvis.core.progress import Progress, part_of
from cnnvis.io import require_writable
from cnnvis.models import LabelledImages, Network, load
from cnnvis.models.folders import labelled_parts
from cnnvis.pruning import class_curves, curves_with_controls, filter_table, prune_curves
from cnnvis.studies.curve_pictures import checkpoint_of, save_part
from cnnvis.studies.curve_report import write_report
from cnnvis.studies.curve_results import (
    PERCEPTRON,
    SETTINGS,
    CurvePart,
    CurveResult,
    Curves,
    ImportanceCurves,
    NetworkCurves,
)
from cnnvis.studies.stages import OnProgress, OnStage, Stages
from cnnvis.training import train_perceptron

TRAINED = "batchnorm"
"""The method that is itself trained: the only one with a budget, and too slow to repeat on shuffled weights."""

N_SHUFFLES = 3
"""Networks with shuffled weights of the randomisation check."""

Data = tuple[Tensor, Tensor]


def run(
    studies: Sequence[ImportanceCurves],
    out: str | Path,
    *,
    command: str = "",
    on_stage: OnStage | None = None,
    on_progress: OnProgress | None = None,
) -> CurveResult:
    """Do one or several studies and leave their files, and one report on all, in the folder `out`.

    The files of a single study lie in `out` itself, of several in folders named after their networks:
    ``importance_<method>.csv`` and ``importance_grid.png`` of the first network, ``curves_<setting>.csv`` and
    ``.png``, ``loss_<setting>.png``, ``differences_<setting>.png``, ``classes_<setting>.png`` and ``agreement.png``.
    Of all: ``index.html``.

    Parameters
    ----------
    studies : sequence of ImportanceCurves
    out : path-like
        Made if missing; files of the same names are replaced, each whole or not at all.
    command : str
        Command line that repeats it, for the report.
    on_stage : callable, optional
        Told (name, seconds) of each finished stage.
    on_progress : callable, optional
        Told (name, done, total) while a stage goes on.

    Returns
    -------
    CurveResult

    Raises
    ------
    CnnvisError
        Of the stage that failed; nothing half-written is left.
    """
    stages = Stages(on_stage, on_progress)
    out = Path(out)
    require_writable(out)
    parts = []
    files: dict[Path, str] = {}
    for study in studies:
        name = study.model if isinstance(study.model, str) else "network"
        part = _look(study, out if len(studies) == 1 else out / Path(name).stem, stages)
        with stages("figures and tables"):
            files |= save_part(part)
        parts.append(part)
    seen = CurveResult(tuple(parts), files, stages.seconds, stages.total)
    with stages("report"):
        files |= write_report(seen, out, command=command)
    return replace(seen, files=files, seconds=stages.seconds, total_seconds=stages.total)


def _look(study: ImportanceCurves, folder: Path, stages: Stages) -> CurvePart:
    with stages("networks"):
        networks = _networks(study)
        scoring, testing = labelled_parts(networks[0], study.data)
        testing = _some(testing, study)
    to_score, to_test = scoring.pair, testing.pair
    found = tuple(
        _follow(study, one, to_score, to_test, stages, checkpoint_of(folder, number))
        for number, one in enumerate(networks)
    )
    first = found[0]
    with stages("checks") as progress:
        agreement = compare_importance(first.scores) if len(first.scores) > 1 else None
        randomisation = _randomisation(study, first.network, to_score, progress)
        filters = _filters(study, first, to_test)
    with stages("variants of batch norm") as progress:
        variants = _variants(study, first.network, to_score, to_test, progress)
    return CurvePart(
        study=study,
        testing=testing,
        n_scoring=len(scoring.labels),
        networks=found,
        comparisons={setting: _compare(found, setting) for setting in first.curves},
        agreement=agreement,
        randomisation=randomisation,
        filters=filters,
        variants=variants,
        folder=folder,
    )


def _some(images: LabelledImages, study: ImportanceCurves) -> LabelledImages:
    """Return as many images as asked for, drawn by the seed: those of a folder are sorted by class."""
    if len(images.labels) <= study.n_images:
        return images
    drawn = np.random.default_rng(study.random_state).permutation(len(images.labels))[: study.n_images]
    kept = np.sort(drawn)
    names = tuple(images.names[index] for index in kept)
    return LabelledImages(images.images[kept], images.labels[kept], images.class_names, names)


def _networks(study: ImportanceCurves) -> list[Network]:
    """Return the network asked for; of the perceptron, with its sisters from other training seeds."""
    first = load(study.model, weights=study.weights, device=study.device, random_state=study.random_state)
    if study.model != PERCEPTRON or study.weights is not None:
        return [first]
    return [first, *(train_perceptron(random_state=seed) for seed in range(1, study.n_networks))]


def _follow(
    study: ImportanceCurves, network: Network, scoring: Data, testing: Data, stages: Stages, checkpoint: Path
) -> NetworkCurves:
    """Score the units of a network by every method and prune it by every score."""
    scores = {}
    for method in study.methods:
        with stages(f"importance: {method}") as progress:
            scores[method] = _score(study, network, scoring, method, checkpoint, progress)
    with stages("curves") as progress:
        curves = _curves(study, network, testing, scores, progress)
    with stages("curves by class") as progress:
        by_class = _class_curves(study, network, testing, scores, progress)
    return NetworkCurves(network, scores, curves, by_class)


def _score(
    study: ImportanceCurves, network: Network, data: Data, method: str, checkpoint: Path, progress: Progress
) -> Importance:
    if method != TRAINED:
        return importance(network, data, method, progress=progress)
    layers = channel_spaces(network).names  # classes and pixels are scored where they are named
    options = {"steps": study.steps, "random_state": study.random_state, "checkpoint": checkpoint}
    return importance(network, data, TRAINED, layers=layers, progress=progress, **options)


def _curves(
    study: ImportanceCurves, network: Network, data: Data, scores: dict[str, Importance], progress: Progress
) -> dict[str, Curves]:
    """Return the curves of every method, of its reverse, and of random orders, for every setting."""
    # "weight" by name is |weight| itself; as an Importance, links would be weighed by their start unit once more
    orders = {name: name if name == "weight" else score for name, score in scores.items()}
    asked = {setting: (orders, options) for setting, options in SETTINGS.items()}
    if TRAINED in scores:  # alone scores what goes in and what comes out as well
        asked["all_units"] = ({TRAINED: scores[TRAINED]}, {"include_inputs": True, "include_outputs": True})
    return {
        setting: curves_with_controls(
            network,
            data,
            chosen,
            n_random=study.n_random,
            progress=part_of(progress, number, len(asked)),
            **_options(study),
            **options,
        )
        for number, (setting, (chosen, options)) in enumerate(asked.items())
    }


def _class_curves(
    study: ImportanceCurves, network: Network, data: Data, scores: dict[str, Importance], progress: Progress
) -> dict[str, ClassCurves]:
    method = next((name for name in (TRAINED, *scores) if name in scores and scores[name].per_class), None)
    if method is None:
        return {}
    return {
        setting: class_curves(
            network,
            data,
            scores[method],
            progress=part_of(progress, number, 2),
            **_options(study),
            **SETTINGS[setting],
        )
        for number, setting in enumerate(("units", "links"))
    }


def _options(study: ImportanceCurves) -> dict[str, Any]:
    return {"shares": np.linspace(0, 1, study.n_points), "random_state": study.random_state}


def _compare(networks: Sequence[NetworkCurves], setting: str) -> dict[str, CurveComparison]:
    """Return the differences in area of each method to its controls, paired by network.

    For links, random orders are no opponent: most links do next to nothing. |weight| is.
    """
    names = [name for name in networks[0].curves[setting] if name != "random" and not name.endswith(" reversed")]
    rivals = ["random"] if setting not in ("links", "links_by_layer") else []
    found = {}
    for name in names:
        for rival in [*rivals, f"{name} reversed", *(["weight"] if "weight" in names and name != "weight" else [])]:
            sides = ([network.curves[setting][which] for network in networks] for which in (name, rival))
            shown = "its reverse" if rival.endswith(" reversed") else rival
            found[f"{name} − {shown}"] = compare_curves(*sides)
    return found


def _randomisation(
    study: ImportanceCurves, network: Network, data: Data, progress: Progress
) -> dict[str, RandomisationCheck]:
    methods = [method for method in study.methods if method != TRAINED]
    return {
        method: randomisation_check(
            network,
            data,
            method,
            n_shuffles=N_SHUFFLES,
            random_state=study.random_state,
            progress=part_of(progress, number, len(methods)),
        )
        for number, method in enumerate(methods)
    }


def _filters(study: ImportanceCurves, first: NetworkCurves, data: Data) -> FilterTable:
    method = next(name for name in ("gradient", *first.scores) if name in first.scores)
    layer = study.filter_layer or next(iter(first.scores[method]))
    return filter_table(first.network, data, first.scores[method], layer)


def _variants(
    study: ImportanceCurves, network: Network, scoring: Data, testing: Data, progress: Progress
) -> dict[str, PruneCurve]:
    if not study.variants:
        return {}
    scores = batchnorm_variants(network, scoring, names=study.variants, steps=study.steps, progress=progress)
    return prune_curves(network, testing, scores, kind="links", **_options(study))
