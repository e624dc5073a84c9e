"""`cnnvis info`."""

from __future__ import annotations

import json as json_format
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from cnnvis.cli._options import Device, Model, Weights

if TYPE_CHECKING:
    from cnnvis.core import LayerNode, ModelGraph
    from cnnvis.models import Network

_COLUMNS = ("layer", "type", "output shape", "parameters", "recordable", "maps")


def info(
    model: Model,
    *,
    weights: Weights = None,
    device: Device = "auto",
    json: Annotated[bool, Parameter(name="--json", negative="", show_default=False)] = False,
) -> None:
    """List every layer of a network: name, type, output shape, parameters.

    Layers are in the order in which they run, functional operations included. "recordable" says whether
    their values can be recorded, "maps" whether these are (row, column) maps that make a volume.

    Parameters
    ----------
    json : bool
        Print JSON instead of a table.
    """
    from cnnvis.capture import trace
    from cnnvis.models import load

    network = load(model, weights=weights, device=device)
    graph = trace(network)
    lines = [json_format.dumps(_as_data(network, graph), indent=2)] if json else _as_text(network, graph)
    sys.stdout.write("\n".join(lines) + "\n")


def _as_data(network: Network, graph: ModelGraph) -> dict[str, Any]:
    """Return all that is printed as JSON-able values."""
    return {
        "model": network.name,
        "class": graph.model,
        "weights": network.weights or "unknown",
        "parameters": network.n_parameters,
        "sha256": network.sha256,
        "device": str(network.device),
        "inputs": [list(tensor.shape) for tensor in network.example],
        "preprocessing": network.image.describe() if network.image else None,
        "classes": len(network.class_names) if network.class_names else None,
        "default_layers": list(network.default_layers),
        "layers": [
            {
                "name": layer.name,
                "type": layer.type,
                "role": str(layer.role),
                "shape": list(layer.shape),
                "parameters": layer.parameters,
                "recordable": layer.recordable,
                "has_maps": layer.has_maps,
            }
            for layer in graph.layers
        ],
    }


def _as_text(network: Network, graph: ModelGraph) -> list[str]:
    """Return the same as lines: what the network is, then a table that cuts no name, however wide."""
    data = _as_data(network, graph)
    head = {
        "model": f"{data['model']} ({data['class']})",
        "weights": data["weights"],
        "parameters": f"{data['parameters']:,}",
        "input": ", ".join(_shape(shape) for shape in data["inputs"]),
        "image": data["preprocessing"] or "none stated",
        "classes": str(data["classes"] or "not named"),
        "look at": ", ".join(data["default_layers"]),
    }
    lines = [f"{title + ':':<12}{text}" for title, text in head.items() if text]
    recordable = sum(layer.recordable for layer in graph.layers)
    return [
        *lines,
        "",
        *_table(_COLUMNS, [_row(layer) for layer in graph.layers], right=("parameters",)),
        "",
        f"{len(graph.layers)} layers, {recordable} recordable.",
    ]


def _row(layer: LayerNode) -> tuple[str, ...]:
    return (
        layer.name,
        layer.type,
        _shape(layer.shape),
        f"{layer.parameters:,}" if layer.parameters else "",
        "yes" if layer.recordable else "no",
        "yes" if layer.recordable and layer.has_maps else "",
    )


def _shape(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()) -> list[str]:
    """Return `rows` under their titles as lines of aligned columns, each as wide as its widest text."""
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    rule = ["-" * width for width in widths]
    return [
        "  ".join(
            text.rjust(width) if title in right else text.ljust(width)
            for title, text, width in zip(titles, row, widths, strict=True)
        ).rstrip()
        for row in (titles, rule, *rows)
    ]
