"""Pictures and film of the activation-volume study."""

from __future__ import annotations

from pathlib import Path

from cnnvis.core import Volume
from cnnvis.core.ordering import method_title
from cnnvis.io import save_bytes
from cnnvis.rendering import export_html, film, render
from cnnvis.report import filters_and_maps, mosaic, row_slices, to_png
from cnnvis.scene import Scene, SceneGrid
from cnnvis.studies.activation_volumes import ActivationVolumes, LayerStudy, StudyResult, comparison_of

FILM_SHARE = 0.4
"""Sides of the film as a share of the pictures': 640 x 400 for 1600 x 1000."""

FILM_FPS = 12


def draw_volumes(result: StudyResult, study: ActivationVolumes) -> dict[Path, str]:
    """Render each order, the orders side by side, and one picture whose opacity follows the importance."""
    files = {}
    width, height = study.size
    for layer in result.layers:
        for method, volume in layer.volumes.items():
            path = layer.folder / f"{method}.png"
            render(Scene.of(volume), path, size=study.size)
            files[path] = f"{layer.layer}: {method_title(method)} order"
        grid = comparison_of(layer)
        path = layer.folder / "comparison.png"
        render(grid, path, size=(round(1.2 * width), round(0.72 * height) * grid.rows))
        files[path] = f"{layer.layer}: the orders side by side"
        path = layer.folder / "importance.png"
        scene = Scene.of(layer.volumes[layer.best], drive="importance")
        render(scene, path, size=study.size)
        files[path] = f"{layer.layer}: opacity driven by channel importance"
    return files


def draw_figures(result: StudyResult, study: ActivationVolumes) -> dict[Path, str]:
    """Draw the mosaic, the row slices and the filters beside their maps."""
    files = {}
    for layer in result.layers:
        titled = {method_title(method): volume for method, volume in layer.volumes.items()}
        row = min(study.row, layer.maps.spatial_shape[0] - 1)
        figures = {
            "mosaic.png": (mosaic(titled), "mosaic of all channels in each order"),
            "row_slices.png": (row_slices(titled, row=row), f"row {row} of every channel in each order"),
        }
        if layer.weights is not None:
            pairs = filters_and_maps(layer.weights, layer.volumes[layer.best], name=method_title(layer.best))
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
    scene = Scene.of(first.volumes[first.best])
    path = film(scene, out / "turntable.mp4", frames=study.film_frames, fps=FILM_FPS, size=size)
    return {path: f"{first.layer}: once around, {method_title(first.best)} order"}


def interactive_page(result: StudyResult, out: Path) -> dict[Path, str]:
    """Write all orders of all layers as one page that turns in a browser."""
    scenes = [Scene.of(volume) for layer in result.layers for volume in _best_first(layer)]
    path = export_html(SceneGrid(scenes, link=()), out / "view3d.html")
    return {path: "interactive 3-D view, all orders"}


def _best_first(layer: LayerStudy) -> list[Volume]:
    methods = [layer.best, *(method for method in layer.volumes if method != layer.best)]
    return [layer.volumes[method] for method in methods]
