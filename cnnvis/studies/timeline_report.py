"""The report of the study of a training: one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cnnvis.core import RunState
from cnnvis.report import Page
from cnnvis.studies.page_end import machine_facts, write_page
from cnnvis.studies.timeline_results import TimelineResult, TrainingTimeline

STATES = {
    RunState.TRAINING: "The training goes on: this is how far it was.",
    RunState.FAILED: "The training ended by an error: {error}",
    RunState.STOPPED: "The training was not watched to its end: {error}",
    RunState.CRASHED: "The training ended without a word: it may have been killed.",
}

READING = (
    "Channels stand in the order of the last {unit} in every {unit}, and all share one range of colours, so that what "
    "changes in the pictures has changed in the network."
)


def write_report(result: TimelineResult, study: TrainingTimeline, out: Path) -> dict[Path, str]:
    """Write index.html, which carries all pictures, the film and the interactive view inside."""
    run = result.run
    page = Page(
        f"The training of {run.facts.name}", f"What {result.layer} made of one image, {run.unit} by {run.unit}."
    )
    state = run.state
    if state in STATES:
        page.warning(STATES[state].format(error=run.error))
    for problem in run.problems:
        page.warning(problem)
    page.section("The training")
    page.text(" ".join(_findings(result)))
    if out / "curves.png" in result.files:
        page.figure(
            out / "curves.png", "Loss and accuracy over the training.", alt="Charts of loss and accuracy against epochs"
        )
    page.table(*_table(result))
    _samples(page, result, out)
    _maps(page, result, out)
    facts = {**_facts(result, study), **machine_facts()}
    return write_page(page, result, out, command=study.command, facts=facts)


def _findings(result: TimelineResult) -> Iterator[str]:
    """Yield what is seen, in sentences made from its numbers."""
    run, unit, epochs = result.run, result.run.unit, result.curves[1]
    yield f"Kept are {len(result.epochs)} points, {unit} {result.epochs[0]} to {result.epochs[-1]}."
    known = np.flatnonzero(np.isfinite(epochs.accuracy))
    if known.size:
        best = known[np.argmax(epochs.accuracy[known])]
        yield (
            f"Accuracy went from {epochs.accuracy[known[0]]:.1%} (epoch {epochs.epochs[known[0]]}) to "
            f"{epochs.accuracy[known[-1]]:.1%}; best was epoch {epochs.epochs[best]}, {epochs.accuracy[best]:.1%}."
        )
    found = run.predictions
    if found is not None and found.right is not None:
        right = found.right.sum(axis=1)
        yield f"Of the {found.right.shape[1]} samples {right[0]} were right at first, {right[-1]} at last."
    far = np.flatnonzero(~(result.change <= 0.5))
    if far.size and far[-1] + 2 < len(result.epochs):
        settled = result.epochs[far[-1] + 1]
        yield f"From {unit} {settled} on its maps of {result.layer} differ from the last by less than half their norm."


def _table(result: TimelineResult) -> tuple[tuple[str, ...], list[tuple[str | float | None, ...]], str]:
    """Return a row per kept point: what was measured, and what the sample was taken for."""
    curve = result.curves[1]
    measured = dict(zip(curve.epochs.tolist(), zip(curve.loss, curve.accuracy, strict=True), strict=True))
    by_epoch = result.run.unit == "epoch"
    checkpoints = {checkpoint.number: checkpoint for checkpoint in result.run.checkpoints}
    rows: list[tuple[str | float | None, ...]] = []
    for epoch, change in zip(result.epochs, result.change, strict=True):
        checkpoint = checkpoints[epoch]
        loss, share = measured.get(epoch, (np.nan, np.nan)) if by_epoch else (np.nan, np.nan)
        said = result.class_name(checkpoint.predicted[result.sample]) if checkpoint.predicted else None
        truth = f"{checkpoint.truth[result.sample]:.1%}" if checkpoint.truth else None
        accuracy = f"{share:.1%}" if np.isfinite(share) else None
        rows.append((str(epoch), float(loss) if np.isfinite(loss) else None, accuracy, said, truth, float(change)))
    of_truth = f"probability of {result.truth}" if result.truth else "probability of the truth"
    columns = (result.run.unit, "loss", "accuracy", "taken for", of_truth, "distance of the maps")
    known = [at for at in range(len(columns)) if any(row[at] is not None for row in rows)]
    caption = (
        "Every kept point: loss and accuracy as measured, what the sample was taken for, and how far its maps are from "
        "the last ones, as a share of their norm."
    )
    return tuple(columns[at] for at in known), [tuple(row[at] for at in known) for row in rows], caption


def _samples(page: Page, result: TimelineResult, out: Path) -> None:
    if out / "samples.png" in result.files:
        page.section("The samples")
        page.figure(
            out / "samples.png",
            f"The samples: what each is, and what it was taken for at the first and the last {result.run.unit}.",
            alt="The samples with their classes",
        )


def _maps(page: Page, result: TimelineResult, out: Path) -> None:
    unit = result.run.unit
    page.section(f"What {result.layer} learned")
    page.text(READING.format(unit=unit))
    page.video(out / "training.mp4", f"{result.files[out / 'training.mp4']}. Above, what it is taken for.")
    page.figure(
        out / "epochs.png",
        f"{result.layer}: some {unit}s side by side.",
        alt=f"Volumes of {result.layer} at some {unit}s of the training",
    )
    page.view3d(
        (out / "view3d.html").read_text(encoding="utf-8"),
        f"Drag to turn, wheel to zoom; the slider goes from {unit} to {unit}.",
        poster=out / "epochs.png",
    )


def _facts(result: TimelineResult, study: TrainingTimeline) -> dict[str, str]:
    facts = result.run.facts
    steps, epochs = result.curves
    return {
        "network": facts.name,
        "run": str(study.run),
        "measured": f"{len(steps)} steps, {len(epochs)} epochs",
        "layers kept": ", ".join(facts.layers),
        "sample": f"{result.sample}, {facts.samples[result.sample]}",
        "order": f"{result.ordering.method} of the last {result.run.unit}",
        "seed": str(study.random_state),
    }
