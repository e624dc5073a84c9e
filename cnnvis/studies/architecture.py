"""A whole network as the maps of its layers in space: pictures of its arrangements, a film between them, a scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cnnvis.attribution import network_maps
from cnnvis.attribution.network_maps import N_LINKS
from cnnvis.core import NetworkMaps
from cnnvis.io import require_writable, save
from cnnvis.models import Network, Prediction, load
from cnnvis.models.folders import one_image
from cnnvis.rendering import film, render, require_rendering
from cnnvis.report import Page
from cnnvis.scene import Scene, TilesItem
from cnnvis.studies.page_end import machine_facts, write_page
from cnnvis.studies.results import require_size
from cnnvis.studies.stages import OnProgress, OnStage, Stages

FPS = 12
"""Pictures of the film per second."""

ARRANGEMENTS: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "grid": ({"arrangement": 2.0}, "Every map of every layer, side by side."),
    "circle": ({"arrangement": 1.0}, "The same maps in circles, so that links cross in their middle."),
    "stack": ({"arrangement": 0.0, "turn": 1.0}, "The same maps one behind the other, as networks are often drawn."),
    "position": (
        {"expansion": 2.0},
        "What every layer reads at one position, in the middle: pixels of a window, and the pixel it makes of them.",
    ),
    "calculations": (
        {"expansion": 3.0, "links_by": "product"},
        "The strongest products of all positions: weights times what they meet.",
    ),
    "line": ({"arrangement": 0.0, "turn": 0.0}, "The same maps in lines across the data flow."),
}
"""Pictures: the state of the tiles, and the caption."""

SUMMARY = (
    "Every layer as the maps that it makes of one image, in the order in which data flow, and the strongest links "
    "between maps. Colours are shares of the largest value of a layer: how strong layers are beside each other they do "
    "not tell."
)
POSITIONS_NOTE = "The windows of all layers on their way over their maps, row by row."
FILM_NOTE = "From the grid over the circle to the line, and back: each map keeps to its own way."


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchitectureStudy:
    """What to show; `run` does it.

    Parameters
    ----------
    model : str, path, nn.Module or Network
        As for `cnnvis.models.load`.
    image : str
        A picture file or sample, or the number of a test image of `data`.
    data : str or path, optional
        As for `labelled_parts`.
    layers : tuple of str
        Names or globs; empty: those of `network_maps`.
    top_k : int
        Links at most, the strongest between each two layers.
    frames : int
        Of the film; 0 for none.
    size : (width, height) in pixels
    weights : path, optional
        State dict, as for `load`.
    random_state : int
        Of random weights.
    device : str
    """

    model: Any = "fashion-cnn"
    image: str = "0"
    data: str | Path | None = None
    layers: tuple[str, ...] = ()
    top_k: int = N_LINKS
    frames: int = 48
    size: tuple[int, int] = (1600, 1000)
    weights: Path | None = None
    random_state: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        require_size(self.size)


@dataclass(frozen=True, slots=True, eq=False)
class ArchitectureResult:
    """What was shown.

    Parameters
    ----------
    network : Network
    maps : NetworkMaps
    image : str
        Its name.
    answer : Prediction or None
        The likeliest class; None where the network tells none apart.
    files : mapping of Path to str
        What was written, and what it is.
    seconds : mapping of str to float
    total_seconds : float
    """

    network: Network
    maps: NetworkMaps
    image: str
    answer: Prediction | None
    files: Mapping[Path, str]
    seconds: Mapping[str, float]
    total_seconds: float


def run(
    study: ArchitectureStudy,
    out: str | Path,
    *,
    command: str = "",
    on_stage: OnStage | None = None,
    on_progress: OnProgress | None = None,
) -> ArchitectureResult:
    """Do the study and leave its files in the folder `out`.

    ``grid.png``, ``circle.png``, ``stack.png`` and ``line.png``; ``arrangements.mp4``; ``maps.safetensors``, which
    `cnnvis.load` reads; ``scene.json``, which the window and scripts open; ``index.html``.

    Parameters
    ----------
    study : ArchitectureStudy
    out : path-like
        Made if missing; files of the same names are replaced, each whole or not at all.
    command : str
        Command line that repeats it, for the report.
    on_stage : callable, optional
        Told (name, seconds) of each finished stage.
    on_progress : callable, optional
        Told (name, done, total) while a stage goes on.

    Returns
    -------
    ArchitectureResult

    Raises
    ------
    CnnvisError
        Of the stage that failed; nothing half-written is left.
    """
    stages = Stages(on_stage, on_progress)
    out = Path(out)
    require_writable(out)
    require_rendering()
    with stages("maps"):
        network = load(study.model, weights=study.weights, device=study.device, random_state=study.random_state)
        inputs, name, _ = one_image(network, study.image, study.data)
        maps = network_maps(network, inputs, study.layers or None, top_k=study.top_k)
        maps = replace(maps, provenance=replace(maps.provenance, inputs=(name,)))
        answers = network.predict(inputs, k=1)
    scene = Scene.of_tiles(maps)
    files: dict[Path, str] = {}
    with stages("pictures") as progress:
        files |= _pictures(scene, out, study.size, progress)
    if study.frames:
        with stages("film") as progress:
            path = out / "arrangements.mp4"
            film(scene, path, over="arrangement", frames=study.frames, fps=FPS, size=study.size, progress=progress)
            files[path] = "from one arrangement to the next"
        with stages("film of positions") as progress:
            path = out / "positions.mp4"
            film(scene, path, over="position", frames=study.frames, fps=FPS, size=study.size, progress=progress)
            files[path] = "what each layer reads, position by position"
    with stages("files"):
        files[save(maps, out / "maps.safetensors")] = "the maps, for cnnvis.load"
        files[save(scene, out / "scene.json")] = "the scene, for cnnvis view and cnnvis render"
    answer = answers[0] if answers else None
    result = ArchitectureResult(network, maps, name, answer, files, stages.seconds, stages.total)
    with stages("report"):
        files |= _write_report(result, out, command=command)
    return replace(result, files=files, seconds=stages.seconds, total_seconds=stages.total)


def _pictures(scene: Scene, out: Path, size: tuple[int, int], progress: Any) -> dict[Path, str]:
    files = {}
    item = next(item for item in scene if isinstance(item, TilesItem))
    before = {name: getattr(item, name) for name in ("arrangement", "turn", "expansion", "links_by")}
    for number, (name, (state, caption)) in enumerate(ARRANGEMENTS.items()):
        item.update(before | dict(state))
        render(scene, out / f"{name}.png", size=size)
        files[out / f"{name}.png"] = caption.rstrip(".").lower()
        progress(number + 1, len(ARRANGEMENTS))
    item.update(before)
    return files


def _write_report(result: ArchitectureResult, out: Path, *, command: str) -> dict[Path, str]:
    page = Page(f"{result.network.name}, layer by layer", SUMMARY)
    if result.network.weights == "random":
        page.warning(f"{result.network.name} has RANDOM WEIGHTS: nothing here was learned.")
    page.section("The network")
    page.facts(_facts(result))
    for name, (_, caption) in ARRANGEMENTS.items():
        page.figure(out / f"{name}.png", caption, alt=caption)
    if (film_file := out / "arrangements.mp4") in result.files:
        page.video(film_file, FILM_NOTE)
    if (film_file := out / "positions.mp4") in result.files:
        page.video(film_file, POSITIONS_NOTE)
    page.section("Layers")
    shapes = [stack.shape for stack in result.maps.values]
    rows = [
        (layer, str(role), shape[0], f"{shape[1]} x {shape[2]}", float(limit))
        for layer, role, shape, limit in zip(
            result.maps.layers, result.maps.roles, shapes, result.maps.limits, strict=True
        )
    ]
    page.table(("layer", "kind", "maps", "pixels", "largest |value|"), rows, "In order of execution")
    return write_page(page, result, out, command=command, facts=machine_facts())


def _facts(result: ArchitectureResult) -> dict[str, str]:
    facts = {"network": result.network.name, "image": result.image}
    if result.answer is not None:
        facts["answer"] = f"{result.answer.name} ({result.answer.probability:.1%})"
    facts["maps"] = f"{len(result.maps.units):,} of {len(result.maps.layers)} layers"
    return facts | ({"links": result.maps.caption} if result.maps.caption else {})
