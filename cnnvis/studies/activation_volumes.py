"""The main job: a network and a photo become reordered activation volumes, pictures and a report."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.analysis import NormalizeName, OrderMethod, OrderMethodName, StabilityReport, order, stability
from cnnvis.attribution import importance
from cnnvis.capture import activation_of, record, trace
from cnnvis.core import FeatureMaps, Importance, Ordering, Recording, Volume
from cnnvis.core.errors import InvalidInputError, NoSpatialMapsError, near_matches
from cnnvis.core.ordering import method_title
from cnnvis.io import save
from cnnvis.models import Network, Prediction, load, read_image, top_classes
from cnnvis.scene import Scene, SceneGrid
from cnnvis.studies.stages import OnStage, Stages

SEEDS = (0, 1, 2)
"""Random states over which the groups of k-means are compared."""

DEFAULT_ORDERS: tuple[OrderMethodName, ...] = ("kmeans", "pca")

MIN_SIDE, MAX_SIDE = 64, 8192
"""Limits of a picture's sides in pixels, so that the smaller film and the larger comparison can be made as well."""


@dataclass(frozen=True)
class ActivationVolumes:
    """What to look at and how; `run` does it.

    Parameters
    ----------
    model : str, path, nn.Module or Network
        As for `cnnvis.models.load`.
    layers : tuple of str
        Names or globs; empty: the network's `default_layers`, else its first convolution.
    image : path, sample name or array
        As for `cnnvis.models.read_image`.
    orders : tuple of str
        Ordering methods beside the network's own order.
    n_groups : int, optional
        Groups of k-means.
    normalize : {"zscore", "none"}
        "zscore" puts channels together by their pattern; "none", as CNN-VIS did, also by their brightness.
    row : int
        Row of the row-slice picture, and of the methods on rows; clipped to the maps.
    after_activation : bool
        Look at the values after the activation that follows each layer, rather than the layer's own.
    weights : path, optional
        State dict, as for `load`.
    random_state : int
    device : str
    size : (width, height)
        Of the pictures, in pixels, 64 to 8192 each; the comparison is wider, the film smaller.
    film_frames : int
        Pictures of the turntable; 0 leaves the film out.
    command : str
        Command line that repeats the study, for the report.
    """

    model: Any = "efficientnet-lite0"
    layers: tuple[str, ...] = ()
    image: Any = "chelsea"
    orders: tuple[OrderMethodName, ...] = DEFAULT_ORDERS
    n_groups: int | None = None
    normalize: NormalizeName = "zscore"
    row: int = 15
    after_activation: bool = False
    weights: str | Path | None = None
    random_state: int = 0
    device: str = "auto"
    size: tuple[int, int] = (1600, 1000)
    film_frames: int = 30
    command: str = ""

    def __post_init__(self) -> None:
        methods = [method.value for method in OrderMethod]
        for method in self.orders:
            if method not in methods:
                close = near_matches(method, methods)
                hint = f" Did you mean {close[0]!r}?" if close else ""
                raise InvalidInputError(f"No ordering method {method!r}; allowed are {', '.join(methods)}.{hint}")
        if not all(MIN_SIDE <= side <= MAX_SIDE for side in self.size):
            raise InvalidInputError(
                f"A picture of the study is {MIN_SIDE} to {MAX_SIDE} pixels on each side, "
                f"got {self.size[0]} x {self.size[1]}."
            )


@dataclass(frozen=True)
class LayerStudy:
    """What was found for one layer.

    Parameters
    ----------
    maps : FeatureMaps
    orderings, volumes : mapping by method, "original" first
    importance : Importance
        Drives the opacity of one of the pictures.
    weights : (C, inputs, kh, kw) ndarray or None
        Filters of a convolution.
    folder : Path
        Where its files lie.
    """

    maps: FeatureMaps
    orderings: Mapping[str, Ordering]
    volumes: Mapping[str, Volume]
    importance: Importance
    weights: NDArray[np.float32] | None
    folder: Path

    @property
    def layer(self) -> str:
        """Dotted name of the layer."""
        return self.maps.layer

    @property
    def best(self) -> str:
        """First method that is not the network's own order, where there is one."""
        return next((method for method in self.volumes if method != "original"), "original")


@dataclass(frozen=True)
class StudyResult:
    """All that a study found and wrote.

    Parameters
    ----------
    network : Network
    recording : Recording
    photo : (H, W, 3) ndarray of uint8
        The image as it was given.
    predictions : tuple of Prediction
        Empty where the network gives no class scores.
    layers : tuple of LayerStudy
    stability : mapping of layer to tuple of StabilityReport
        How far orders depend on the row they look at, or on the seed.
    files : mapping of Path to str
        What was written, and what it is.
    seconds : mapping of str to float
        Wall time by stage; figures are drawn while volumes are rendered.
    total_seconds : float
        Wall time of all.
    """

    network: Network
    recording: Recording
    photo: NDArray[np.uint8]
    predictions: tuple[Prediction, ...]
    layers: tuple[LayerStudy, ...]
    stability: Mapping[str, tuple[StabilityReport, ...]] = field(default_factory=dict)
    files: Mapping[Path, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    total_seconds: float = 0.0


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
    from cnnvis.rendering import require_rendering
    from cnnvis.studies.activation_pictures import draw_figures, draw_film, draw_volumes, interactive_page
    from cnnvis.studies.activation_report import write_report

    stages = Stages(on_stage)
    out = Path(out)
    with stages("check rendering"):
        require_rendering()  # before the work, not after it
    with stages("load network"):
        network = load(study.model, weights=study.weights, device=study.device, random_state=study.random_state)
        photo = read_image(study.image)
    with stages("record"):
        recording = _record(study, network, photo)
    with stages("importance"):
        scores = importance(network, network.preprocess(photo), "activation", layers=recording.layers)
    with stages("order"):
        layers = tuple(
            _study_layer(study, network, maps, scores, out if index == 0 else out / maps.layer)
            for index, maps in enumerate(recording.maps.values())
        )
    result = StudyResult(network, recording, photo, _predictions(network, recording), layers)
    with stages("save volumes"):
        files = _save_data(result, out)
    # VTK lets go of the interpreter while it renders, so that the figures cost hardly any time of their own.
    with ThreadPoolExecutor(max_workers=1) as beside:
        figures = beside.submit(stages.timed("draw figures", draw_figures), result, study)
        reports = beside.submit(stages.timed("stability", _measure_stability), result, study)
        with stages("draw volumes"):
            files |= draw_volumes(result, study)
        if study.film_frames:
            with stages("film"):
                files |= draw_film(result, study, out)
        files |= figures.result()
        result = replace(result, stability=reports.result())
    with stages("interactive page"):
        files |= interactive_page(result, out)
    with stages("report"):
        files |= write_report(replace(result, files=files, seconds=stages.seconds), study, out)
    return replace(result, files=files, seconds=stages.seconds, total_seconds=stages.total)


def _record(study: ActivationVolumes, network: Network, photo: NDArray[np.uint8]) -> Recording:
    name = study.image if isinstance(study.image, (str, Path)) else "image"
    batch = network.preprocess(photo)
    layers = study.layers or network.default_layers or (_first_convolution(network),)
    if study.after_activation:
        graph = trace(network, batch)
        names = [match for pattern in layers for match in graph.match(pattern)]
        layers = tuple(dict.fromkeys(activation_of(graph, layer) or layer for layer in names))
    recording = record(network, batch, layers, names=(Path(name).name,))
    flat = [layer for layer in recording if len(recording[layer].spatial_shape) != 2]
    if flat:
        recording[flat[0]].stack()  # raises the error that says what is needed
    return recording


def _first_convolution(network: Network) -> str:
    graph = trace(network)
    convolution = next((layer.name for layer in graph.layers if layer.role == "convolution" and layer.has_maps), None)
    if convolution is None:
        raise NoSpatialMapsError(
            f"{network.name} has no convolution with (channel, row, column) maps. "
            f"Name a layer that gives maps; `cnnvis info {network.name}` lists the layers."
        )
    return convolution


def _predictions(network: Network, recording: Recording) -> tuple[Prediction, ...]:
    logits = recording.logits
    if logits is None or logits.ndim != 2 or logits.shape[1] < 2:
        return ()
    return tuple(top_classes(logits[0], network.class_names, k=min(5, logits.shape[1])))


def _study_layer(
    study: ActivationVolumes, network: Network, maps: FeatureMaps, scores: Importance, folder: Path
) -> LayerStudy:
    n_channels, rows = maps.n_channels, maps.spatial_shape[0]
    methods = dict.fromkeys(("original", *study.orders))
    orderings = {
        method: order(
            maps,
            method,
            n_groups=study.n_groups,
            normalize=study.normalize,
            random_state=study.random_state,
            row=min(study.row, rows - 1),
            importance=scores if method == "importance" else None,
        )
        for method in methods
    }
    volumes = {method: maps.volume(ordering, importance=scores) for method, ordering in orderings.items()}
    return LayerStudy(maps, orderings, volumes, scores, _filters(network, maps.layer, n_channels), folder)


def _filters(network: Network, layer: str, n_channels: int) -> NDArray[np.float32] | None:
    """Return the filters (C, inputs, kh, kw) behind a layer's channels; None where there are none to see."""
    module = dict(network.module.named_modules()).get(layer)
    weight = getattr(module, "weight", None)
    if weight is None or weight.ndim != 4 or weight.shape[0] != n_channels or weight.shape[2] * weight.shape[3] < 4:
        return None
    return weight.detach().float().cpu().numpy()


def comparison_of(layer: LayerStudy) -> SceneGrid:
    """Return the orders of a layer side by side, under one colour range."""
    return SceneGrid([Scene.of(volume) for volume in layer.volumes.values()])


def _measure_stability(result: StudyResult, study: ActivationVolumes) -> dict[str, tuple[StabilityReport, ...]]:
    """Return the stability of PCA over row slices, the reason why CNN-VIS took whole maps, and of k-means over seeds.

    Empty for a layer with too few live channels or rows to compare anything.
    """
    reports: dict[str, tuple[StabilityReport, ...]] = {}
    for layer in result.layers:
        live = int(np.count_nonzero(~layer.orderings[layer.best].constant))
        found = []
        if live > 2 and layer.maps.spatial_shape[0] > 1:
            found.append(stability(layer.maps, "pca_rows", over="rows", normalize=study.normalize))
        if live > 2 and "kmeans" in study.orders:
            options = {"n_groups": study.n_groups, "normalize": study.normalize}
            found.append(stability(layer.maps, "kmeans", over="seeds", values=SEEDS, **options))
        reports[layer.layer] = tuple(found)
    return reports


def _save_data(result: StudyResult, out: Path) -> dict[Path, str]:
    files = {}
    for layer in result.layers:
        for method, volume in layer.volumes.items():
            name = "activations" if method == "original" else method
            content = f"{layer.layer}: activations, {method_title(method)} order"
            files[save(volume, layer.folder / f"{name}.vti")] = content
        files[save(dict(layer.orderings), layer.folder / "orders.csv")] = f"{layer.layer}: orders and groups"
    first = result.layers[0]
    files[save(comparison_of(first), out / "scene.json")] = f"{first.layer}: the comparison, for `cnnvis render`"
    if len(result.layers) > 1:
        best = {layer.layer: layer.volumes[layer.best] for layer in result.layers}
        files[save(best, out / "layers.vtm")] = "all layers, side by side"
    return files
