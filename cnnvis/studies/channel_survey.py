"""What every channel does over many images, which are alike, which are redundant, and what a smaller network costs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.analysis import anomalies, cka, community_stability, group_counts, recent_survey
from cnnvis.analysis.group_checks import EXPONENTS
from cnnvis.analysis.grouping import grouped, likeness, linked
from cnnvis.capture import SurveyOptions, survey
from cnnvis.core import Grouping, LayerSurvey, Survey
from cnnvis.core.errors import CancelledError, InvalidInputError
from cnnvis.core.progress import Progress, part_of
from cnnvis.core.survey import MOST_GROUPED
from cnnvis.io import require_writable, save
from cnnvis.layout import force_layout
from cnnvis.models import Network, load
from cnnvis.models._reason import first_sentence
from cnnvis.pruning import find_redundant, merge_channels, merge_curve, merged_until
from cnnvis.studies.image_stream import ImageStream
from cnnvis.studies.stages import OnProgress, OnStage, Stages
from cnnvis.studies.survey_graph import save_graphs
from cnnvis.studies.survey_images import SurveyImages, survey_images
from cnnvis.studies.survey_pictures import save_curves, save_figures, save_smaller, save_views
from cnnvis.studies.survey_report import write_report
from cnnvis.studies.survey_results import ChannelSurvey, LayerGroups, Merging, SurveyResult

logger = logging.getLogger(__name__)

N_DRAWS = 10
"""Draws of images for the stability of groups, and shuffled ones beside their number."""

LEAST_DRAWN = 20
"""Images from which draws of them say something."""

CORRELATION_ABOVE, EXPLAINED = 0.3, 0.2
"""How alike two channels must be that one goes: little, since by the rule "joint" all that stay take its part over.

Accuracy says when to stop. Channels that are redundant in the strict sense are counted in the report.
"""

OPTIONAL_FILES = ("merg*.*", "merged/*", "groups_*.png", "counts_*.png", "graph*.*", "convergence.png", "alignment.png")
"""Files that a study leaves or not, by what it finds."""

N_STEPS = 8
"""Steps of merging."""


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
    ``convergence.png``, ``alignment.png``, ``groups_<layer>.png`` and ``counts_<layer>.png``; ``views.html``, linked;
    ``graph.png``, and ``graphs.html`` to be turned by hand; where something was merged ``merging.png``,
    ``merging.csv`` and the smaller network in ``merged/``; ``index.html``.

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
    images = survey_images(network, study.data, merge=study.merge)
    with stages("survey") as progress:
        whole = _survey(study, network, images.surveyed, out, progress)
        found = replace(recent_survey(whole) if study.recent else whole, grouping=study.grouping)
        kept = save(found, out / "survey.safetensors")  # whatever fails behind it
    with stages("groups") as progress:
        groups = _groups(found, progress)
    with stages("redundancy") as progress:
        merging, problem = _merged_or_why_not(study, network, found, images, progress)
    result = SurveyResult(
        network=network,
        survey=found,
        groups=groups,
        alignment=_alignment(found),
        anomalies=anomalies(found),
        merging=merging,
        n_surveyed=whole.n_images,
        problem=problem,
        left_over=(),
        files={},
        seconds=stages.seconds,
        total_seconds=stages.total,
    )
    with stages("figures and tables"):
        stream = ImageStream(found, network, images.testing)
        files = {kept: "the survey, for cnnvis.load and cnnvis diagnose"} | save_figures(result, out)
        files |= save_views(result, stream, out) | save_graphs(result, out) | save_curves(result, out)
        try:
            files |= save_smaller(result, out)
        except InvalidInputError as error:
            result = replace(result, problem=f"The smaller network was not written. {first_sentence(error)}.")
    result = replace(result, left_over=_left_over(out, files), files=files)
    result = replace(result, seconds=stages.seconds, total_seconds=stages.total)
    with stages("report"):
        files |= write_report(result, out, command=command)
    return replace(result, files=files, seconds=stages.seconds, total_seconds=stages.total)


def _left_over(out: Path, files: Mapping[Path, str]) -> tuple[str, ...]:
    """Return which files in a folder are of an earlier run of such a study: those that this one can write, and did not.

    They are left: a network that somebody made is not deleted, because another was surveyed.
    """
    there = sorted({file for pattern in OPTIONAL_FILES for file in out.glob(pattern)} - set(files))
    return tuple(file.relative_to(out).as_posix() for file in there)


def _survey(study: ChannelSurvey, network: Network, images: Any, out: Path, progress: Progress) -> Survey:
    checkpoint = out / "survey.checkpoint"
    try:
        found = survey(
            network,
            images,
            study.layers or None,
            options=SurveyOptions(signal=study.signal, window=study.window, space=study.alike == "maps"),
            workers=study.workers,
            scheduler=study.scheduler,
            checkpoint=checkpoint,
            progress=progress,
        )
    except (KeyboardInterrupt, CancelledError):
        if checkpoint.exists():
            logger.info("%s holds what was surveyed so far; run it again to go on.", checkpoint)
        raise
    return found


def _groups(found: Survey, progress: Progress) -> dict[str, LayerGroups]:
    """Return the groups of each layer that has at least two channels, and not too many; none of a single image."""
    if found.n_images < 2:
        return {}
    chosen = {name: layer for name, layer in found.layers.items() if 1 < layer.n_channels <= MOST_GROUPED}
    return {
        name: _groups_of(layer, found.grouping, part_of(progress, number, len(chosen)))
        for number, (name, layer) in enumerate(chosen.items())
    }


def _groups_of(layer: LayerSurvey, rule: Grouping, progress: Progress) -> LayerGroups:
    alike = likeness(layer, rule)
    weights, labels = linked(alike, rule), grouped(alike, rule)
    stability, counts = None, None
    if len(layer.window) >= LEAST_DRAWN and rule.alike == "averages":
        draws: dict[str, Any] = {"random_state": rule.random_state, "progress": progress}
        draws |= {"weights": rule.weights, "algorithm": rule.algorithm, "resolution": rule.resolution}
        drawn = community_stability(layer.window, labels, exponent=rule.power, n_draws=N_DRAWS, **draws)
        exponents = sorted({*EXPONENTS, rule.power})
        stability = drawn.mean
        counts = group_counts(layer.window, exponents=exponents, n_draws=3, **draws)
    places = force_layout(weights, labels, random_state=rule.random_state, progress=progress)
    return LayerGroups(alike, weights, labels, places, stability, counts)


def _alignment(found: Survey) -> tuple[tuple[str, ...], NDArray[np.float64]] | None:
    windows = {name: layer.window for name, layer in found.layers.items()}
    if len(windows) < 2 or len(found.window_images) < 4:
        return None
    return cka(windows)


def _merged_or_why_not(
    study: ChannelSurvey, network: Network, found: Survey, given: SurveyImages, progress: Progress
) -> tuple[Merging | None, str]:
    """Return what merging gave, and "", or the reason why there is nothing: the survey is worth having without it."""
    try:
        return _merge(study, network, found, given, progress), ""
    except CancelledError:
        raise
    except InvalidInputError as error:
        logger.warning("Nothing was merged: %s", error)
        return None, f"Nothing was merged. {error}"


def _merge(
    study: ChannelSurvey, network: Network, found: Survey, given: SurveyImages, progress: Progress
) -> Merging | None:
    """Merge what is redundant, as far as it costs no more than allowed; the whole curve beside it, on test images."""
    if given.choosing is None or given.testing is None:
        return None
    images, testing = given.choosing.pair, given.testing.pair
    correlation = {name: layer.correlation for name, layer in found.layers.items()}
    limits = {"correlation_above": CORRELATION_ABOVE, "explained": EXPLAINED}
    redundancy = find_redundant(network, images, correlation=correlation, progress=part_of(progress, 0, 3), **limits)
    if all(pair.reason for pair in redundancy.pairs):
        return Merging(redundancy, None, {})
    steps = {"max_drop": None, "n_steps": N_STEPS}
    whole = merge_channels(network, redundancy, images, progress=part_of(progress, 1, 3), **steps)
    kept = merged_until(network, whole, max_drop=study.max_drop)
    curves = merge_curve(
        network,
        whole,
        testing,
        random_state=study.random_state,
        recalibrate_on=images if _has_norms(network) else None,
        progress=part_of(progress, 2, 3),
    )
    return Merging(redundancy, kept if kept.merges else None, curves)


def _has_norms(network: Network) -> bool:
    from torch.nn.modules.batchnorm import _BatchNorm

    return any(isinstance(module, _BatchNorm) for module in network.module.modules())
