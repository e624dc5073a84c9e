"""How a network computes, in numbers: one operation of each kind, a film of a window that moves, a channel scaled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.capture import receptive_fields, scaled_probabilities, trace
from cnnvis.capture.explaining import SOFTMAX, explain_layers
from cnnvis.core import LayerOperation, LayerRole, ModelGraph, ReceptiveFields, UnitOperation
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.operation_rules import Pooling, WeightedSum
from cnnvis.core.progress import Progress
from cnnvis.io import require_writable, save_bytes
from cnnvis.models import Network, Prediction, load
from cnnvis.models.folders import one_image
from cnnvis.rendering import film_of_pictures
from cnnvis.report import Page, operation_figure, operation_sheet, scaling_chart, to_png
from cnnvis.studies.image_stream import as_picture
from cnnvis.studies.page_end import machine_facts, write_page
from cnnvis.studies.stages import OnProgress, OnStage, Stages

FPS = 8
"""Positions of the film per second: slow enough to follow."""

SCALE = 0.6
"""Of the film's pictures, beside those of the page."""

FACTORS = tuple(np.round(np.linspace(0, 2, 21), 3).tolist())

SUMMARY = (
    "Every number in a network is made of other numbers by a rule that is simple by itself. Here are the rules of this "
    "network at work on one image, each with the numbers that it really computed."
)
WORDS: Mapping[LayerRole, str] = {
    LayerRole.CONVOLUTION: "A convolution lays a small window on the maps that it reads, multiplies what it sees with "
    "its kernel, number by number, and adds up. That is one pixel of one of its own maps. Then the window moves on: "
    "the same kernel is used everywhere, so a map is bright where the kernel's pattern is.",
    LayerRole.NORM: "A norm brings the values of each channel to a common size: it takes off their mean and divides by "
    "how far they usually lie from it, both as seen in training, and then scales and shifts them as was learned.",
    LayerRole.ACTIVATION: "An activation maps each number by itself. Without it, layers that only multiply and add "
    "would be one single layer; ReLU sets what is below 0 to 0.",
    LayerRole.POOLING: "A pooling makes maps smaller: of each window one number stays, the largest or the mean. Where "
    "exactly a pattern was is given up for seeing more of the image at once.",
    LayerRole.DENSE: "A dense layer reads everything before it: each value times a weight of its own, all added up. "
    "At the end of a network there is one such sum for each class, its score.",
    LayerRole.MERGE: "Branches of the network meet: their values at the same place are added, multiplied, or laid "
    "behind each other.",
}
SOFTMAX_WORDS = (
    "A softmax makes probabilities of scores: the exponential of each, as a share of the sum of all. A score that is "
    "larger by 1 makes a class 2.7 times as likely."
)
FILM_NOTE = "The window moves over the maps it reads, and the map it makes is filled, row by row."


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationStudy:
    """What to explain; `run` does it.

    Parameters
    ----------
    model : str, path, nn.Module or Network
        As for `cnnvis.models.load`.
    image : str
        A picture file or sample, or the number of a test image of `data`.
    data : str or path, optional
        As for `labelled_parts`.
    layers : tuple of str
        Names or globs, and "softmax" for what makes probabilities; empty: the first of each kind, the last dense layer
        and the softmax.
    channel : int or None
        Of each layer; None: that which hands on the largest value.
    position : tuple of int or None
        Of each layer that has such a position; None: where that value is.
    frames : int
        Positions in the film of the first convolution or pooling, evenly chosen where it has more; 0 for no film.
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
    channel: int | None = None
    position: tuple[int, ...] | None = None
    frames: int = 100
    weights: Path | None = None
    random_state: int = 0
    device: str = "auto"


@dataclass(frozen=True, slots=True, eq=False)
class OperationResult:
    """What was explained.

    Parameters
    ----------
    network : Network
    image : str
        Its name.
    answer : Prediction or None
    operations : tuple of LayerOperation
    units : tuple of UnitOperation
        Of each operation the value that is explained.
    probabilities : (F, K) float64 or None
        Of each of `FACTORS` of the channel of the first convolution.
    files, seconds, total_seconds
        As of every study.
    """

    network: Network
    image: str
    answer: Prediction | None
    operations: tuple[LayerOperation, ...]
    units: tuple[UnitOperation, ...]
    probabilities: NDArray[np.float64] | None = None
    files: Mapping[Path, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    total_seconds: float = 0.0


def run(
    study: OperationStudy,
    out: str | Path,
    *,
    command: str = "",
    on_stage: OnStage | None = None,
    on_progress: OnProgress | None = None,
) -> OperationResult:
    """Explain operations of a network and write figures, a film and a page into the folder `out`.

    Parameters
    ----------
    study : OperationStudy
    out : path-like
        Made if missing; files of the same names are replaced, each whole or not at all.
    command, on_stage, on_progress
        As for every study.

    Returns
    -------
    OperationResult

    Raises
    ------
    CnnvisError
        Of the stage that failed; nothing half-written is left.
    """
    stages = Stages(on_stage, on_progress)
    out = Path(out)
    require_writable(out)
    with stages("operations"):
        network = load(study.model, weights=study.weights, device=study.device, random_state=study.random_state)
        inputs, name, _ = one_image(network, study.image, study.data)
        tensor = network.preprocess(inputs) if isinstance(inputs, str) else inputs
        graph = trace(network, tensor)
        operations = tuple(
            replace(operation, provenance=replace(operation.provenance, inputs=(name,)))
            for operation in explain_layers(network, tensor, _layers(graph, study.layers, network)).values()
        )
        units = tuple(operation.at(study.channel, _position(operation, study.position)) for operation in operations)
        answers = network.predict(tensor, k=1) if network.class_names else ()
    with stages("receptive fields") as progress:
        real = [operation.layer for operation in operations if operation.layer in graph]
        fields = receptive_fields(network, tensor, real, progress=progress) if real and tensor.ndim == 4 else {}
    seen = _Seen(operations, units, fields, as_picture(tensor[0].cpu().numpy()))
    files: dict[Path, str] = {}
    with stages("pictures") as progress:
        files |= _pictures(seen, out, progress)
    moving = _moving(operations)
    if study.frames and moving is not None:
        with stages("film") as progress:
            files |= _film(seen, moving, out, study.frames, progress)
    scaled, probabilities = _scaled(operations, graph), None
    if scaled is not None and answers:
        with stages("scaling"):
            operation, unit = operations[scaled], units[scaled]
            probabilities = scaled_probabilities(network, tensor, operation.layer, unit.channel, FACTORS)
            files |= _chart(operation, unit, probabilities, network, out)
    answer = answers[0] if answers else None
    result = OperationResult(
        network, name, answer, operations, units, probabilities, files, stages.seconds, stages.total
    )
    with stages("report"):
        files |= _write_report(result, graph, out, command=command)
    return replace(result, files=files, seconds=stages.seconds, total_seconds=stages.total)


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """Operations, the value of each that is explained, what they see, and the image."""

    operations: tuple[LayerOperation, ...]
    units: tuple[UnitOperation, ...]
    fields: Mapping[str, ReceptiveFields]
    picture: NDArray[np.uint8]


def _pictures(seen: _Seen, out: Path, progress: Progress) -> dict[Path, str]:
    files = {}
    for number, (operation, unit) in enumerate(zip(seen.operations, seen.units, strict=True)):
        fields = seen.fields.get(operation.layer)
        figure = operation_figure(operation, unit.channel, unit.position, fields=fields, picture=seen.picture)
        path = save_bytes(to_png(figure), out / f"{number + 1:02d}_{_file_name(operation.layer)}.png")
        files[path] = f"how {operation.layer} computes one value"
        progress(number + 1, len(seen.operations))
    return files


def _film(seen: _Seen, number: int, out: Path, most: int, progress: Progress) -> dict[Path, str]:
    """Write one operation at one position after the other, at most so many of them, evenly chosen."""
    operation, channel = seen.operations[number], seen.units[number].channel
    positions = operation.positions()
    chosen = [positions[i] for i in np.unique(np.linspace(0, len(positions) - 1, most).astype(int))]
    fields = seen.fields.get(operation.layer)
    options = {"fields": fields, "picture": seen.picture, "so_far": True}
    sheets = [operation_sheet(operation, channel, place, **options) for place in (chosen[0], chosen[-1])]
    height = max(sheet.height for sheet in sheets)
    pictures = (operation_sheet(operation, channel, place, height=height, **options).pixels(SCALE) for place in chosen)
    size = (round(sheets[0].width * SCALE), round(height * SCALE))
    path = film_of_pictures(pictures, out / "positions.mp4", size=size, fps=FPS, progress=progress)
    return {path: f"{operation.layer} at one position after the other"}


def _chart(
    operation: LayerOperation, unit: UnitOperation, found: NDArray[np.float64], network: Network, out: Path
) -> dict[Path, str]:
    title = f"{operation.layer}, channel {unit.channel}, switched off and scaled"
    chart = scaling_chart(
        FACTORS, found, class_names=network.class_names or (), title=title, provenance=operation.provenance
    )
    return {save_bytes(to_png(chart), out / "scaling.png"): "the answer while a channel is scaled"}


def _layers(graph: ModelGraph, wanted: tuple[str, ...], network: Network) -> list[str]:
    """Return the layers to explain, in order of execution."""
    if wanted:
        named = {name for pattern in wanted if pattern != SOFTMAX or pattern in graph for name in graph.match(pattern)}
        found = [name for name in graph.names if name in named and graph[name].role is not LayerRole.INPUT]
        found += [SOFTMAX] * (SOFTMAX in wanted and SOFTMAX not in graph)
        if not found:
            named = ", ".join(wanted)
            raise InvalidInputError(f"{named}: an input of the network, which nothing computes. Name a layer.")
        return found
    found = []
    for role in (LayerRole.CONVOLUTION, LayerRole.NORM, LayerRole.ACTIVATION, LayerRole.POOLING, LayerRole.MERGE):
        found += [layer.name for layer in graph.layers if layer.role is role and layer.recordable][:1]
    found += [layer.name for layer in graph.layers if layer.role is LayerRole.DENSE and layer.recordable][-1:]
    ordered = [name for name in graph.names if name in found]
    if not ordered:
        raise InvalidInputError(f"{network.name} has no layer whose rule is known. Name one with --layer.")
    return ordered + [SOFTMAX] * (network.class_names is not None and SOFTMAX not in graph)


def _position(operation: LayerOperation, wanted: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """Return the position that was asked for, where the layer's maps have as many axes."""
    return wanted if wanted is not None and len(wanted) == len(operation.shape) - 1 else None


def _file_name(layer: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in layer)


def _moving(operations: tuple[LayerOperation, ...]) -> int | None:
    """Return the first operation with a window that moves over maps."""
    for number, operation in enumerate(operations):
        has_maps = len(operation.shape) == 3 and operation.shape[1:] != (1, 1)
        if has_maps and isinstance(operation.rule, WeightedSum | Pooling):
            return number
    return None


def _scaled(operations: tuple[LayerOperation, ...], graph: ModelGraph) -> int | None:
    """Return the first convolution, else the first layer with weights that is not the last."""
    for number, operation in enumerate(operations):
        if isinstance(operation.rule, WeightedSum) and graph.targets(operation.layer):
            return number
    return None


def _write_report(result: OperationResult, graph: ModelGraph, out: Path, *, command: str) -> dict[Path, str]:
    page = Page(f"How {result.network.name} computes", SUMMARY)
    if result.network.weights == "random":
        page.warning(f"{result.network.name} has RANDOM WEIGHTS: nothing here was learned.")
    facts = {"network": result.network.name, "image": result.image}
    if result.answer is not None:
        facts["answer"] = f"{result.answer.name} ({result.answer.probability:.1%})"
    page.facts(facts)
    pictures = [path for path in result.files if path.name[:2].isdigit()]
    moving = _moving(result.operations)
    for number, (operation, path) in enumerate(zip(result.operations, pictures, strict=True)):
        page.section(f"{operation.layer}: {operation.type}")
        words = WORDS.get(graph[operation.layer].role, "") if operation.layer in graph else SOFTMAX_WORDS
        page.figure(path, words or operation.note, alt=f"how {operation.layer} computes one value")
        if number == moving and (film := out / "positions.mp4") in result.files:
            page.video(film, FILM_NOTE)
        if number == _scaled(result.operations, graph) and (chart := out / "scaling.png") in result.files:
            note = (
                f"What the answer depends on: channel {result.units[number].channel} of {operation.layer} times 0 "
                "(switched off) to 2, and the probabilities that the network answers then."
            )
            page.figure(chart, note, alt="probabilities against the factor of a channel")
    return write_page(page, result, out, command=command, facts=machine_facts())
