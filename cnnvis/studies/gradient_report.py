"""The report of the study of gradients by class: one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cnnvis.report import Page
from cnnvis.studies.gradient_results import GradientResult, LabelledCases, LayerGradients, Part, PhotoCases
from cnnvis.studies.page_end import machine_facts, write_page

SUMMARY = (
    "Which weights a class neuron leans on: the derivative of its score by every filter weight, for one image after "
    "the other, as volumes and filter by filter."
)

SIGNED = (
    "Every voxel, and every pixel of a tile, is one weight of a filter. Red: were this weight a little larger, the "
    "{quantity} would rise for this image. Blue: it would fall. Pale or transparent: it would hardly change."
)

NORM = (
    "Every voxel, and every pixel of a tile, is one place in the kernel of a filter: the L2 norm of its gradients over "
    "the input channels. The brighter, the more the {quantity} of this image changes with these weights."
)

SHARED = (
    "All cases of a figure share one colour range. The volumes use cube roots, so that weak filters are seen beside "
    "strong ones; the tiles are linear."
)

BLOCKS = "The input channels stand side by side; a missing column parts them."

MEANS = (
    "A single image may mislead. The mean over many images of a class keeps what they have in common; CNN-VIS took its "
    "importance of filters from such means. Beside them stands the importance of each filter for {name}: the norm of "
    "its gradient, as the mean over the images of {name}."
)


def write_report(result: GradientResult, out: Path, *, command: str) -> dict[Path, str]:
    """Write index.html, which carries all pictures, films and interactive views inside."""
    page = Page("Gradients of class neurons", SUMMARY)
    for part in result.parts:
        _warn(page, part)
        _part_section(page, part)
        for layer in part.layers:
            _layer_section(page, part, layer)
        _view(page, part)
    return write_page(page, result, out, command=command, facts=machine_facts())


def _warn(page: Page, part: Part) -> None:
    if part.network.weights == "random":
        page.warning(f"{part.network.name} has RANDOM WEIGHTS: nothing here was learned.")
    for sentence in part.chosen.missing:
        page.warning(f"{part.network.name}: {sentence}")
    for layer in part.layers:
        for case, norm in zip(part.cases, layer.norms, strict=True):
            if not np.isfinite(norm):
                page.warning(f"{layer.layer}, {case.label}: gradients are NaN or infinite; they are drawn as missing.")


# -- cases -----------------------------------------------------------------------------------------


def _part_section(page: Page, part: Part) -> None:
    page.section(f"{part.network.name}: {_neurons(part)}")
    page.text(" ".join(_findings(part)))
    page.text(part.chosen.rule)
    page.figure(
        part.folder / "cases.png",
        "The images of the cases, what the network takes them for, and the probability it gives the class whose "
        "neuron is differentiated.",
        alt=f"Images of the cases: {'; '.join(case.label for case in part.cases)}",
    )
    page.facts(_facts(part))


def _neurons(part: Part) -> str:
    names = list(dict.fromkeys(case.target.name for case in part.cases))
    return f"the neuron {names[0]}" if len(names) == 1 else f"{len(names)} class neurons"


def _findings(part: Part) -> Iterator[str]:
    """Yield what is seen in the first layer, in sentences made from its numbers."""
    layer, cases = part.layers[0], part.cases
    yield f"{layer.layer} of {part.network.name}, seen from {_neurons(part)}."
    strongest, weakest = (int(at) for at in (layer.norms.argmax(), layer.norms.argmin()))
    yield (
        f"The gradient is strongest for “{cases[strongest].label}” (norm {layer.norms[strongest]:.3g}) and weakest for "
        f"“{cases[weakest].label}” ({layer.norms[weakest]:.3g})."
    )
    others = [at for at, case in enumerate(cases) if case.reference != at and layer.cosines[at] == layer.cosines[at]]
    if others:
        nearest, farthest = (choose(others, key=lambda at: layer.cosines[at]) for choose in (max, min))
        yield (
            f"Most like its reference is “{cases[nearest].label}” (cosine {_signed(layer.cosines[nearest])}), "
            f"least like it “{cases[farthest].label}” ({_signed(layer.cosines[farthest])})."
        )


def _signed(number: float) -> str:
    return f"{number:.2f}".replace("-", "−")


def _facts(part: Part) -> dict[str, str]:
    study, network, provenance = part.study, part.network, part.recording.provenance
    asked = study.cases
    facts = {
        "network": network.name,
        "weights": f"{network.weights or 'unknown'} (sha256 {provenance.model_sha256[:12]})",
        "images": _images(asked),
        "preprocessing": provenance.preprocessing or "none",
        "differentiated": study.of,
        "input channels": dict(next(iter(part.layers[0].volumes.values())).provenance.notes)["input channels"],
        "layers": "; ".join(f"{layer.layer} {next(iter(layer.volumes.values())).shape}" for layer in part.layers),
        "seed": str(study.random_state),
    }
    for name, (images, _) in part.chosen.by_class.items():
        facts[f"mean over {name}"] = f"{len(images)} images"
    return facts


# -- layers ----------------------------------------------------------------------------------------


def _layer_section(page: Page, part: Part, layer: LayerGradients) -> None:
    folder = part.folder_of(layer)
    page.section(f"{_at(part, layer)}: gradients")
    reading = (NORM if part.study.inputs == "norm" else SIGNED).format(quantity=part.study.of)
    page.text(" ".join([reading, SHARED] + [BLOCKS] * (part.study.inputs == "blocks")))
    page.table(*_case_table(part, layer))
    drawn = {
        "volumes.png": "The gradients of all cases as volumes, under one colour range.",
        "tiles.png": "The same, filter by filter: each tile is the kernel of one filter.",
    }
    _figures(page, folder, drawn, layer.layer)
    page.video(folder / "gradients.mp4", f"{layer.layer}: the cases one after the other, under one fixed range.")
    if layer.differences:
        page.section(f"{_at(part, layer)}: differences to the reference")
        page.text(_compared(part))
        drawn = {
            "differences.png": "Gradient of each case minus that of its reference, as volumes.",
            "difference_tiles.png": "The same, filter by filter.",
        }
        _figures(page, folder, drawn, layer.layer)
        page.video(folder / "differences.mp4", f"{layer.layer}: the differences one after the other.")
    if layer.means:
        page.section(f"{_at(part, layer)}: means over many images")
        page.text(MEANS.format(name=part.cases[0].target.name))
        drawn = {
            "mean_tiles.png": "Mean gradient over the images of each class, filter by filter.",
            "importance.png": f"Importance of the filters for {part.cases[0].target.name}: mean norm of the gradient.",
        }
        _figures(page, folder, drawn, layer.layer)
    _check(page, part, layer)


def _at(part: Part, layer: LayerGradients) -> str:
    return f"{part.network.name}, {layer.layer}"


def _figures(page: Page, folder: Path, captions: dict[str, str], layer: str) -> None:
    for name, caption in captions.items():
        page.figure(folder / name, caption, alt=f"{layer}: {caption}")


def _compared(part: Part) -> str:
    references = dict.fromkeys(part.cases[case.reference].label for case in part.cases)
    return f"Compared with {'; '.join(f'“{label}”' for label in references)}. Red: larger than there; blue: smaller."


def _case_table(part: Part, layer: LayerGradients) -> tuple[tuple[str, ...], list[tuple[str | float | None, ...]], str]:
    rows: list[tuple[str | float | None, ...]] = []
    for at, case in enumerate(part.cases):
        cosine = None if case.reference == at else f"{layer.cosines[at]:.3f}".replace("-", "−")
        probability = f"{case.target.probability:.3g}"
        rows.append((case.label, case.image, case.target.name, probability, f"{layer.norms[at]:.4g}", cosine))
    columns = ("case", "image", "neuron", "its probability", "norm of the gradient", "cosine to the reference")
    return columns, rows, f"{layer.layer}: how strong each gradient is, and how like that of its reference."


def _check(page: Page, part: Part, layer: LayerGradients) -> None:
    page.section(f"{_at(part, layer)}: are the gradients right?")
    page.text(
        f"Sampled weights were moved up and down in float64, and the change of the {part.study.of} compared with the "
        "gradient. Weights at which a ReLU or a maximum switches within the smallest step have no derivative to "
        "compare with; they are left out, and counted."
    )
    rows = [
        (label, check.n_checked, check.n_excluded, f"{check.max_error:.1e}", f"{check.median_error:.1e}")
        for label, check in layer.checks.items()
    ]
    columns = ("case", "weights checked", "left out", "largest relative error", "median")
    page.table(columns, rows, f"{layer.layer}: gradients against float64 finite differences.")


def _view(page: Page, part: Part) -> None:
    page.section(f"{part.network.name} in three dimensions")
    page.view3d(
        (part.folder / "view3d.html").read_text(encoding="utf-8"),
        "Drag to turn, wheel to zoom; the slider goes from case to case, the buttons change to the differences.",
        poster=part.folder / "volumes.png",
    )


def _images(asked: LabelledCases | PhotoCases) -> str:
    if isinstance(asked, PhotoCases):
        return ", ".join(map(str, asked.images))
    return str(asked.data or "those that come with cnnvis for its classes")
