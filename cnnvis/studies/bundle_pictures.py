"""Pictures, films and files of the study of a bundled network."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cnnvis.core import BundledNetwork, PointSet, PolylineSet
from cnnvis.io import save, save_bytes
from cnnvis.rendering import export_gltf, export_html, film, render
from cnnvis.rendering.offscreen import OffscreenWindow
from cnnvis.rendering.still import write_picture
from cnnvis.scene import BundleItem, GlyphsItem, NetworkItem, Scene, SceneGrid
from cnnvis.studies.bundle_results import BundleResult
from cnnvis.studies.stages import Stages

FILM_SHARE = 0.6
"""Sides of the films as a share of the pictures': 960 x 600 for 1600 x 1000."""

TURN_FPS, STEPS_FPS = 12, 4

COLUMNS = 4
"""Classes in a row of the overview."""

LEAST_PANE = 320
"""Width of a class in the overview, in pixels, at least: what its note takes."""

KEPT_LINES = 10_000
"""Lines of each step that are kept, the most important ones: two dozen steps of all would fill the memory."""


class Steps:
    """Keeps lines and units of each step."""

    def __init__(self) -> None:
        self.lines: dict[str, PolylineSet] = {}
        self.points: dict[str, PointSet] = {}

    def __call__(self, step: str, network: BundledNetwork) -> None:
        """Keep the network as it is after a step: the `on_step` of `bundled_network.build`."""
        rank = network.lines.line_arrays["importance"]
        self.lines[step] = network.lines.take(np.sort(np.argsort(-rank, kind="stable")[:KEPT_LINES]))
        self.points[step] = network.points


def pair_of(result: BundleResult) -> SceneGrid:
    """Return the network straight beside bundled; panes of a network are wide, so the picture is wider than others."""
    scenes = []
    for title, blend in (("straight", 0.0), ("bundled", 1.0)):
        scene = result.scene(blend=blend)
        scene.title = title
        scenes.append(scene)
    width, height = result.study.size
    return SceneGrid(scenes, size=(round(1.25 * width), round(0.75 * height)))


def classes_of(result: BundleResult) -> SceneGrid:
    """Return a small scene for each class; what is the same in all is said elsewhere."""
    scenes = []
    for label in result.classes:
        scene = result.scene(shown_class=label, caption="", legend=False)
        scene.title = f"class {result.network.class_names[label]}"
        scene["layers"].visible = False
        scenes.append(scene)
    columns = min(COLUMNS, len(scenes))
    width, height = result.study.size
    pane = max(width / columns, LEAST_PANE)
    size = (round(pane * columns), round(1.1 * height / width * pane) * math.ceil(len(scenes) / columns))
    return SceneGrid(scenes, columns=columns, size=size)


def scene_of_steps(result: BundleResult, steps: Steps) -> Scene:
    """Return a scene that plays the steps; its caption says how many lines are kept of each."""
    network = result.network
    n, kept = len(network.lines), len(next(iter(steps.lines.values())))
    left_out = f", here the {kept:,} most important" if kept < n else ""
    scene = result.scene(caption=network.edges.caption + left_out)
    shown: dict[type, Sequence[PolylineSet | PointSet]] = {
        BundleItem: tuple(steps.lines.values()),
        GlyphsItem: tuple(steps.points.values()),
    }
    frames = {item.name: shown[type(item)] for item in scene if type(item) in shown}
    scene.set_frames("step", list(steps.lines), frames)
    return scene


def save_files(result: BundleResult, steps: Steps | None, out: Path, stages: Stages) -> dict[Path, str]:
    """Write the network itself, for cnnvis, for ParaView and for other programs, and the table of its bundles."""
    network = result.network
    scene = result.scene()
    with stages("save files"):
        files = {
            save(network, out / "network.safetensors"): "the processed network, for cnnvis.load",
            save(network, out / "network.vtm"): "its lines and units, for ParaView",
            save(scene, out / "scene.json"): "the picture, for `cnnvis render`",
            _save_bundles(result, out / "bundles.csv"): "links that run together, with their weight and classes",
            export_gltf(scene, out / "network.glb"): "its most important lines, for other 3-D programs",
        }
        if steps is not None:
            content = f"lines of each step (at most {KEPT_LINES:,}), a series for ParaView"
            files[save(steps.lines, out / "stages.pvd")] = content
    return files


def bundle_rows(result: BundleResult) -> Iterator[tuple[Any, ...]]:
    """Yield the header and a row for each bundle: number, layers, links, weight, units, share of each class."""
    network = result.network
    names = network.layout.layers
    shares = tuple(f"share of {name}" for name in network.class_names)
    yield ("bundle", "from", "to", "links", "weight", "sources", "targets", *shares)
    for number, one in enumerate(result.bundles):
        of_classes = () if one.class_shares is None else one.class_shares.round(4).tolist()
        layers = (names[layer] for layer in one.layers)
        yield (number, *layers, len(one), round(one.weight, 6), one.n_sources, one.n_targets, *of_classes)


def _save_bundles(result: BundleResult, path: Path) -> Path:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(bundle_rows(result))
    return save_bytes(text.getvalue().encode("utf-8"), path)


def draw(result: BundleResult, steps: Steps | None, out: Path, stages: Stages) -> dict[Path, str]:
    """Draw the pictures, the films and the interactive page."""
    study = result.study
    with stages("pictures"):
        files = _draw_pictures(result, out)
    film_size = tuple(round(FILM_SHARE * side) for side in study.size)
    if study.film_frames:
        with stages("turntable") as progress:
            film(
                result.scene(),
                out / "turn.mp4",
                frames=study.film_frames,
                fps=TURN_FPS,
                size=film_size,
                progress=progress,
            )
        files[out / "turn.mp4"] = "once around the network"
    if steps is not None:
        with stages("film of the steps") as progress:
            film(
                scene_of_steps(result, steps),
                out / "stages.mp4",
                over="series",
                fps=STEPS_FPS,
                size=film_size,
                progress=progress,
            )
        files[out / "stages.mp4"] = "the steps, one after the other"
    with stages("interactive page"):
        files[export_html(result.scene(), out / "view3d.html")] = "interactive 3-D view"
    return files


def _draw_pictures(result: BundleResult, out: Path) -> dict[Path, str]:
    """Render all classes, straight beside bundled, and each class; and the latter small on one sheet."""
    files = {out / "all.png": "the whole network", out / "pair.png": "straight beside bundled"}
    render(result.scene(), out / "all.png", size=result.study.size)
    render(pair_of(result), out / "pair.png")
    if result.classes:
        files |= _draw_classes(result, out)
    return files


def _draw_classes(result: BundleResult, out: Path) -> dict[Path, str]:
    """Render a picture of each class, and all of them small."""
    files = {out / "classes.png": "each class, small"}
    render(classes_of(result), out / "classes.png")
    scene = result.scene()
    with OffscreenWindow(scene, result.study.size) as window:  # one window, so that lines are handed over once
        for label in result.classes:
            for item in scene:
                if isinstance(item, NetworkItem):
                    item.shown_class = label
            name = result.network.class_names[label]
            slug = re.sub(r"[^\w-]+", "_", name)
            path = out / f"class_{label}_{slug}.png"
            write_picture(window.draw(), path)
            files[path] = f"class {name}"
    return files
