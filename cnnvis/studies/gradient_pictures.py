"""Pictures, films and the interactive page of the study of gradients by class."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cnnvis.core import Volume
from cnnvis.core.classes import percent
from cnnvis.io import save_bytes
from cnnvis.rendering import export_html, film, render
from cnnvis.report import gradient_tiles, importance_grid, picture_rows, to_png
from cnnvis.scene import Scene, SceneGrid, TransferFunction
from cnnvis.studies.gradient_results import Case, LayerGradients, Part

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 3
"""Pictures in a row: the three classes, or the three class neurons of a photo."""

FILM_FPS = 1
"""A frame is looked at for a second."""


def draw_volumes(part: Part) -> dict[Path, str]:
    """Render the cases side by side, and their differences, each under one range."""
    files = {}
    for layer in part.layers:
        path = part.folder_of(layer) / "volumes.png"
        render(grid_of(part, layer), path)
        files[path] = f"{layer.layer}: gradients of all cases side by side"
        if layer.differences:
            path = part.folder_of(layer) / "differences.png"
            render(_grid(part, layer.differences, layer.difference_transfer), path)
            files[path] = f"{layer.layer}: differences to the reference side by side"
    return files


def grid_of(part: Part, layer: LayerGradients) -> SceneGrid:
    """Return the cases of a layer side by side, under one colour range."""
    return _grid(part, layer.volumes, layer.transfer)


def _grid(part: Part, volumes: Mapping[str, Volume], transfer: TransferFunction) -> SceneGrid:
    scenes = []
    for label, volume in volumes.items():
        scene = Scene.of(volume, transfer=transfer)
        scene.title = label
        scenes.append(scene)
    columns = min(COLUMNS, len(scenes))
    grid = SceneGrid(scenes, columns=columns)
    # Nearly as wide as the page shows it, so that texts stay legible; in an upright pane the scalar bar lies below the
    # stack, which is long and flat.
    width = round(0.9 * part.study.size[0])
    grid.size = (width, round(0.9 * width / columns) * math.ceil(len(scenes) / columns))
    return grid


def draw_figures(part: Part) -> dict[Path, str]:
    """Draw the images of the cases, and every gradient as tiles."""
    files = {part.folder / "cases.png": "the images of the cases and what the network says"}
    save_bytes(to_png(_cases_figure(part)), part.folder / "cases.png")
    for layer in part.layers:
        drawn = {"tiles": layer.volumes, "difference_tiles": layer.differences, "mean_tiles": layer.means}
        contents = ("gradients of all cases", "differences to the reference", "mean gradients over many images")
        for (name, volumes), content in zip(drawn.items(), contents, strict=True):
            if volumes:
                path = part.folder_of(layer) / f"{name}.png"
                save_bytes(to_png(_tiles(part, volumes)), path)
                files[path] = f"{layer.layer}: {content}, filter by filter"
        if part.importance is not None:
            path = part.folder_of(layer) / "importance.png"
            provenance = replace(part.recording.provenance, inputs=())
            grid = importance_grid(part.importance, layer.layer, title=_importance_title(part), provenance=provenance)
            save_bytes(to_png(grid), path)
            files[path] = f"{layer.layer}: importance of the filters by the norm of their gradients"
    return files


def _importance_title(part: Part) -> str:
    name, (images, _) = next(iter(part.chosen.by_class.items()))
    return f"Importance by gradient for {name}: mean over {len(images)} images"


def _tiles(part: Part, volumes: Mapping[str, Volume]) -> Figure:
    """Return gradients filter by filter, beside the image of the case where they are of one."""
    images = {case.label: case.picture for case in part.cases if case.label in volumes}
    provenance = part.recording.provenance if images else replace(part.recording.provenance, inputs=())
    return gradient_tiles(volumes, images=images, provenance=provenance)


def _cases_figure(part: Part) -> Figure:
    cases = part.cases
    return picture_rows(
        [case.picture for case in cases],
        [_caption(case) for case in cases],
        title="The cases",
        columns=COLUMNS,
        provenance=part.recording.provenance,
    )


def _caption(case: Case) -> tuple[str, ...]:
    likeliest = f"likeliest: {case.predicted.name}, {percent(case.predicted.probability)}"
    return case.label, case.image, likeliest, f"neuron: {case.target.name}, {percent(case.target.probability)}"


def draw_films(part: Part) -> dict[Path, str]:
    """Play the cases of each layer one after the other, and the differences."""
    files = {}
    for layer in part.layers:
        for name, content, scene in _series(layer):
            path = film(scene, part.folder_of(layer) / f"{name}.mp4", over="series", fps=FILM_FPS, size=part.study.size)
            files[path] = f"{layer.layer}: {content}, one after the other"
    return files


def _series(layer: LayerGradients) -> Iterator[tuple[str, str, Scene]]:
    volumes = layer.volumes
    yield "gradients", "gradients", series_of(volumes, layer.transfer)
    if layer.differences:
        yield "differences", "differences to the reference", series_of(layer.differences, layer.difference_transfer)


def series_of(volumes: Mapping[str, Volume], transfer: TransferFunction) -> Scene:
    """Return a scene that plays the volumes under one range, each under its label."""
    return Scene.of_series("case", tuple(volumes), tuple(volumes.values()), transfer=transfer)


def interactive_page(part: Part) -> dict[Path, str]:
    """Write all cases and differences of all layers as one page that turns in a browser."""
    scenes = [scene for layer in part.layers for *_, scene in _series(layer)]
    path = export_html(SceneGrid(scenes, link=()), part.folder / "view3d.html")
    return {path: "interactive 3-D view of all cases and differences"}
