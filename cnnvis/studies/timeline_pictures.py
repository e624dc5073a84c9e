"""Pictures, films and the interactive page of the study of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cnnvis.core import Volume
from cnnvis.core.ordering import method_title
from cnnvis.core.pictures import as_picture
from cnnvis.core.provenance import Provenance
from cnnvis.io import save_bytes
from cnnvis.rendering import export_html, film, render
from cnnvis.report import picture_rows, to_png, training_chart
from cnnvis.scene import Scene, SceneGrid
from cnnvis.studies.timeline_results import TimelineResult, TrainingTimeline

SIDE_BY_SIDE = 4
"""Epochs in the picture of the volumes."""

COLUMNS = 5
"""Samples in a row."""


def scene_of(result: TimelineResult) -> Scene:
    """Return the maps of all epochs as a scene with a frame for each, under one range, in one order."""
    labels, volumes = tuple(result.volumes), tuple(result.volumes.values())
    scene = Scene.of_series(result.run.unit, labels, volumes, transfer=result.transfer)
    scene.title = f"{result.subject}, {method_title(result.ordering.method)} order"
    return scene


def draw_volumes(result: TimelineResult, study: TrainingTimeline, out: Path) -> dict[Path, str]:
    """Render some epochs side by side: the first, the last, and what lies between, denser at the beginning."""
    labels = list(result.volumes)
    scenes = []
    for at in chosen_epochs(len(labels)):
        scene = Scene.of(result.volumes[labels[at]], transfer=result.transfer)
        scene.title = f"{result.run.unit} {labels[at]}"
        scenes.append(scene)
    grid = SceneGrid(scenes, columns=min(2, len(scenes)))
    grid.size = (round(1.6 * study.size[0]), round(0.8 * study.size[1] * -(-len(scenes) // 2)))
    path = out / "epochs.png"
    render(grid, path)
    return {path: f"{result.layer}: some {result.run.unit}s side by side"}


def chosen_epochs(n: int) -> tuple[int, ...]:
    """Return at most `SIDE_BY_SIDE` of 0 .. n-1, spread as a cubic: a training changes most at its beginning."""
    places = (n - 1) * np.linspace(0, 1, SIDE_BY_SIDE) ** 3
    return tuple(dict.fromkeys(np.ceil(places).astype(int).tolist()))


def draw_films(result: TimelineResult, study: TrainingTimeline, out: Path) -> dict[Path, str]:
    """Play the epochs one after the other, as a film and as a moving picture."""
    scene = scene_of(replace(result, volumes=blended(result.volumes, result.epochs, study.smooth)))
    content = f"{result.layer}: all {result.run.unit}s one after the other"
    if study.smooth > 1:
        content += "; the values between two of them are blended"
    return {
        film(scene, out / f"training{suffix}", over="series", fps=study.fps * study.smooth, size=study.size): content
        for suffix in (".mp4", ".gif")
    }


def blended(volumes: Mapping[str, Volume], epochs: Sequence[int], pictures: int) -> dict[str, Volume]:
    """Return each volume, and behind it `pictures` - 1 that lead over to the next: linear blends of the values of both.

    Their labels say so; nothing of the training is known between two epochs.
    """
    names = list(volumes)
    found = {}
    for at, (name, volume) in enumerate(volumes.items()):
        found[name] = volume
        for step in range(1, pictures if at + 1 < len(names) else 1):
            share, after = step / pictures, volumes[names[at + 1]]
            values = ((1 - share) * volume.values + share * after.values).astype(volume.values.dtype)
            found[f"{epochs[at]} to {epochs[at + 1]} · values blended, {share:.0%}"] = replace(volume, values=values)
    return found


def draw_figures(result: TimelineResult, out: Path) -> dict[Path, str]:
    """Draw loss and accuracy where something was measured, and the samples where they are pictures."""
    files = {}
    steps, epochs = result.curves
    provenance = Provenance(model=result.run.facts.name)
    if any(np.isfinite(values).any() for curve in (steps, epochs) for values in (curve.loss, curve.accuracy)):
        path = out / "curves.png"
        save_bytes(to_png(training_chart(steps, epochs, provenance=provenance)), path)
        files[path] = "loss and accuracy over the training"
    pictures = [as_picture(sample) for sample in result.run.samples]
    if all(picture is not None for picture in pictures):
        captions = [_caption(result, index) for index in range(len(pictures))]
        figure = picture_rows(pictures, captions, title="The samples", columns=COLUMNS, provenance=provenance)
        path = out / "samples.png"
        save_bytes(to_png(figure), path)
        files[path] = "the samples, and what the network took them for at first and at last"
    return files


def _caption(result: TimelineResult, index: int) -> tuple[str, ...]:
    facts, found = result.run.facts, result.run.predictions
    name = facts.subject(index)
    if found is None:
        return (name,)
    ends = {"at first": 0, "at last": -1}
    return name, *(f"{when}: {result.class_name(found.predicted[at, index])}" for when, at in ends.items())


def interactive_page(result: TimelineResult, out: Path) -> dict[Path, str]:
    """Write all epochs as one page that turns in a browser."""
    return {export_html(scene_of(result), out / "view3d.html"): f"interactive 3-D view of all {result.run.unit}s"}
