"""A recording as one .safetensors file: tensors by name, everything else as JSON in the header.

Tensors: `activations/<layer>`, `gradients/<layer>`, `weight_gradients/<layer>`, `logits`, `target`. Any safetensors
reader can open them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import FeatureMaps, Provenance, Recording
from cnnvis.core.errors import InvalidInputError
from cnnvis.io._safetensors import Kind, all_tensors

KIND = Kind("recording", 1)


def save(obj: Recording, path: Path) -> None:
    """Write a recording. Tensors are written one after another: memory-mapped ones are never in memory as a whole."""
    if not isinstance(obj, Recording):
        raise InvalidInputError(f"A .safetensors file holds a Recording, got {type(obj).__name__}.")
    KIND.write(path, _tensors(obj), _facts(obj))


def load(path: Path) -> Recording:
    """Return the recording.

    Raises
    ------
    FileFormatError
        When the file is damaged, of a newer version, or no recording (a checkpoint, say).
    """
    with KIND.open(path) as (facts, file):
        return _recording(facts, all_tensors(file))


def _tensors(recording: Recording) -> dict[str, NDArray[Any]]:
    tensors: dict[str, NDArray[Any]] = {}
    for name, maps in recording.maps.items():
        tensors[f"activations/{name}"] = maps.activations
        if maps.gradients is not None:
            tensors[f"gradients/{name}"] = maps.gradients
    tensors |= {f"weight_gradients/{name}": array for name, array in recording.weight_gradients.items()}
    if recording.logits is not None:
        tensors["logits"] = recording.logits
    if recording.target is not None:
        tensors["target"] = np.asarray(recording.target, dtype=np.int64)
    return tensors


def _facts(recording: Recording) -> dict[str, Any]:
    """Return what is no tensor: order of layers, inputs, provenance, and that of a layer where it differs."""
    own = {
        name: maps.provenance.to_json()
        for name, maps in recording.maps.items()
        if maps.provenance != recording.provenance
    }
    return {
        "layers": list(recording.maps),
        "weight_gradients": list(recording.weight_gradients),
        "per_image": recording.per_image,
        "transposed": dict(recording.transposed),
        "inputs": recording.inputs,
        "provenance": recording.provenance.to_json(),
        "layer_provenance": own,
    }


def _recording(facts: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Recording:
    provenance = Provenance.from_json(facts["provenance"])
    own = {name: Provenance.from_json(text) for name, text in facts["layer_provenance"].items()}
    maps = {
        name: FeatureMaps(
            activations=tensors[f"activations/{name}"],
            layer=name,
            gradients=tensors.get(f"gradients/{name}"),
            provenance=own.get(name, provenance),
        )
        for name in facts["layers"]
    }
    target = tensors.get("target")
    return Recording(
        maps=maps,
        logits=tensors.get("logits"),
        inputs=tuple(facts["inputs"]),
        target=int(target) if target is not None and target.ndim == 0 else target,
        weight_gradients={name: tensors[f"weight_gradients/{name}"] for name in facts["weight_gradients"]},
        per_image=facts.get("per_image", False),
        transposed=facts.get("transposed", {}),
        provenance=provenance,
    )
