"""The .safetensors format: a recording, importance, a bundled network or a survey, as the file's own header says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cnnvis.core import BundledNetwork, Importance, NetworkMaps, Recording, SaliencyMap, Survey
from cnnvis.core.errors import FileFormatError, InvalidInputError
from cnnvis.io import (
    importance_safetensors,
    network_maps_safetensors,
    network_safetensors,
    recording_safetensors,
    saliency_safetensors,
    survey_safetensors,
)

CONTENTS = {
    recording_safetensors.KIND.format.name: (recording_safetensors, Recording),
    importance_safetensors.KIND.format.name: (importance_safetensors, Importance),
    network_safetensors.KIND.format.name: (network_safetensors, BundledNetwork),
    survey_safetensors.KIND.format.name: (survey_safetensors, Survey),
    network_maps_safetensors.KIND.format.name: (network_maps_safetensors, NetworkMaps),
    saliency_safetensors.KIND.format.name: (saliency_safetensors, SaliencyMap),
}
"""By the format named in the header: the module that reads and writes it, and the type that it holds."""


def save(obj: Any, path: Path) -> None:
    """Write a recording, importance, a bundled network, a survey, the maps of a network or where a class is seen."""
    for module, kind in CONTENTS.values():
        if isinstance(obj, kind):
            module.save(obj, path)
            return
    raise InvalidInputError(
        "A .safetensors file holds a Recording, Importance, BundledNetwork, Survey, NetworkMaps or SaliencyMap, got "
        f"{type(obj).__name__}."
    )


def load(path: Path) -> Any:
    """Return what `save` wrote.

    Raises
    ------
    FileFormatError
        When the file is damaged, of a newer version, or none of these (a checkpoint, say).
    """
    name = format_of(path)
    if name is None or name not in CONTENTS:
        raise FileFormatError(
            f"{path} is a .safetensors file, but no recording, importance, bundled network, survey, maps of a "
            "network or saliency map. A checkpoint is loaded by cnnvis.models.load."
        )
    return CONTENTS[name][0].load(path)


def format_of(path: Path) -> str | None:
    """Return the format that the header of a file names, "pt" or None in checkpoints; reads nothing else.

    Raises
    ------
    FileFormatError
        When there is no such header.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            name: str | None = (file.metadata() or {}).get("format")
    except SafetensorError as error:
        raise FileFormatError(
            f"{path} is not a recording, importance, network or survey, or it is damaged: {error}"
        ) from error
    return name
