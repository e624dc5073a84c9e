"""The report of the activation-volume study: one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cnnvis.analysis import StabilityReport
from cnnvis.core.ordering import method_title
from cnnvis.report import Page, order_quality_chart, order_quality_table, to_png
from cnnvis.studies.page_end import machine_facts, write_page
from cnnvis.studies.results import ActivationVolumes, LayerStudy, StudyResult


def write_report(result: StudyResult, study: ActivationVolumes, out: Path) -> dict[Path, str]:
    """Write index.html, which carries all pictures, the film and the interactive view inside."""
    names = ", ".join(layer.layer for layer in result.layers)
    image = result.recording.inputs[0]
    page = Page(
        f"Activation volumes of {result.network.name}",
        f"What the channels of {names} do with {image}, in the network's own order and put in order by likeness.",
    )
    _warn(page, result)
    page.section("Network and image")
    page.facts(_facts(result, study))
    if result.predictions:
        classes, probabilities = zip(*((p.name, p.probability) for p in result.predictions), strict=True)
        page.prediction(classes, probabilities, image=_thumbnail(result.photo), alt=f"The image {image}")
    for layer in result.layers:
        _layer_section(page, layer)
        _stability(page, result.stability[layer.layer])
    page.section("In three dimensions")
    page.view3d(
        (out / "view3d.html").read_text(encoding="utf-8"),
        "Drag to turn, wheel to zoom; the buttons switch the order of the same maps.",
        poster=result.layers[0].folder / f"{result.layers[0].main}.png",
    )
    turntable = out / "turntable.mp4"
    if turntable in result.files:
        page.video(turntable, result.files[turntable])
    return write_page(page, result, out, command=study.command)


def _warn(page: Page, result: StudyResult) -> None:
    if result.network.weights == "random":
        page.warning("The network has RANDOM WEIGHTS: nothing here was learned.")
    for layer in result.layers:
        missing = layer.maps.n_missing
        if missing:
            page.warning(f"{layer.layer}: {missing} values are NaN or infinite; they are drawn as missing.")
        constant = np.flatnonzero(layer.orderings[layer.main].constant)
        if constant.size:
            channels = ", ".join(str(channel) for channel in constant)
            page.warning(
                f"{layer.layer}: channels without any variation (dead, or missing throughout) stand last: {channels}."
            )


def _facts(result: StudyResult, study: ActivationVolumes) -> dict[str, str]:
    provenance = result.recording.provenance
    height, width = result.photo.shape[:2]
    return {
        "network": result.network.name,
        "weights": f"{result.network.weights or 'unknown'} (sha256 {provenance.model_sha256[:12]})",
        "image": f"{result.recording.inputs[0]}, {width} x {height} pixels",
        "preprocessing": provenance.preprocessing or "none",
        "layers": "; ".join(f"{layer.layer} {tuple(layer.maps.activations.shape[1:])}" for layer in result.layers),
        "seed": str(study.random_state),
        **machine_facts("scikit-learn"),
    }


def _thumbnail(photo: np.ndarray) -> np.ndarray:
    step = max(1, max(photo.shape[:2]) // 640)
    return photo[::step, ::step]


def _layer_section(page: Page, layer: LayerStudy) -> None:
    page.section(f"Layer {layer.layer}")
    channels, height, width = layer.maps.activations.shape[1:]
    shape = f"{channels} channel{'s' * (channels != 1)} of {height} x {width}"
    page.figure(
        layer.folder / "comparison.png",
        f"{layer.layer}, {shape}: the same maps in each order, under one colour range.",
        alt=f"Volumes of {layer.layer} side by side: {', '.join(map(method_title, layer.volumes))}",
    )
    for method in layer.volumes:
        page.figure(
            layer.folder / f"{method}.png",
            f"{method_title(method)} order.",
            alt=f"Volume of {layer.layer} in {method_title(method)} order",
        )
    page.figure(
        layer.folder / "importance.png",
        "Opacity driven by importance: each channel's mean absolute activation multiplies its opacity.",
        alt=f"Volume of {layer.layer}, unimportant channels transparent",
    )
    page.figure(
        layer.folder / "mosaic.png",
        "Every channel as a tile, numbered as in the network, in each order.",
        alt=f"Mosaic of the {channels} channels of {layer.layer}",
    )
    page.figure(
        layer.folder / "row_slices.png",
        "One row of every map as a line: what stands together looks alike.",
        alt=f"Row slices of {layer.layer} with group bars",
    )
    if layer.weights is not None:
        page.figure(
            layer.folder / "filters.png",
            "Each filter beside the map it makes.",
            alt=f"Filters of {layer.layer} beside their maps",
        )
    _quality(page, layer)


def _quality(page: Page, layer: LayerStudy) -> None:
    titled = {method_title(method): ordering for method, ordering in layer.orderings.items()}
    chart = order_quality_chart(titled, layer=layer.layer, provenance=layer.maps.provenance)
    page.figure(
        to_png(chart),
        "Smoothness of each order: mean correlation of neighbouring channels, against random orders.",
        alt=f"Chart of the smoothness of the orders of {layer.layer}",
    )
    page.table(*order_quality_table(titled))


def _stability(page: Page, reports: Sequence[StabilityReport]) -> None:
    if not reports:
        return
    rows = []
    for report in reports:
        mean, least = report.mean, report.min
        pairs = ((getattr(mean, name), getattr(least, name)) for name in ("kendall", "neighbours", "rand"))
        cells = [f"{average:.2f} (least {worst:.2f})" if average == average else None for average, worst in pairs]
        rows.append((method_title(report.method), f"{len(report.values)} {report.over}", *cells))
    page.table(
        ("method", "compared over", "|Kendall tau|", "neighbours kept", "adjusted Rand index"),
        rows,
        "Stability: how far two orders of the same method agree, mean over all pairs; 1 is the same order.",
    )
