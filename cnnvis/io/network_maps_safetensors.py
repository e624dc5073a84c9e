"""The maps of a network as one .safetensors file: tensors by name, everything else as JSON in the header.

Tensors: `values/<layer>` (C, H, W), `depths`, `flow`, `limits`, `link_ends`, `link_weights`.
"""

from __future__ import annotations

from pathlib import Path

from cnnvis.core import NetworkMaps, Provenance
from cnnvis.io._safetensors import Kind, all_tensors

KIND = Kind("network_maps", 1)

ARRAYS = ("depths", "flow", "limits", "link_ends", "link_weights")


def save(obj: NetworkMaps, path: Path) -> None:
    """Write the maps of a network with all that is known of them."""
    tensors = {f"values/{layer}": stack for layer, stack in zip(obj.layers, obj.values, strict=True)}
    facts = {
        "layers": obj.layers,
        "roles": [str(role) for role in obj.roles],
        "caption": obj.caption,
        "quantity": obj.quantity,
        "provenance": obj.provenance.to_json(),
    }
    KIND.write(path, tensors | {name: getattr(obj, name) for name in ARRAYS}, facts)


def load(path: Path) -> NetworkMaps:
    """Return the maps.

    Raises
    ------
    FileFormatError
        When the file is damaged or of a newer version.
    """
    with KIND.open(path) as (facts, file):
        tensors = all_tensors(file)
        return NetworkMaps(
            layers=tuple(facts["layers"]),
            roles=tuple(facts["roles"]),
            values=tuple(tensors[f"values/{layer}"] for layer in facts["layers"]),
            **{name: tensors[name] for name in ARRAYS},
            caption=facts["caption"],
            quantity=facts["quantity"],
            provenance=Provenance.from_json(facts["provenance"]),
        )
