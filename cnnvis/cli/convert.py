"""`cnnvis convert`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from cnnvis.cli._options import Quiet

SETS = (".vtm", ".pvd", ".safetensors", ".csv")
"""Suffixes of files that hold several things by name."""


def convert(
    source: Path,
    target: Path,
    /,
    *,
    layer: Annotated[str, Parameter(name="--layer", metavar="NAME", show_default=False)] = "",
    index: Annotated[int, Parameter(name="--index")] = 0,
    quiet: Quiet = False,
) -> None:
    """Convert a file from one format to another, chosen by the suffixes.

    Volumes: .vti, .vox with .hd, .npy. Several: .vtm by name, .pvd as a series. Recordings: .safetensors.
    Importance: .csv, .safetensors. Orders, pruning curves: .csv. Scenes: .json. Bundled networks: .safetensors, and
    for ParaView .vtm, or .vtp of its lines or units, named by --layer.

    Parameters
    ----------
    source : Path
        File to read.
    target : Path
        File to write; what was there is replaced once the new file is whole.
    layer : str
        Which layer, block or frame, where the source holds several and the target one.
    index : int
        Which image, where the source holds several: 0 is the first, -1 the last.
    quiet : bool
        Print nothing.
    """
    from cnnvis.io import load, save

    written = save(_chosen(load(source), layer, index, target.suffix.lower()), target)
    if not quiet:
        sys.stdout.write(f"{written}\n")


def _chosen(obj: Any, layer: str, index: int, suffix: str) -> Any:
    """Return the part of `obj` that a file with this suffix is to hold."""
    from cnnvis.core import BundledNetwork, FeatureMaps, Recording, as_volume
    from cnnvis.geometry import layers_with_maps
    from cnnvis.scene import Scene

    if isinstance(obj, Recording) and suffix == ".vtm" and not layer:
        return {name: maps.volume(image=index) for name, maps in layers_with_maps(obj).items()}
    if isinstance(obj, Recording) and suffix == ".pvd":
        return _named(obj.maps, layer)
    if isinstance(obj, BundledNetwork) and suffix == ".json":
        return Scene.of_network(obj)
    if isinstance(obj, BundledNetwork) and (layer or suffix not in SETS):
        return _named({"lines": obj.lines, "units": obj.points}, layer)
    if isinstance(obj, Recording | Mapping) and (layer or suffix not in SETS):
        obj = _named(obj.maps if isinstance(obj, Recording) else obj, layer)
    if isinstance(obj, FeatureMaps) or (getattr(obj, "ndim", 0) == 4 and suffix not in (".npy", ".pvd")):
        obj = as_volume(obj, image=index)
    return {layer: obj} if layer and suffix in SETS else obj


def _named(parts: Mapping[Any, Any], name: str) -> Any:
    """Return the part of that name, or the only one."""
    from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, did_you_mean

    by_name = {str(key): part for key, part in parts.items()}
    if not name and len(by_name) == 1:
        return next(iter(by_name.values()))
    if not name:
        raise InvalidInputError(f"The source holds several; choose one with --layer: {', '.join(by_name)}.")
    if name not in by_name:
        raise LayerNotFoundError(f"The source has no {name!r}. {did_you_mean(name, by_name)}")
    return by_name[name]
