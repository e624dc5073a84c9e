"""Importance as one .safetensors file: tensors by name, everything else as JSON in the header.

Tensors: `scores/<layer>`, `per_class/<layer>`, `signed/<layer>`. Any safetensors reader can open them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from cnnvis.core import Importance
from cnnvis.io._safetensors import Kind, all_tensors
from cnnvis.io._table import options_text

KIND = Kind("importance", 1)

PARTS = ("scores", "per_class", "signed")


def save(obj: Importance, path: Path) -> None:
    """Write importance by one method, with all it knows."""
    layers = {part: list(getattr(obj, part) or {}) for part in PARTS}
    tensors = {f"{part}/{layer}": getattr(obj, part)[layer] for part in PARTS for layer in layers[part]}
    facts = {
        "layers": layers,
        "by_class": obj.per_class is not None,
        "method": obj.method,
        "class_names": obj.class_names,
        "options": options_text(obj.options),
    }
    KIND.write(path, tensors, facts)


def load(path: Path) -> Importance:
    """Return the importance.

    Raises
    ------
    FileFormatError
        When the file is damaged or of a newer version.
    """
    with KIND.open(path) as (facts, file):
        return _importance(facts, all_tensors(file))


def _importance(facts: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Importance:
    parts = {part: {layer: tensors[f"{part}/{layer}"] for layer in facts["layers"][part]} for part in PARTS}
    return Importance(
        scores=parts["scores"],
        method=facts["method"],
        per_class=parts["per_class"] if facts["by_class"] else None,
        signed=parts["signed"],
        options=json.loads(facts["options"]),
        class_names=facts["class_names"],
    )
