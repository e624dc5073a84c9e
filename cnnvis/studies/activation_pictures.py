"""Pictures and film of the activation-volume study."""

from __future__ import annotations

import math
from pathlib import Path

from cnnvis.analysis import default_row
from cnnvis.core import Volume
from cnnvis.core.ordering import method_title
from cnnvis.io import save_bytes
from cnnvis.rendering import export_html, film, render
from cnnvis.report import filters_and_maps, mosaic, row_slices, to_png
from cnnvis.scene import Scene, SceneGrid
from cnnvis.studies.results import ActivationVolumes, LayerStudy, StudyResult

IN_A_ROW = 3
"""Orders side by side in the usual shape of a picture; more make it higher."""

FILM_SHARE = 0.4
"""Sides of the film as a share of the pictures': 512 x 320 for 1280 x 800."""

FILM_FPS = 8


def draw_volumes(result: StudyResult, study: ActivationVolumes) -> dict[Path, str]:
    """Render each order, the orders side by side, and one picture whose opacity follows the importance."""
    files = {}
    for layer in result.layers:
        for method, volume in layer.volumes.items():
            path = layer.folder / f"{method}.png"
            render(Scene.of(volume, transfer=layer.transfer), path, size=study.size)
            files[path] = f"{layer.layer}: {method_title(method)} order"
        path = layer.folder / "comparison.png"
        render(comparison_of(layer, study), path)
        files[path] = f"{layer.layer}: the orders side by side"
        path = layer.folder / "importance.png"
        scene = Scene.of(layer.volumes[layer.main], transfer=layer.transfer, drive="importance")
        render(scene, path, size=study.size)
        files[path] = f"{layer.layer}: opacity driven by channel importance"
    return files


def comparison_of(layer: LayerStudy, study: ActivationVolumes) -> SceneGrid:
    """Return the orders of a layer side by side, under one colour range."""
    grid = SceneGrid([Scene.of(volume, transfer=layer.transfer) for volume in layer.volumes.values()])
    width, height = study.size
    grid.size = (round(1.2 * width), round(0.72 * height) * math.ceil(len(grid) / IN_A_ROW))
    return grid


def draw_figures(result: StudyResult, study: ActivationVolumes) -> dict[Path, str]:
    """Draw the mosaic, the row slices and the filters beside their maps."""
    files = {}
    for layer in result.layers:
        titled = {method_title(method): volume for method, volume in layer.volumes.items()}
        row = default_row(layer.maps.spatial_shape[0]) if study.row is None else study.row
        figures = {
            "mosaic.png": (mosaic(titled), "mosaic of all channels in each order"),
            "row_slices.png": (row_slices(titled, row=row), f"row {row} of every channel in each order"),
        }
        if layer.weights is not None:
            pairs = filters_and_maps(layer.weights, layer.volumes[layer.main], name=method_title(layer.main))
            figures["filters.png"] = (pairs, "filters beside the maps they make")
        for name, (figure, content) in figures.items():
            path = layer.folder / name
            save_bytes(to_png(figure), path)
            files[path] = f"{layer.layer}: {content}"
    return files


def draw_film(result: StudyResult, study: ActivationVolumes, out: Path) -> dict[Path, str]:
    """Film the first layer in its best order, once around."""
    first = result.layers[0]
    size = (round(FILM_SHARE * study.size[0]), round(FILM_SHARE * study.size[1]))
    scene = Scene.of(first.volumes[first.main], transfer=first.transfer)
    path = film(scene, out / "turntable.mp4", frames=study.film_frames, fps=FILM_FPS, size=size)
    return {path: f"{first.layer}: once around, {method_title(first.main)} order"}


def interactive_page(result: StudyResult, out: Path) -> dict[Path, str]:
    """Write all orders of all layers as one page that turns in a browser."""
    scenes = [Scene.of(volume, transfer=layer.transfer) for layer in result.layers for volume in _main_first(layer)]
    path = export_html(SceneGrid(scenes, link=()), out / "view3d.html")
    return {path: "interactive 3-D view, all orders"}


def _main_first(layer: LayerStudy) -> list[Volume]:
    methods = [layer.main, *(method for method in layer.volumes if method != layer.main)]
    return [layer.volumes[method] for method in methods]
