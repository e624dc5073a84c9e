"""Networks side by side, drawn alike, and how compact their links are: nn_vis's figure, put to the test.

Fixed before any network was measured:

- Compactness is that of `cnnvis.layout.compactness`, over all gaps between layers.
- All networks are drawn alike: units on the raster, which depends on the sizes of layers only; of each gap the same
  number of links, those with the greatest importance (a tenth by default, as in nn_vis's demonstration); the same
  options of bundling.
- The control is the same network with the importances of its units permuted within each layer, profiles and all: links
  are chosen, bundled and measured anew. What a network has in common with it is owed to how unequal its importances and
  weights are, not to which units are important.
- nn_vis's figure says: untrained, trained, trained with L1, in this order more and more compact. It is borne out where
  both steps are above 0 in the mean over training seeds and their 95 % intervals leave 0 out. Anything else is
  reported as it is.

Not fixed beforehand: which options of bundling. Bundling itself was changed after the first measurement, and `BUNDLING`
was chosen with the results of three other settings known. Over five seeds (untrained, trained, trained + L1):

- density alone, before there were hubs: 8.62, 8.33, 7.85; trained + L1 clearly below trained, the reverse of the claim;
- four hubs, as `cnnvis bundle` drew then: 3.64, 3.74, 3.70; not told apart;
- no hubs, smoothing eight times as strong: 1.01, 1.01, 1.01; lines hardly bundled at all, which is why it was given up;
- `BUNDLING`: 1.95, 1.95, 1.96; not told apart; and 1.89, 1.89, 1.89 since the gradients of the density are centred.

None bears the claim out. Whether the kinds differ at all, and which way, depends on how the links are bundled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.analysis import compare_paired
from cnnvis.attribution import connect, importance, permuted, unit_importance
from cnnvis.capture import channel_spaces
from cnnvis.core import BundledNetwork, Compactness, CompactnessRuns, CurveComparison, EdgeSet, Importance
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.progress import Progress, part_of
from cnnvis.io import load as load_file
from cnnvis.io import require_writable, save
from cnnvis.layout import bundle, edge_compactness, place
from cnnvis.models import LabelledImages, Network, labelled_images, load
from cnnvis.models.folders import labelled_parts
from cnnvis.studies.compare_pictures import save_pictures
from cnnvis.studies.compare_report import write_report
from cnnvis.studies.compare_results import (
    MEASURES,
    PERCEPTRONS,
    CompareNetworks,
    CompareResult,
    Kind,
    Measure,
    MeasuredNetwork,
    difference,
)
from cnnvis.studies.stages import OnProgress, OnStage, Stages
from cnnvis.studies.unit_scores import shipped_importance
from cnnvis.training import accuracy, train_perceptron, untrained_perceptron
from cnnvis.training.recipes import L1

TRAINED = "batchnorm"
"""The method that is itself trained, and scores pixels and classes where they are named."""

Data = tuple[Tensor, Tensor]


def run(
    study: CompareNetworks,
    out: str | Path,
    *,
    command: str = "",
    on_stage: OnStage | None = None,
    on_progress: OnProgress | None = None,
) -> CompareResult:
    """Compare networks and leave pictures, tables and a report in the folder `out`.

    ``networks.png`` shows them side by side, ``compactness.png`` what was measured, ``differences.png`` the differences
    between kinds, ``compactness.csv`` all numbers, ``index.html`` the report. Scores are kept in the folder
    ``importance`` and taken from there by the next run, so that one that was interrupted goes on.

    Parameters
    ----------
    study : CompareNetworks
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
    CompareResult

    Raises
    ------
    CnnvisError
        Of the stage that failed; nothing half-written is left.
    """
    stages = Stages(on_stage, on_progress)
    out = Path(out)
    require_writable(out)
    found: dict[str, list[MeasuredNetwork]] = {}
    for seed in range(1 if study.models else study.n_seeds):
        with stages("networks"):
            networks = _networks(study, seed)
        for kind, network in networks.items():
            scores = _scores(study, network, out / "importance" / f"{_slug(kind)}_{seed}.safetensors", stages)
            measured = _measure(study, network, scores, stages)
            found.setdefault(kind, []).append(measured if seed == 0 else replace(measured, drawn=None))
    result = _result(study, found)
    with stages("pictures and tables"):
        files = save_pictures(result, out)
    seen = replace(result, files=files, seconds=stages.seconds, total_seconds=stages.total)
    with stages("report"):
        files |= write_report(seen, out, command=command)
    return replace(seen, files=files, seconds=stages.seconds, total_seconds=stages.total)


def draw(network: Network, scores: Importance, study: CompareNetworks) -> BundledNetwork:
    """Return a network as the study draws all of them: the strongest links of each gap, on the raster, bundled."""
    every = connect(network, scores)
    importance, profiles = unit_importance(every.units, scores, spaces=channel_spaces(network))
    edges = strongest_by_gap(every, study.share)
    layout = place(every)
    lines = bundle(edges, layout, profiles=profiles, importance=importance, options=study.bundling)
    return BundledNetwork(
        edges,
        layout,
        lines,
        importance=importance,
        profiles=profiles,
        class_names=scores.class_names or () if profiles is not None else (),
        parameters={"importance": scores.method, "share_of_each_gap": study.share},
        provenance=network.provenance(),
    )


def strongest_by_gap(edges: EdgeSet, share: float) -> EdgeSet:
    """Return the same share of the links of each gap between layers, but at least two: the most important ones.

    Parameters
    ----------
    edges : EdgeSet
        With units and importance.
    share : float
        Above 0, to 1.
    """
    gap_of_link = _gaps(edges)[1]
    kept = np.zeros(len(edges), dtype=bool)
    for gap in np.unique(gap_of_link):
        members = np.flatnonzero(gap_of_link == gap)
        best = np.argsort(-edges.importance[members], kind="stable")[: max(round(share * members.size), 2)]
        kept[members[best]] = True
    return edges.take(kept)


def _gaps(edges: EdgeSet) -> tuple[tuple[int, ...], NDArray[np.int64]]:
    """Return how many links each gap between two layers has, and the gap of each link, (E,)."""
    ends = edges.units.layer_of(np.stack([edges.source, edges.target], axis=1))
    _, gap_of_link, counts = np.unique(ends, axis=0, return_inverse=True, return_counts=True)
    return tuple(counts.tolist()), gap_of_link.ravel()


def _networks(study: CompareNetworks, seed: int) -> dict[str, Network]:
    """Return the networks of one training seed by kind."""
    if study.models:
        networks = [load(model, device=study.device, random_state=study.random_state) for model in study.models]
        by_name = {network.name: network for network in networks}
        if len(by_name) < len(networks):
            raise InvalidInputError(f"Networks to compare need a name each, got {[one.name for one in networks]}.")
        _require_alike(by_name)
        return by_name
    if seed == 0:
        return {kind: load(name, device=study.device) for kind, name in PERCEPTRONS.items()}
    trained = (untrained_perceptron(random_state=seed), *(train_perceptron(random_state=seed, l1=l1) for l1 in (0, L1)))
    return dict(zip(PERCEPTRONS, trained, strict=True))


def _require_alike(networks: Mapping[str, Network]) -> None:
    counts = {name: _gaps(connect(network))[0] for name, network in networks.items()}
    if len(set(counts.values())) > 1:
        found = "; ".join(f"{name}: {', '.join(map(str, numbers))}" for name, numbers in counts.items())
        raise InvalidInputError(
            f"Networks are compared at the same number of links between layers; these have {found}. Compare networks "
            "of the same layers."
        )


def _scores(study: CompareNetworks, network: Network, path: Path, stages: Stages) -> Importance:
    """Return the scores of a network: those that come with cnnvis, those kept in `path`, or new ones, kept there."""
    facts: dict[str, Any] = {"model_sha256": network.sha256}
    if study.method == TRAINED:
        facts |= {"steps": study.steps, "random_state": study.random_state}
    if study.data is None and _fits(shipped := shipped_importance(network), study, facts):
        return shipped
    facts["data"] = str(study.data)
    if path.exists() and _fits(kept := load_file(path), study, facts):
        return kept
    with stages(f"importance: {study.method}") as progress:
        images = labelled_parts(network, study.data).importance
        scores = _score(study, network, images.pair, progress)
        scores = replace(scores, options={**scores.options, **facts})
        save(scores, path)
    return scores


def _fits(scores: Importance | None, study: CompareNetworks, facts: Mapping[str, Any]) -> bool:
    return (
        scores is not None
        and scores.method == study.method
        and all(scores.options.get(name) == value for name, value in facts.items())
    )


def _score(study: CompareNetworks, network: Network, data: Data, progress: Progress) -> Importance:
    if study.method != TRAINED:
        return importance(network, data, study.method, progress=progress)
    options = {"steps": study.steps, "random_state": study.random_state}
    return importance(network, data, TRAINED, layers=channel_spaces(network).names, progress=progress, **options)


def _measure(study: CompareNetworks, network: Network, scores: Importance, stages: Stages) -> MeasuredNetwork:
    with stages("bundling and measuring") as progress:
        n = 1 + study.n_controls
        drawn, compactness = _compactness(study, network, scores, part_of(progress, 0, n))
        controls = tuple(
            _compactness(study, network, permuted(scores, random_state=seed), part_of(progress, 1 + seed, n))[1]
            for seed in range(study.random_state, study.random_state + study.n_controls)
        )
    with stages("accuracy"):
        test = _accuracy(network, labelled_parts(network, study.data).testing)
        # what trained other networks is not known
        train = None if study.models else _accuracy(network, labelled_images("mnist", "train"))
    return MeasuredNetwork(
        name=network.name,
        weights=network.weights,
        compactness=compactness,
        controls=controls,
        test_accuracy=test,
        train_accuracy=train,
        n_without=int(np.count_nonzero(drawn.edges.importance == 0)),
        drawn=drawn,
    )


def _compactness(
    study: CompareNetworks, network: Network, scores: Importance, progress: Progress
) -> tuple[BundledNetwork, Compactness]:
    drawn = draw(network, scores, study)
    found = edge_compactness(drawn.lines, width=drawn.layout.width)
    progress(1, 1)
    return drawn, found


def _accuracy(network: Network, images: LabelledImages) -> float:
    return accuracy(network.module, (images.images.to(network.device, network.dtype), images.labels.to(network.device)))


def _result(study: CompareNetworks, found: Mapping[str, list[MeasuredNetwork]]) -> CompareResult:
    kinds = tuple(Kind(name, tuple(networks)) for name, networks in found.items())
    edges = kinds[0].networks[0].drawn.edges
    return CompareResult(
        study=study,
        kinds=kinds,
        comparisons=compare_kinds(kinds, with_controls=study.n_controls > 0),
        n_links=_gaps(edges)[0],
        n_total=edges.n_total or len(edges),
    )


def compare_kinds(kinds: tuple[Kind, ...], *, with_controls: bool) -> dict[str, dict[str, CurveComparison]]:
    """Return the paired differences of every two kinds, the later less the earlier, and of each less its control.

    By the title of the measure, then by what is compared.
    """
    return {
        measure.title: _compare([kind.runs(measure) for kind in kinds], measure, with_controls) for measure in MEASURES
    }


def _compare(runs: list[CompactnessRuns], measure: Measure, with_controls: bool) -> dict[str, CurveComparison]:
    sides = [(after.kind, before.kind, after.values, before.values) for before, after in combinations(runs, 2)]
    if with_controls:
        sides += [(one.kind, "permuted", one.values, one.control) for one in runs]
    return {
        difference(first, second): compare_paired(*values, measure=measure.title, names=(first, second))
        for first, second, *values in sides
    }


def _slug(name: str) -> str:
    """Return a name as part of a file's name."""
    return "".join(letter if letter.isalnum() else "-" for letter in name)
