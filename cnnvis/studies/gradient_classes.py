"""Gradients of a class neuron by the weights, for images of several classes: as volumes, pictures and a report."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cnnvis.attribution import importance
from cnnvis.capture import GradientCheck, check_gradients, gradient_volume, record
from cnnvis.core import Importance, Recording, Volume
from cnnvis.core.errors import InvalidInputError
from cnnvis.io import require_writable, save
from cnnvis.models import Network, load
from cnnvis.rendering import require_rendering
from cnnvis.studies.gradient_cases import choose
from cnnvis.studies.gradient_pictures import draw_figures, draw_films, draw_volumes, grid_of, interactive_page
from cnnvis.studies.gradient_report import write_report
from cnnvis.studies.gradient_results import (
    Case,
    Chosen,
    GradientClasses,
    GradientResult,
    LabelledCases,
    LayerGradients,
    Part,
)
from cnnvis.studies.layers import first_convolution
from cnnvis.studies.stages import OnStage, Stages, timed


def run(
    studies: Sequence[GradientClasses], out: str | Path, *, command: str = "", on_stage: OnStage | None = None
) -> GradientResult:
    """Do one or several studies and leave their files, and one report on all, in the folder `out`.

    The files of a single study lie in `out` itself, of several in folders named after their networks; those of the
    first layer there, those of further layers in folders named after them: ``gradients.pvd`` with one ``.vti`` per
    case, ``volumes.png``, ``tiles.png``, ``gradients.mp4``; the same of the ``differences``; with labelled images
    ``means.pvd``, ``mean_tiles.png`` and ``importance.png``. Of each study ``cases.png``, ``scene.json`` and
    ``view3d.html``; of all, ``index.html``.

    Parameters
    ----------
    studies : sequence of GradientClasses
    out : path-like
        Made if missing; files of the same names are replaced, each whole or not at all.
    command : str
        Command line that repeats it, for the report.
    on_stage : callable, optional
        Told (name, seconds) of each finished stage.

    Returns
    -------
    GradientResult

    Raises
    ------
    CnnvisError
        Of the stage that failed; nothing half-written is left.
    """
    if not studies:
        raise InvalidInputError("There is nothing to do: give one study at least.")
    stages = Stages(on_stage)
    out = Path(out)
    with stages("check"):  # before the work, not after it
        require_rendering()
        require_writable(out)
    parts = _placed([_look(study, stages) for study in studies], out)
    files: dict[Path, str] = {}
    for part in parts:
        files |= _write(part, stages)
    with stages("report"):
        result = GradientResult(parts, files, stages.seconds, stages.total)
        files |= write_report(result, out, command=command)
    return replace(result, files=files, seconds=stages.seconds, total_seconds=stages.total)


# -- gradients -------------------------------------------------------------------------------------


def _look(study: GradientClasses, stages: Stages) -> Part:
    """Choose the cases, take their gradients and check them."""
    with stages("load network"):
        network = load(study.model, weights=study.weights, device=study.device, random_state=study.random_state)
    with stages("choose cases"):
        chosen = choose(network, study.cases)
    with stages("gradients of the cases"):
        recording = _record(study, network, chosen)
    layers = tuple(name for name, of_images in recording.weight_gradients.items() if _has_filters(of_images))
    with stages("mean gradients"):
        means = _record_means(study, network, chosen, layers)
        scores = _importance(study, network, chosen, layers)
    with stages("check by float64 differences"):
        checks = {layer: _check(study, network, chosen, layer) for layer in layers}
    found = tuple(_layer(study, recording, chosen, means, checks=checks[layer], layer=layer) for layer in layers)
    return Part(study, network, chosen, recording, found, scores)


def _record(study: GradientClasses, network: Network, chosen: Chosen) -> Recording:
    """Return the weight gradients of every case, (N, *weight) by layer."""
    layers = study.layers or network.default_layers[:1] or (first_convolution(network),)
    recording = record(
        network,
        torch.cat([case.inputs for case in chosen.cases]),
        layers,
        target=np.array([case.target.index for case in chosen.cases]),
        per_image=True,
        of=study.of,
        names=[case.image for case in chosen.cases],
    )
    if not any(map(_has_filters, recording.weight_gradients.values())):
        raise InvalidInputError(
            f"{', '.join(layers)} of {network.name} has no filters with rows and columns, so no volumes of "
            f"gradients. Name 2-D convolutions; `cnnvis info {network.name}` lists them."
        )
    return recording


def _has_filters(of_images: NDArray[Any]) -> bool:
    """Return whether gradients (N, *weight) are of filters with rows and columns: of a 2-D convolution."""
    return of_images.ndim == 5


def _record_means(
    study: GradientClasses, network: Network, chosen: Chosen, layers: tuple[str, ...]
) -> dict[str, Recording]:
    """Return the mean weight gradients over the images of each class, all of the neuron under inspection."""
    target = chosen.cases[0].target.index
    means = {}
    for name, (images, _) in chosen.by_class.items():
        recording = record(network, images, layers, target=target, of=study.of)
        means[f"{name}, mean of {len(images)} images"] = recording
    return means


def _importance(study: GradientClasses, network: Network, chosen: Chosen, layers: tuple[str, ...]) -> Importance | None:
    if not chosen.by_class:
        return None
    of_reference = next(iter(chosen.by_class.values()))
    return importance(network, of_reference, "gradient", layers=layers, of=study.of)


def _check(study: GradientClasses, network: Network, chosen: Chosen, layer: str) -> dict[str, GradientCheck]:
    """Return by case how well float64 finite differences agree with its gradient.

    Of photos only the first case: their networks are large, and a float64 pass takes a second.
    """
    checked = chosen.cases if isinstance(study.cases, LabelledCases) else chosen.cases[:1]
    return {
        case.label: check_gradients(
            network,
            case.inputs,
            case.target.index,
            layer,
            n_weights=study.n_checked,
            of=study.of,
            random_state=study.random_state,
        )
        for case in checked
    }


def _layer(
    study: GradientClasses,
    recording: Recording,
    chosen: Chosen,
    means: Mapping[str, Recording],
    *,
    layer: str,
    checks: Mapping[str, GradientCheck],
) -> LayerGradients:
    cases, inputs = chosen.cases, study.inputs
    volumes = {
        case.label: _of_case(
            case, gradient_volume(recording, layer, image=at, inputs=inputs, check=checks.get(case.label))
        )
        for at, case in enumerate(cases)
    }
    differences = {
        case.label: _difference(volumes[case.label], volumes[cases[case.reference].label])
        for at, case in enumerate(cases)
        if case.reference != at
    }
    mean_volumes = {name: gradient_volume(mean, layer, inputs=inputs) for name, mean in means.items()}
    norms, cosines = _compared(recording.weight_gradients[layer], [case.reference for case in cases])
    return LayerGradients(layer, volumes, differences, mean_volumes, norms, cosines, checks)


def _of_case(case: Case, volume: Volume) -> Volume:
    """Return the volume with a note on its own class; the recording's says that there is one per image."""
    return replace(
        volume, provenance=volume.provenance.noted(target=f"{case.target.name} ({case.target.index})", case=case.label)
    )


def _difference(volume: Volume, reference: Volume) -> Volume:
    return replace(volume, values=volume.values - reference.values, quantity=f"{volume.quantity}, difference")


def _compared(gradients: NDArray[Any], references: list[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the norm (N,) of each gradient, and the cosine (N,) of its angle with that of its reference."""
    flat = gradients.reshape(len(references), -1).astype(np.float64)
    norms = np.linalg.norm(flat, axis=1)
    with np.errstate(invalid="ignore"):  # a gradient of zeros has no direction: NaN, as announced
        return norms, (flat * flat[references]).sum(axis=1) / (norms * norms[references])


# -- files -----------------------------------------------------------------------------------------


def _placed(parts: Sequence[Part], out: Path) -> tuple[Part, ...]:
    """Return the parts with a folder each: a single one has `out` for itself."""
    if len(parts) == 1:
        return (replace(parts[0], folder=out),)
    names = (re.sub(r"[^\w.@-]+", "_", part.network.name) for part in parts)
    return tuple(
        replace(part, folder=out / f"{i}-{name}") for i, (part, name) in enumerate(zip(parts, names, strict=True), 1)
    )


def _write(part: Part, stages: Stages) -> dict[Path, str]:
    """Write all files of a part but the report."""
    with stages("save volumes"):
        files = _save_data(part)
    # VTK lets go of the interpreter while it renders, so the figures fill whatever time the cores have to spare.
    with ThreadPoolExecutor(max_workers=1) as beside:
        figures = beside.submit(timed, draw_figures, part)
        with stages("draw volumes"):
            files |= draw_volumes(part)
        with stages("films"):
            files |= draw_films(part)
        drawn, seconds = figures.result()
    stages.add("figures (meanwhile)", seconds)
    files |= drawn
    with stages("interactive page"):
        files |= interactive_page(part)
    return files


def _save_data(part: Part) -> dict[Path, str]:
    files = {}
    for layer in part.layers:
        series = {"gradients": layer.volumes, "differences": layer.differences, "means": layer.means}
        contents = ("gradients of all cases", "differences to the reference", "mean gradients by class of the images")
        for (name, volumes), content in zip(series.items(), contents, strict=True):
            if volumes:
                path = save(dict(volumes), part.folder_of(layer) / f"{name}.pvd")
                files[path] = f"{layer.layer}: {content}, a series for ParaView"
    first = part.layers[0]
    files[save(grid_of(part, first), part.folder / "scene.json")] = f"{first.layer}: all cases, for `cnnvis render`"
    return files
