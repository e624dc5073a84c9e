"""Pictures and tables of the comparison of networks."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cnnvis.core import Compactness, Provenance
from cnnvis.io import save_bytes
from cnnvis.rendering import render
from cnnvis.report import area_chart, compactness_chart, to_png
from cnnvis.scene import BundleItem, GlyphsItem, Scene, SceneGrid
from cnnvis.studies.compare_results import COMPACTNESS, CompareResult, MeasuredNetwork


def save_pictures(result: CompareResult, out: Path) -> dict[Path, str]:
    """Write the picture of all networks, the charts and the table of all numbers."""
    path = out / "networks.png"
    render(side_by_side(result), path, size=result.study.size)
    files = {path: "networks of the first training seed side by side, drawn alike"}
    origin = Provenance(model=", ".join(kind.name for kind in result.kinds))
    runs = [kind.runs() for kind in result.kinds]
    chart = save_bytes(to_png(compactness_chart(runs, provenance=origin)), out / "compactness.png")
    files[chart] = "edge compactness by kind, with permuted importances, and against accuracy"
    if len(result.kinds[0].networks) > 1:
        comparisons = result.comparisons[COMPACTNESS.title]
        figure = area_chart(comparisons, title="Differences in edge compactness", provenance=origin)
        files[save_bytes(to_png(figure), out / "differences.png")] = "differences between kinds, with intervals"
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(_rows(result))
    table = save_bytes(text.getvalue().encode(), out / "compactness.csv")
    files[table] = "compactness and distances of every network and control, by gap as well, and accuracies"
    return files


def side_by_side(result: CompareResult) -> SceneGrid:
    """Return the networks of the first training seed as scenes with one camera.

    Nothing is hidden by a threshold: what is left would differ from network to network, and with it what the camera is
    fitted to.
    """
    scenes = []
    for kind in result.kinds:
        one = kind.networks[0]
        scene = Scene.of_network(one.drawn)
        scene.title = f"{kind.name}: edge compactness {one.compactness.value:.2f}"
        for item in scene:
            if isinstance(item, BundleItem | GlyphsItem):
                item.importance_threshold = 0.0
        scenes.append(scene)
    return SceneGrid(scenes, link=("camera", "selection"), size=result.study.size)


def _rows(result: CompareResult) -> Iterator[list[Any]]:
    """Yield the header and a row for every network and every control; floats as they are, "" where unknown."""
    gaps = result.kinds[0].networks[0].compactness.gaps
    yield [
        *("kind", "network", "seed", "permutation", "compactness", "distance", "straight_distance"),
        *("train_accuracy", "test_accuracy"),
        *(f"compactness[{source}-{target}]" for source, target in gaps),
    ]
    for kind in result.kinds:
        for seed, one in enumerate(kind.networks):
            for number, found in enumerate((one.compactness, *one.controls)):
                facts = [kind.name, one.name, seed, number - 1 if number else ""]
                yield [*facts, *_numbers(found), *_accuracies(one), *(found.straight / found.bundled).tolist()]


def _numbers(found: Compactness) -> list[float]:
    return [found.value, found.distance, found.straight_distance]


def _accuracies(one: MeasuredNetwork) -> list[Any]:
    return ["" if one.train_accuracy is None else one.train_accuracy, one.test_accuracy]
