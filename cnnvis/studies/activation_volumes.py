"""The main job: a network and a photo become reordered activation volumes, pictures and a report."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.analysis import StabilityReport, order, stability
from cnnvis.attribution import activation_of_recording
from cnnvis.capture import activation_of, record, trace
from cnnvis.core import FeatureMaps, Importance, Recording
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.ordering import method_title
from cnnvis.io import require_writable, save
from cnnvis.models import Network, Prediction, load, read_image, top_classes
from cnnvis.rendering import require_rendering
from cnnvis.studies.activation_pictures import comparison_of, draw_figures, draw_film, draw_volumes, interactive_page
from cnnvis.studies.activation_report import write_report
from cnnvis.studies.layers import first_convolution
from cnnvis.studies.results import ActivationVolumes, LayerStudy, StudyResult
from cnnvis.studies.stages import OnStage, Stages, timed

SEEDS = (0, 1)
"""Random states over which the groups of k-means are compared."""


def run(study: ActivationVolumes, out: str | Path, *, on_stage: OnStage | None = None) -> StudyResult:
    """Do the whole job and leave its files in the folder `out`.

    The first layer's files lie in `out` itself, those of further layers in folders named after them:
    ``activations.vti`` and one ``<method>.vti`` per order, a picture of each, ``comparison.png``,
    ``importance.png``, ``mosaic.png``, ``row_slices.png``, ``filters.png`` and ``orders.csv``; then, of the first
    layer, ``scene.json`` and ``turntable.mp4``; of all, ``layers.vtm`` (several layers), ``view3d.html`` and
    ``index.html``.

    Parameters
    ----------
    study : ActivationVolumes
    out : path-like
        Made if missing; files of the same names are replaced, each whole or not at all.
    on_stage : callable, optional
        Told (name, seconds) of each finished stage.

    Returns
    -------
    StudyResult

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
    with stages("load network"):
        network = load(study.model, weights=study.weights, device=study.device, random_state=study.random_state)
        photo = read_image(study.image)
        batch = network.preprocess(photo)
    with stages("record"):
        recording = _record(study, network, batch)
    with stages("importance"):
        scores = activation_of_recording(recording)
    with stages("order"):
        layers = tuple(
            _study_layer(study, network, maps, scores, out if index == 0 else out / maps.layer)
            for index, maps in enumerate(recording.maps.values())
        )
    result = StudyResult(network, recording, photo, _predictions(network, recording), layers)
    with stages("save volumes"):
        files = _save_data(result, study, out)
    with stages("stability"):
        result = replace(result, stability=_measure_stability(result, study))
    # VTK lets go of the interpreter while it renders, so the figures fill whatever time the cores have to spare.
    with ThreadPoolExecutor(max_workers=1) as beside:
        figures = beside.submit(timed, draw_figures, result, study)
        with stages("draw volumes"):
            files |= draw_volumes(result, study)
        if study.film_frames:
            with stages("film"):
                files |= draw_film(result, study, out)
        drawn, seconds = figures.result()
    stages.add("figures (meanwhile)", seconds)
    files |= drawn
    with stages("interactive page"):
        files |= interactive_page(result, out)
    with stages("report"):
        seen = replace(result, files=files, seconds=stages.seconds, total_seconds=stages.total)
        files |= write_report(seen, study, out)
    return replace(result, files=files, seconds=stages.seconds, total_seconds=stages.total)


def _record(study: ActivationVolumes, network: Network, batch: Any) -> Recording:
    name = study.image if isinstance(study.image, (str, Path)) else "image"
    layers = study.layers or network.default_layers or (first_convolution(network),)
    if study.after_activation:
        graph = trace(network, batch)
        names = [match for pattern in layers for match in graph.match(pattern)]
        layers = tuple(dict.fromkeys(activation_of(graph, layer) or layer for layer in names))
    recording = record(network, batch, layers, names=(Path(name).name,))
    flat = [layer for layer in recording if len(recording[layer].spatial_shape) != 2]
    if flat:
        recording[flat[0]].stack()  # raises the error that says what is needed
    return recording


def _predictions(network: Network, recording: Recording) -> tuple[Prediction, ...]:
    logits = recording.logits
    if logits is None or logits.ndim != 2 or logits.shape[1] < 2:
        return ()
    return tuple(top_classes(logits[0], network.class_names, k=min(5, logits.shape[1])))


def _study_layer(
    study: ActivationVolumes, network: Network, maps: FeatureMaps, scores: Importance, folder: Path
) -> LayerStudy:
    orderings = {}
    for method in dict.fromkeys(("original", *study.orders)):
        try:
            orderings[method] = order(
                maps,
                method,
                n_groups=study.n_groups,
                normalize=study.normalize,
                random_state=study.random_state,
                row=study.row,
                importance=scores if method == "importance" else None,
            )
        except InvalidInputError as error:
            raise InvalidInputError(f"Layer {maps.layer!r}, {method} order: {error}") from error
    volumes = {method: maps.volume(ordering, importance=scores) for method, ordering in orderings.items()}
    return LayerStudy(maps, orderings, volumes, scores, _filters(network, maps.layer, maps.n_channels), folder)


def _filters(network: Network, layer: str, n_channels: int) -> NDArray[np.float32] | None:
    """Return the filters (C, inputs, kh, kw) behind a layer's channels; None where there are none to see."""
    module = dict(network.module.named_modules()).get(layer)
    weight = getattr(module, "weight", None)
    if weight is None or weight.ndim != 4 or weight.shape[0] != n_channels or weight.shape[2] * weight.shape[3] < 4:
        return None
    return weight.detach().float().cpu().numpy()


def _measure_stability(result: StudyResult, study: ActivationVolumes) -> dict[str, tuple[StabilityReport, ...]]:
    """Return the stability of PCA over row slices, the reason why CNN-VIS took whole maps, and of k-means over seeds.

    Empty for a layer with too few live channels or rows to compare anything.
    """
    reports: dict[str, tuple[StabilityReport, ...]] = {}
    for layer in result.layers:
        live = int(np.count_nonzero(~layer.orderings[layer.main].constant))
        found = []
        if live > 2 and layer.maps.spatial_shape[0] > 1:
            found.append(stability(layer.maps, "pca_rows", over="rows", normalize=study.normalize))
        if live > 2 and "kmeans" in study.orders:
            options = {"n_groups": study.n_groups, "normalize": study.normalize}
            found.append(stability(layer.maps, "kmeans", over="seeds", values=SEEDS, **options))
        reports[layer.layer] = tuple(found)
    return reports


def _save_data(result: StudyResult, study: ActivationVolumes, out: Path) -> dict[Path, str]:
    files = {}
    for layer in result.layers:
        for method, volume in layer.volumes.items():
            name = "activations" if method == "original" else method
            content = f"{layer.layer}: activations, {method_title(method)} order"
            files[save(volume, layer.folder / f"{name}.vti")] = content
        files[save(dict(layer.orderings), layer.folder / "orders.csv")] = f"{layer.layer}: orders and groups"
    first = result.layers[0]
    files[save(comparison_of(first, study), out / "scene.json")] = f"{first.layer}: the comparison, for `cnnvis render`"
    if len(result.layers) > 1:
        volumes = {layer.layer: layer.volumes[layer.main] for layer in result.layers}
        files[save(volumes, out / "layers.vtm")] = "all layers, side by side"
    return files
