"""A training from its first weights to its last: curves, and the maps of one image epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cnnvis.analysis import order
from cnnvis.core import FeatureMaps, Volume
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, did_you_mean
from cnnvis.io import require_writable, save
from cnnvis.rendering import require_rendering
from cnnvis.scene import TransferFunction
from cnnvis.studies.gradient_pictures import percent
from cnnvis.studies.stages import OnStage, Stages
from cnnvis.studies.timeline_pictures import draw_figures, draw_films, draw_volumes, interactive_page, scene_of
from cnnvis.studies.timeline_report import write_report
from cnnvis.studies.timeline_results import TimelineResult, TrainingTimeline
from cnnvis.training import StoredRun, shipped_run
from cnnvis.training.shipped import SHIPPED


def run(study: TrainingTimeline, out: str | Path, *, on_stage: OnStage | None = None) -> TimelineResult:
    """Do the study and leave its files in the folder `out`.

    ``maps.pvd`` with one ``.vti`` per epoch, ``scene.json``, ``epochs.png``, ``training.mp4`` and ``training.gif``,
    ``curves.png`` where something was measured, ``samples.png`` where samples are pictures, ``view3d.html`` and
    ``index.html``; for the training that comes along the run itself, in ``run``.

    Parameters
    ----------
    study : TrainingTimeline
    out : path-like
        Made if missing; files of the same names are replaced, each whole or not at all.
    on_stage : callable, optional
        Told (name, seconds) of each finished stage.

    Returns
    -------
    TimelineResult

    Raises
    ------
    CnnvisError
        Of the stage that failed; nothing half-written is left.
    """
    stages = Stages(on_stage)
    out = Path(out)
    with stages("check"):  # before the work, not after it
        require_rendering()
        require_writable(out)
    with stages("open the run"):
        result = _look(study, _opened(study, out))
    with stages("save volumes"):
        files = {
            save(dict(result.volumes), out / "maps.pvd"): f"{result.layer}: maps of each epoch, a series for ParaView",
            save(scene_of(result), out / "scene.json"): f"{result.layer}: all epochs, for `cnnvis view`",
        }
    with stages("figures"):
        files |= draw_figures(result, out)
    with stages("draw volumes"):
        files |= draw_volumes(result, study, out)
    with stages("films"):
        files |= draw_films(result, study, out)
    with stages("interactive page"):
        files |= interactive_page(result, out)
    with stages("report"):
        seen = replace(result, files=files, seconds=stages.seconds, total_seconds=stages.total)
        files |= write_report(seen, study, out)
    return replace(result, files=files, seconds=stages.seconds, total_seconds=stages.total)


def _opened(study: TrainingTimeline, out: Path) -> StoredRun:
    if str(study.run) == SHIPPED and not Path(study.run).exists():
        return shipped_run(out / "run", overwrite=True)
    return StoredRun(study.run)


def _look(study: TrainingTimeline, run: StoredRun) -> TimelineResult:
    """Take the maps of one sample from all epochs, in the order and under the range that they all share."""
    epochs = run.epochs
    if not epochs:
        raise InvalidInputError(f"The run {run.folder} has no {run.unit} that can be read. {' '.join(run.problems)}")
    layer = _layer(study.layer, run)
    sample = _sample(study.sample, run)
    maps = [run.recording(epoch)[layer] for epoch in epochs]
    maps[-1].stack(sample)  # says what is needed where it has no maps
    ordering = order(_of_sample(maps[-1], sample), study.order, random_state=study.random_state, normalize="zscore")
    volumes = [each.volume(ordering, image=sample) for each in maps]
    transfer = TransferFunction.preset("linear", values=_values(volumes)).with_span(_values(volumes))
    result = TimelineResult(run, epochs, (run.curves, run.epoch_curves), {}, ordering, transfer, sample)
    return replace(result, volumes=dict(zip(_labels(result), volumes, strict=True)))


def _of_sample(maps: FeatureMaps, sample: int) -> FeatureMaps:
    return replace(maps, activations=maps.activations[sample : sample + 1])


def _values(volumes: Sequence[Volume]) -> np.ndarray:
    return np.stack([volume.values for volume in volumes])


def _layer(name: str, run: StoredRun) -> str:
    """Return the layer that is asked for, else the second with maps, or the only one."""
    graph, kept = run.facts.graph, run.facts.layers
    if name:
        if name not in kept:
            raise LayerNotFoundError(f"The run kept no layer {name!r}. {did_you_mean(name, kept, what='kept layers')}")
        return name
    mapped = [layer for layer in kept if graph is not None and layer in graph and graph[layer].has_maps]
    if not mapped:
        raise InvalidInputError(
            f"None of the layers that the run kept ({', '.join(kept)}) has maps (channel, row, column). Tell the "
            "Watcher which to keep: layers=."
        )
    return mapped[:2][-1]


def _sample(wanted: int | None, run: StoredRun) -> int:
    n_samples = len(run.facts.samples)
    if wanted is not None:
        if not 0 <= wanted < n_samples:
            raise InvalidInputError(f"The run has samples 0 to {n_samples - 1}, got {wanted}.")
        return wanted
    found = run.predictions
    if found is None or found.right is None:
        return 0
    return int(np.argmax(found.right[-1] & ~found.right[0]))


def _labels(result: TimelineResult) -> list[str]:
    """Return what is said of each epoch: its number, and what the network took the sample for."""
    said = {}
    for checkpoint in result.run.checkpoints:
        if checkpoint.predicted:
            name = result.class_name(checkpoint.predicted[result.sample])
            said[checkpoint.number] = f" · taken for {name}, {percent(checkpoint.probability[result.sample])}"
    return [f"{epoch}{said.get(epoch, '')}" for epoch in result.epochs]
