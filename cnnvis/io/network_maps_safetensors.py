"""The maps of a network as one .safetensors file: tensors by name, everything else as JSON in the header.

Tensors: `values/<layer>` (C, H, W), `depths`, `flow`, `limits`, `link_ends`, `link_weights`; of each layer that is read
pixel by pixel `pixels/<number>/maps`, `places`, `weights`, `rows` and `columns`.
"""

from __future__ import annotations

from pathlib import Path

from cnnvis.core import NetworkMaps, Provenance
from cnnvis.core.pixel_links import PixelLinks
from cnnvis.io._safetensors import Kind, all_tensors

KIND = Kind("network_maps", 1)

PIXEL_ARRAYS = ("maps", "places", "weights", "rows", "columns")
PIXEL_FACTS = ("source", "target", "n_entries", "weighted")

ARRAYS = ("depths", "flow", "limits", "link_ends", "link_weights")


def save(obj: NetworkMaps, path: Path) -> None:
    """Write the maps of a network with all that is known of them."""
    tensors = {f"values/{layer}": stack for layer, stack in zip(obj.layers, obj.values, strict=True)}
    facts = {
        "layers": obj.layers,
        "roles": [str(role) for role in obj.roles],
        "caption": obj.caption,
        "quantity": obj.quantity,
        "pixel_links": [{name: getattr(links, name) for name in PIXEL_FACTS} for links in obj.pixel_links],
        "provenance": obj.provenance.to_json(),
    }
    for number, links in enumerate(obj.pixel_links):
        tensors |= {f"pixels/{number}/{name}": getattr(links, name) for name in PIXEL_ARRAYS}
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
            pixel_links=tuple(
                PixelLinks(**found, **{name: tensors[f"pixels/{number}/{name}"] for name in PIXEL_ARRAYS})
                for number, found in enumerate(facts.get("pixel_links", ()))
            ),
            caption=facts["caption"],
            quantity=facts["quantity"],
            provenance=Provenance.from_json(facts["provenance"]),
        )
