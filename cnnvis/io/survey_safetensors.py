"""A survey as one .safetensors file: tensors by name, everything else as JSON in the header.

Tensors: `<layer>/mean`, `<layer>/correlation` ..., `<layer>/maps/std` ..., `<layer>/by_class/mean` ..., `confusion`,
`window_images` ..., `convergence/n_images`, `convergence/change/<layer>`. Any safetensors reader can open them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from cnnvis.core import (
    ClassStatistics,
    Convergence,
    Grouping,
    LayerSurvey,
    MapStatistics,
    Provenance,
    SkippedImage,
    Survey,
)
from cnnvis.io._safetensors import Kind, all_tensors

KIND = Kind("survey", 1)

_OF_WINDOW = ("window_images", "window_labels", "window_answers")
_PARTS = {"maps": MapStatistics, "by_class": ClassStatistics}
_OTHERS = ("value", "value_type", "spatial", *_PARTS)
_ARRAYS = tuple(field.name for field in fields(LayerSurvey) if field.name not in _OTHERS)


def save(obj: Survey, path: Path) -> None:
    """Write a survey with all it knows."""
    tensors: dict[str, NDArray[Any]] = {name: getattr(obj, name) for name in _OF_WINDOW}
    for name, layer in obj.layers.items():
        tensors |= {f"{name}/{field}": getattr(layer, field) for field in _ARRAYS}
        if layer.spatial is not None:
            tensors[f"{name}/spatial"] = layer.spatial
        for part in _PARTS:
            found = getattr(layer, part)
            if found is not None:
                tensors |= {f"{name}/{part}/{field.name}": getattr(found, field.name) for field in fields(found)}
    if obj.confusion is not None:
        tensors["confusion"] = obj.confusion
    if obj.convergence is not None:
        tensors["convergence/n_images"] = obj.convergence.n_images
        tensors |= {f"convergence/change/{name}": change for name, change in obj.convergence.change.items()}
    KIND.write(path, tensors, _facts(obj))


def load(path: Path) -> Survey:
    """Return the survey.

    Raises
    ------
    FileFormatError
        When the file is damaged or of a newer version.
    """
    with KIND.open(path) as (facts, file):
        return _survey(facts, all_tensors(file))


def _facts(survey: Survey) -> dict[str, Any]:
    return {
        "values": {name: layer.value for name, layer in survey.layers.items()},
        "value_types": {name: layer.value_type for name, layer in survey.layers.items()},
        "signal": survey.signal,
        "n_images": survey.n_images,
        "image_names": {str(image): name for image, name in survey.image_names.items()},
        "n_skipped": survey.n_skipped,
        "skipped": [[image.name, image.reason] for image in survey.skipped],
        "class_names": survey.class_names,
        "grouping": asdict(survey.grouping),
        "provenance": survey.provenance.to_json(),
    }


def _survey(facts: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Survey:
    names, types = facts["class_names"], facts.get("value_types", {})  # files of older versions have neither of these
    return Survey(
        layers={name: _layer(name, (value, types.get(name, "")), tensors) for name, value in facts["values"].items()},
        signal=facts["signal"],
        n_images=facts["n_images"],
        confusion=tensors.get("confusion"),
        **{name: tensors[name] for name in _OF_WINDOW},
        image_names={int(image): name for image, name in facts["image_names"].items()},
        n_skipped=facts["n_skipped"],
        skipped=tuple(SkippedImage(*pair) for pair in facts["skipped"]),
        convergence=_convergence(facts["values"], tensors),
        class_names=None if names is None else tuple(names),
        grouping=Grouping(**facts.get("grouping", {})),
        provenance=Provenance.from_json(facts["provenance"]),
    )


def _layer(name: str, value: tuple[str, str], tensors: Mapping[str, NDArray[Any]]) -> LayerSurvey:
    """Return what is known of a layer, of which `value` says name and type of what gave the values."""
    parts = {}
    for part, kind in _PARTS.items():
        held = [field.name for field in fields(kind)]
        if f"{name}/{part}/{held[0]}" in tensors:
            parts[part] = kind(**{field: tensors[f"{name}/{part}/{field}"] for field in held})
    arrays = {field: tensors[f"{name}/{field}"] for field in _ARRAYS}
    spatial = tensors.get(f"{name}/spatial")
    return LayerSurvey(value=value[0], value_type=value[1], spatial=spatial, **arrays, **parts)


def _convergence(layers: Mapping[str, str], tensors: Mapping[str, NDArray[Any]]) -> Convergence | None:
    n_images = tensors.get("convergence/n_images")
    if n_images is None:
        return None
    return Convergence(n_images, {name: tensors[f"convergence/change/{name}"] for name in layers})
