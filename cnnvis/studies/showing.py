"""A network, and an image or none, as something to show: what the viewer opens in a thread."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cnnvis.analysis import OrderMethod, OrderMethodName, order
from cnnvis.attribution import activation_of_recording, network_maps
from cnnvis.capture import record
from cnnvis.core import Importance, Recording
from cnnvis.core.checks import parse_choice
from cnnvis.core.errors import CnnvisError, InvalidInputError, NoSpatialMapsError
from cnnvis.core.progress import Progress, part_of, silent
from cnnvis.io.showing import Shown
from cnnvis.models import Network, load, read_image
from cnnvis.models.folders import one_image
from cnnvis.scene import Scene
from cnnvis.scene.layer_row import scene_of_layers
from cnnvis.studies.bundle_results import DrawingOptions
from cnnvis.studies.bundled_network import build
from cnnvis.studies.layers import first_convolution
from cnnvis.studies.stages import Stages
from cnnvis.studies.unit_scores import score_units

MAP_STAGES, LINK_STAGES, TILE_STAGES = 4, 6, 2
"""Parts of the work on maps, on links where no units are moved, and on tiles."""


@dataclass(frozen=True, kw_only=True)
class ModelView:
    """What to see of a network.

    Parameters
    ----------
    image : path, sample name or array, optional
        As for `cnnvis.models.read_image`. With one, maps of layers are shown, else the network as bundled
        links.
    layers : tuple of str
        Names or globs; empty: the network's `default_layers`, else its first convolution. Only with an image.
    tiles : bool
        Show the maps of all layers as tiles in space, see `network_maps`: of the image, else of the first test image of
        its data set, else of the network's example.
    ordering : str
        Method of `cnnvis.order` that the channels of each layer are put in order by.
    scores : Importance, str or path, optional
        As for `score_units`; drives opacity. Default with an image: the mean activation of channels, kept as weights,
        while opacity follows the values only.
    data : str or path, optional
        Labelled images of a method of importance, as for `score_units`.
    drawing : DrawingOptions
        Of the bundled links.
    weights : path, optional
        State dict, as for `cnnvis.models.load`.
    device : str
    random_state : int
    """

    image: Any = None
    layers: tuple[str, ...] = ()
    tiles: bool = False
    ordering: OrderMethodName = "pca"
    scores: Any = None
    data: str | Path | None = None
    drawing: DrawingOptions = field(default_factory=DrawingOptions)
    weights: str | Path | None = None
    device: str = "auto"
    random_state: int = 0

    def __post_init__(self) -> None:
        parse_choice(OrderMethod, self.ordering, what="ordering method")
        if self.layers and self.image is None and not self.tiles:
            raise InvalidInputError(
                f"Maps of the layers {', '.join(self.layers)} are those of an image: name one too, or no layers to "
                "see the whole network."
            )


def show_model(model: Any, view: ModelView | None = None, *, progress: Progress = silent) -> Shown:
    """Return a network as something to show: ordered maps of an image, or its units and bundled links.

    Parameters
    ----------
    model : str, path, nn.Module or Network
        As for `cnnvis.models.load`: a bundled name, a checkpoint, file.py:factory ...
    view : ModelView, optional
    progress : callable, optional
        Called as progress(done, total) over the whole, in parts of it whose time differs. Raise CancelledError there
        to stop.

    Returns
    -------
    Shown
        One scene. Of an image, the layers stand in a row; without one, `networks` has the bundled network. Tiles are
        those of all layers.

    Raises
    ------
    CnnvisError
        Of the step that failed; the network is as it was.

    Notes
    -----
    Draws nothing and makes no VTK object, so it may run in any thread. Seconds for the bundled networks, and as long
    as `cnnvis.bundle` and the method of importance take for others.
    """
    view = view or ModelView()
    stages = _stages(progress, _count(view))
    with stages("load network"):
        network = load(model, weights=view.weights, device=view.device, random_state=view.random_state)
    if view.tiles:
        return _tiles_of(network, view, stages)
    return _links_of(network, view, stages) if view.image is None else _maps_of(network, view, stages)


def _count(view: ModelView) -> int:
    """Return the number of parts of the work."""
    if view.tiles:
        return TILE_STAGES
    return LINK_STAGES + view.drawing.move_units if view.image is None else MAP_STAGES


def _stages(progress: Progress, count: int) -> Stages:
    """Return stages whose progress is that of the whole, of which each of the `count` is an equal part."""
    finished: list[str] = []

    def on_stage(name: str, _: float) -> None:
        finished.append(name)
        progress(len(finished), count)

    def on_progress(_: str, done: int, total: int) -> None:
        part_of(progress, len(finished), count)(done, max(total, 1))

    return Stages(on_stage, on_progress)


def _tiles_of(network: Network, view: ModelView, stages: Stages) -> Shown:
    with stages("maps"):
        image, name = image_of_tiles(network, view.image)
        maps = network_maps(network, image, view.layers or None)
        return Shown(Scene.of_tiles(replace(maps, provenance=replace(maps.provenance, inputs=name))))


def image_of_tiles(network: Network, image: Any) -> tuple[Any, tuple[str, ...]]:
    """Return the input that is shown, and its name: the first test image where nobody named one and there is one."""
    if image is not None:
        return network.preprocess(read_image(image)), (Path(image).name,) if isinstance(image, str | Path) else ()
    try:
        inputs, name, _ = one_image(network, "0")
    except CnnvisError:  # no data set comes along with its classes: the network's example
        return None, ()
    return inputs, (name,)


def _links_of(network: Network, view: ModelView, stages: Stages) -> Shown:
    scores = _scores(network, view, stages)
    bundled = build(network, scores, view.drawing, stages=stages)
    return Shown(Scene.of_network(bundled), (bundled,))


def _scores(network: Network, view: ModelView, stages: Stages) -> Importance:
    with stages("importance") as progress:
        if isinstance(view.scores, Importance):
            return view.scores
        return score_units(
            network, view.scores, data=view.data, random_state=view.random_state, progress=progress
        ).importance


def _maps_of(network: Network, view: ModelView, stages: Stages) -> Shown:
    with stages("record"):
        batch = network.preprocess(read_image(view.image))
        recording = _record(network, view, batch)
    if view.scores is None:
        with stages("importance"):
            scores = activation_of_recording(recording)
    else:
        scores = _scores(network, view, stages)
    volumes = []
    with stages("order") as progress:
        for number, maps in enumerate(recording.maps.values()):
            ordering = order(
                maps,
                view.ordering,
                normalize="zscore",
                random_state=view.random_state,
                importance=scores if view.ordering == OrderMethod.IMPORTANCE else None,
                progress=part_of(progress, number, len(recording.maps)),
            )
            volumes.append(maps.volume(ordering, importance=scores))
    drive = "none" if view.scores is None else "importance"
    return Shown(scene_of_layers(volumes, drive=drive))


def _record(network: Network, view: ModelView, batch: Any) -> Recording:
    """Return the maps of the layers that are asked for; all of them must be maps."""
    name = Path(view.image).name if isinstance(view.image, str | Path) else "image"
    layers = view.layers or network.default_layers or (first_convolution(network),)
    recording = record(network, batch, layers, names=(name,))
    for layer, maps in recording.maps.items():
        if len(maps.spatial_shape) != 2:
            raise NoSpatialMapsError(
                f"Layer {layer!r} of {network.name} has values {maps.activations.shape[1:]}, but no (channel, row, "
                f"column) maps. Name layers that have; `cnnvis info {network.name}` lists them. Without an image, the "
                "whole network is shown as bundled links."
            )
    return recording
