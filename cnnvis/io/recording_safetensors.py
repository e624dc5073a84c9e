"""A recording as one .safetensors file: tensors by name, everything else as JSON in the header.

Tensors: `activations/<layer>`, `gradients/<layer>`, `weight_gradients/<layer>`, `logits`, `target`. Any safetensors
reader can open them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import FeatureMaps, Provenance, Recording
from cnnvis.core.atomic import AtomicWrite
from cnnvis.core.errors import FileFormatError, InvalidInputError

FORMAT = "cnnvis-recording"
VERSION = 1

DTYPES = {
    "float16": "F16",
    "float32": "F32",
    "float64": "F64",
    "int64": "I64",
    "int32": "I32",
    "uint8": "U8",
    "bool": "BOOL",
}
"""numpy dtypes that are written, by the name the format has for them."""


def save(obj: Recording, path: Path) -> None:
    """Write a recording. Tensors are written one after another: memory-mapped ones are never in memory as a whole."""
    if not isinstance(obj, Recording):
        raise InvalidInputError(f"A .safetensors file holds a Recording, got {type(obj).__name__}.")
    tensors = _tensors(obj)
    with AtomicWrite() as write, write.file(path).open("wb") as file:
        write_tensors(file, tensors, {"format": FORMAT, "version": str(VERSION), "recording": _facts(obj)})


def load(path: Path) -> Recording:
    """Return the recording.

    Raises
    ------
    FileFormatError
        When the file is damaged, of a newer version, or no recording (a checkpoint, say).
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            facts = _read_facts(path, file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        return _recording(facts, tensors)
    except (SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise FileFormatError(f"{path} is not a recording, or damaged: {error}") from error


def write_tensors(file: BinaryIO, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> None:
    """Write arrays in the safetensors format: length of the header, header as JSON, then the raw little-endian data.

    The library's own `save_file` first copies all tensors into memory; a recording may be larger than that.
    Wide dtypes come first, so that every tensor is aligned.
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    ordered = sorted(tensors.items(), key=lambda item: -item[1].dtype.itemsize)
    end = 0
    for name, array in ordered:
        if array.dtype.name not in DTYPES:
            raise InvalidInputError(f"{name} has dtype {array.dtype}; written are {', '.join(DTYPES)}.")
        start, end = end, end + array.nbytes
        header[name] = {"dtype": DTYPES[array.dtype.name], "shape": array.shape, "data_offsets": (start, end)}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    file.write(len(text).to_bytes(8, "little"))
    file.write(text)
    for _, array in ordered:
        file.write(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")))


def require_version(path: Path, metadata: Mapping[str, str], what: str, newest: int) -> None:
    """Raise FileFormatError for a file of a version above `newest`; a ValueError or KeyError where none is given."""
    if int(metadata["version"]) > newest:
        raise FileFormatError(
            f"{path} is {what} of version {metadata['version']}, this cnnvis reads {newest}; update cnnvis."
        )


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


def _facts(recording: Recording) -> str:
    """Return what is no tensor as JSON: order of layers, inputs, provenance, and that of a layer where it differs."""
    own = {
        name: maps.provenance.to_json()
        for name, maps in recording.maps.items()
        if maps.provenance != recording.provenance
    }
    return json.dumps(
        {
            "layers": list(recording.maps),
            "weight_gradients": list(recording.weight_gradients),
            "per_image": recording.per_image,
            "transposed": dict(recording.transposed),
            "inputs": recording.inputs,
            "provenance": recording.provenance.to_json(),
            "layer_provenance": own,
        }
    )


def _read_facts(path: Path, metadata: Mapping[str, str]) -> dict[str, Any]:
    if metadata.get("format") != FORMAT:
        raise FileFormatError(
            f"{path} is a .safetensors file, but no recording. A checkpoint is loaded by cnnvis.models.load."
        )
    require_version(path, metadata, "a recording", VERSION)
    facts: dict[str, Any] = json.loads(metadata["recording"])
    return facts


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
