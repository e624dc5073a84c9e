"""What every channel does over many images, which are alike, which are redundant, and what a smaller network costs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.analysis import (
    anomalies,
    cka,
    communities,
    community_stability,
    group_counts,
    link_weights,
    similarity,
)
from cnnvis.capture import SurveyOptions, survey
from cnnvis.core import LayerSurvey, Survey
from cnnvis.core.progress import Progress, part_of
from cnnvis.io import require_writable
from cnnvis.layout import force_layout
from cnnvis.models import Network, load
from cnnvis.models.folders import labelled_parts
from cnnvis.pruning import find_redundant, merge_channels, merge_curve
from cnnvis.studies.stages import OnProgress, OnStage, Stages
from cnnvis.studies.survey_pictures import save_figures, save_merged
from cnnvis.studies.survey_report import write_report
from cnnvis.studies.survey_results import ChannelSurvey, LayerGroups, Merging, SurveyResult

MOST_DRAWN = 2000
"""Channels of a layer up to which its groups are looked for: the graph has a link for every two."""

N_DRAWS = 10
"""Draws of images for the stability of groups, and shuffled ones beside their number."""

Data = tuple[Tensor, Tensor]


def run(
    study: ChannelSurvey,
    out: str | Path,
    *,
    command: str = "",
    on_stage: OnStage | None = None,
    on_progress: OnProgress | None = None,
) -> SurveyResult:
    """Do the study and leave its files in the folder `out`.

    ``survey.safetensors``, which `cnnvis.load` reads and `cnnvis diagnose` takes; ``channels.csv``; ``grid.png``,
    ``convergence.png``, ``alignment.png``, ``groups_<layer>.png`` and ``counts_<layer>.png``; where something was
    merged ``merging.png``, ``merging.csv`` and the smaller network in ``merged/``; ``index.html``.

    Parameters
    ----------
    study : ChannelSurvey
    out : path-like
        Made if missing; files of the same names are replaced, each whole or not at all. An interrupted survey leaves
        ``survey.checkpoint`` there, and goes on from it.
    command : str
        Command line that repeats it, for the report.
    on_stage : callable, optional
        Told (name, seconds) of each finished stage.
    on_progress : callable, optional
        Told (name, done, total) while a stage goes on.

    Returns
    -------
    SurveyResult

    Raises
    ------
    CnnvisError
        Of the stage that failed; nothing half-written is left.
    """
    stages = Stages(on_stage, on_progress)
    out = Path(out)
    require_writable(out)
    network = load(study.model, weights=study.weights, device=study.device, random_state=study.random_state)
    images, testing = _data(network, study)
    with stages("survey") as progress:
        found = _survey(study, network, images, out, progress)
    with stages("groups") as progress:
        groups = _groups(study, found, progress)
    with stages("redundancy") as progress:
        data = (images, testing)
        merging = _merge(study, network, found, data, progress) if study.merge and testing is not None else None
    result = SurveyResult(
        network=network,
        survey=found,
        groups=groups,
        alignment=_alignment(found),
        anomalies=anomalies(found),
        merging=merging,
        files={},
        seconds=stages.seconds,
        total_seconds=stages.total,
    )
    with stages("figures and tables"):
        files = save_figures(result, out) | save_merged(result, out)
    result = replace(result, files=files, seconds=stages.seconds, total_seconds=stages.total)
    with stages("report"):
        files |= write_report(result, out, command=command)
    return replace(result, files=files, seconds=stages.seconds, total_seconds=stages.total)


def _data(network: Network, study: ChannelSurvey) -> tuple[Any, Data | None]:
    """Return the images to survey, and those to test on; these only where there are classes."""
    if study.data is not None and Path(study.data).is_dir() and _has_files(Path(study.data)):
        return study.data, None
    parts = labelled_parts(network, study.data)
    return parts.importance.pair, parts.testing.pair


def _has_files(folder: Path) -> bool:
    return any(entry.is_file() and not entry.name.startswith(".") for entry in folder.iterdir())


def _survey(study: ChannelSurvey, network: Network, images: Any, out: Path, progress: Progress) -> Survey:
    return survey(
        network,
        images,
        study.layers or None,
        options=SurveyOptions(signal=study.signal, window=study.window),
        workers=study.workers,
        scheduler=study.scheduler,
        checkpoint=out / "survey.checkpoint",
        progress=progress,
    )


def _groups(study: ChannelSurvey, found: Survey, progress: Progress) -> dict[str, LayerGroups]:
    """Return the groups of each layer that has at least two channels, and not too many; none of a single image."""
    if found.n_images < 2:
        return {}
    chosen = {name: layer for name, layer in found.layers.items() if 1 < layer.n_channels <= MOST_DRAWN}
    alike = similarity(found)
    groups = {}
    for number, (name, layer) in enumerate(chosen.items()):
        groups[name] = _groups_of(study, layer, alike[name], part_of(progress, number, len(chosen)))
    return groups


def _groups_of(study: ChannelSurvey, layer: LayerSurvey, alike: NDArray[np.float64], progress: Progress) -> LayerGroups:
    rule: dict[str, Any] = {"algorithm": study.algorithm, "resolution": study.resolution}
    weights = link_weights(alike, exponent=study.exponent)
    labels = communities(alike, exponent=study.exponent, random_state=study.random_state, **rule)
    stability, counts = np.full(int(labels.max()) + 1, np.nan), None
    if len(layer.window) >= 3:
        draws = {"n_draws": N_DRAWS, "random_state": study.random_state, "progress": progress}
        stability = community_stability(layer.window, labels, exponent=study.exponent, **draws, **rule).mean
        counts = group_counts(layer.window, n_draws=3, random_state=study.random_state, progress=progress, **rule)
    places = force_layout(weights, labels, random_state=study.random_state, progress=progress)
    return LayerGroups(alike, weights, labels, places, stability, counts)


def _alignment(found: Survey) -> tuple[tuple[str, ...], NDArray[np.float64]] | None:
    windows = {name: layer.window for name, layer in found.layers.items()}
    if len(windows) < 2 or len(found.window_images) < 4:
        return None
    return cka(windows)


def _merge(
    study: ChannelSurvey, network: Network, found: Survey, data: tuple[Data, Data], progress: Progress
) -> Merging:
    """Merge what is redundant, as far as it costs no more than allowed; the whole curve beside it, on test images."""
    images, testing = data
    correlation = {name: layer.correlation for name, layer in found.layers.items()}
    redundancy = find_redundant(network, images, correlation=correlation, progress=part_of(progress, 0, 4))
    if all(pair.reason for pair in redundancy.pairs):
        return Merging(redundancy, None, {})
    whole = merge_channels(network, redundancy, images, max_drop=None, progress=part_of(progress, 1, 4))
    kept = merge_channels(network, redundancy, images, max_drop=study.max_drop, progress=part_of(progress, 2, 4))
    curves = merge_curve(
        network,
        whole,
        testing,
        random_state=study.random_state,
        recalibrate_on=images if _has_norms(network) else None,
        progress=part_of(progress, 3, 4),
    )
    return Merging(redundancy, kept if kept.merges else None, curves)


def _has_norms(network: Network) -> bool:
    from torch.nn.modules.batchnorm import _BatchNorm

    return any(isinstance(module, _BatchNorm) for module in network.module.modules())
