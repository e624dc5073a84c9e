"""A training from its first weights to its last: curves, and the maps of one image epoch by epoch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cnnvis.core.errors import InvalidInputError
from cnnvis.io import require_writable, save
from cnnvis.io.run_manifest import is_run
from cnnvis.models import load
from cnnvis.models.folders import labelled_parts
from cnnvis.rendering import require_rendering
from cnnvis.scene.run_view import frame_label, learned_sample
from cnnvis.studies.run_frames import chosen_layer, order_of, shared_transfer
from cnnvis.studies.stages import OnStage, Stages
from cnnvis.studies.timeline_pictures import draw_figures, draw_films, draw_volumes, interactive_page, scene_of
from cnnvis.studies.timeline_report import write_report
from cnnvis.studies.timeline_results import TimelineResult, TrainingTimeline
from cnnvis.training import StoredRun, first_of_each_class, run_of_checkpoints, shipped_run
from cnnvis.training.shipped import SHIPPED

MEASURED = 1000
"""Images, about, on which loss and accuracy of state dicts are measured."""


def run(study: TrainingTimeline, out: str | Path, *, on_stage: OnStage | None = None) -> TimelineResult:
    """Do the study and leave its files in the folder `out`.

    ``maps.pvd`` with one ``.vti`` per epoch, ``scene.json``, ``epochs.png``, ``training.mp4`` and ``training.gif``,
    ``curves.png`` where something was measured, ``samples.png`` where samples are pictures, ``view3d.html`` and
    ``index.html``; of state dicts, and of the training that comes along, the run itself, in ``run``.

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
    if study.model and not is_run(Path(study.run)):
        return _run_of_state_dicts(study, out)
    return StoredRun(study.run)


def _run_of_state_dicts(study: TrainingTimeline, out: Path) -> StoredRun:
    """Write the run of a training of which only state dicts are left."""
    network = load(study.model, device="cpu")
    images = labelled_parts(network, study.data).testing
    samples = first_of_each_class(images)
    inputs, labels = images.pair
    evenly = slice(None, None, -(-len(images) // MEASURED))
    return run_of_checkpoints(
        network,
        study.run,
        out / "run",
        samples=samples.images,
        labels=samples.labels,
        names=samples.names,
        data=(inputs[evenly], labels[evenly]),
        overwrite=True,
    )


def _look(study: TrainingTimeline, run: StoredRun) -> TimelineResult:
    """Take the maps of one sample from all epochs, in the order and under the range that they all share."""
    epochs = run.epochs
    if not epochs:
        raise InvalidInputError(f"The run {run.folder} has no {run.unit} that can be read. {' '.join(run.problems)}")
    layer = chosen_layer(study.layer, run.facts)
    sample = _sample(study.sample, run)
    maps = [run.recording(epoch)[layer] for epoch in epochs]
    newest = maps[-1].volume(image=sample)  # says what is needed where it has no maps
    ordering = order_of(newest, study.order, random_state=study.random_state)
    volumes = [each.volume(ordering, image=sample) for each in maps]
    labels = [frame_label(checkpoint, run.facts, sample) for checkpoint in run.checkpoints]
    return TimelineResult(
        run=run,
        epochs=epochs,
        curves=(run.curves, run.epoch_curves),
        volumes=dict(zip(labels, volumes, strict=True)),
        ordering=ordering,
        transfer=shared_transfer(volumes),
        sample=sample,
    )


def _sample(wanted: int | None, run: StoredRun) -> int:
    n_samples = len(run.facts.samples)
    if wanted is None:
        return learned_sample(run.predictions)
    if not 0 <= wanted < n_samples:
        raise InvalidInputError(f"The run has samples 0 to {n_samples - 1}, got {wanted}.")
    return wanted
