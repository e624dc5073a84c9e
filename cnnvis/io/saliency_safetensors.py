"""A saliency map as one .safetensors file: `values` (H, W), `probabilities` (K,), everything else in the header."""

from __future__ import annotations

from pathlib import Path

from cnnvis.core import Provenance, SaliencyMap
from cnnvis.io._safetensors import Kind, all_tensors

KIND = Kind("saliency_map", 1)

FACTS = ("method", "target", "class_names", "layer")


def save(obj: SaliencyMap, path: Path) -> None:
    """Write a saliency map with all that is known of it."""
    facts = {name: getattr(obj, name) for name in FACTS}
    facts |= {"options": dict(obj.options), "provenance": obj.provenance.to_json()}
    KIND.write(path, {"values": obj.values, "probabilities": obj.probabilities}, facts)


def load(path: Path) -> SaliencyMap:
    """Return the map.

    Raises
    ------
    FileFormatError
        When the file is damaged or of a newer version.
    """
    with KIND.open(path) as (facts, file):
        return SaliencyMap(
            **all_tensors(file),
            **{name: facts[name] for name in FACTS},
            options=facts["options"],
            provenance=Provenance.from_json(facts["provenance"]),
        )
