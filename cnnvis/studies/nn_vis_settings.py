"""Settings of nn_vis, its `processing.json` and `rendering.json`, as options and look of a drawn network."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cnnvis.core.checks import require_number
from cnnvis.core.errors import FileFormatError, InvalidInputError, MissingFileError, did_you_mean
from cnnvis.scene import BundleItem, GlyphsItem, NetworkItem
from cnnvis.studies.bundle_results import DrawingOptions, NetworkLook

logger = logging.getLogger(__name__)

DRAWING = ("layer_distance", "layer_width", "prune_percentage", "node_bandwidth_reduction")
BUNDLING = ("edge_bandwidth_reduction", "edge_importance_type", "sampling_rate", "smoothing_iterations")
"""Keys that are options here, under the same names."""

SHADER = {
    "object_radius": "size",
    "base_opacity": "base_opacity",
    "importance_opacity": "importance_opacity",
    "depth_opacity": "depth_opacity",
    "opacity_exponent": "depth_exponent",
    "importance_threshold": "importance_threshold",
}
"""Parameters of its shaders, `edge_` or `node_` before each, and their names here."""

EDGE_MODES = ("none", "points", "points", "ellipsoids", "lines", "points")
NODE_MODES = ("none", "spheres", "spheres", "points")
"""Modes here by the numbers of its `edge_render_mode` and `node_render_mode`; spheres on a line are `points`."""

WITHOUT_EFFECT = ("grid_render_mode", "Grid", "Edge", "Node", "screen_width", "screen_height")
"""Keys about its grid and its window, and those of its old versions."""


@dataclass(frozen=True)
class NetworkSettings:
    """What files of settings ask for.

    Parameters
    ----------
    options : DrawingOptions
    look : NetworkLook
    """

    options: DrawingOptions = field(default_factory=DrawingOptions)
    look: NetworkLook = field(default_factory=NetworkLook)


def read_settings(paths: str | Path | Iterable[str | Path]) -> NetworkSettings:
    """Return the options and the look that settings of nn_vis ask for.

    A file may hold keys of `processing.json` and of `rendering.json`; of the same key in several files the last counts,
    and what no file names is as by default. Keys that nn_vis does not have are named in a warning and skipped; those of
    its grid and its window have no counterpart here.

    Parameters
    ----------
    paths : path-like, or iterable of these

    Raises
    ------
    MissingFileError
        When there is no such file.
    FileFormatError
        When it is no JSON object.
    InvalidInputError
        For a value that is not allowed; names file, key, value and what is allowed.

    Notes
    -----
    Sizes are radii at importance 1, as in nn_vis, and hold as they are; without a file they are chosen so that crowded
    networks let light through. `smoothing` false is `smoothing_iterations` 0.
    """
    found = NetworkSettings()
    for path in [paths] if isinstance(paths, (str, Path)) else paths:
        found = _with_file(found, Path(path))
    if found.look.lines.get("visible") is False and found.look.units.get("visible") is False:
        raise InvalidInputError("edge_render_mode and node_render_mode are both 0 (none): nothing would be drawn.")
    return found


def _with_file(found: NetworkSettings, path: Path) -> NetworkSettings:
    values = _read(path)
    known = {key: value for key, value in values.items() if key in KEYS}
    for key in values.keys() - known.keys() - set(WITHOUT_EFFECT):
        logger.warning("%s: unknown key %r is skipped. %s", path, key, did_you_mean(key, KEYS, what="keys"))
    try:
        options = _options(found.options, known)
        lines = dict(found.look.lines) | dict(_look(BundleItem, "edge", EDGE_MODES, known))
        units = dict(found.look.units) | dict(_look(GlyphsItem, "node", NODE_MODES, known))
    except InvalidInputError as error:
        raise InvalidInputError(f"{path}: {error}") from error
    return NetworkSettings(options, NetworkLook(lines=lines, units=units))


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MissingFileError(f"There is no file of settings {path}.") from None
    except (OSError, ValueError) as error:
        raise FileFormatError(f"{path} is not JSON as nn_vis's processing.json and rendering.json: {error}.") from error
    if not isinstance(values, dict):
        raise FileFormatError(f"{path} holds a {type(values).__name__}, not an object with a value for each key.")
    return values


def _options(options: DrawingOptions, known: Mapping[str, Any]) -> DrawingOptions:
    bundling = {key: known[key] for key in BUNDLING if key in known}
    smoothing = known.get("smoothing", True)
    if not isinstance(smoothing, bool):
        raise InvalidInputError(f"smoothing must be true or false, got {smoothing!r}.")
    if not smoothing:
        bundling["smoothing_iterations"] = 0
    drawing = {key: known[key] for key in DRAWING if key in known}
    return replace(options, **drawing, bundling=replace(options.bundling, **bundling))


def _look(
    kind: type[NetworkItem], prefix: str, modes: tuple[str, ...], known: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    """Yield the fields of an item that the keys with a prefix set."""
    for of_nn_vis, name in SHADER.items():
        key = f"{prefix}_{of_nn_vis}"
        if key in known:
            at_least, at_most = kind.model_fields[name].metadata
            require_number(key, known[key], at_least.ge, at_most.le)
            yield name, float(known[key])
    key = f"{prefix}_render_mode"
    if key in known:
        require_number(key, known[key], 0, len(modes) - 1, whole=True)
        mode = modes[known[key]]
        yield "visible", mode != "none"
        if mode != "none":
            yield "mode", mode


KEYS = (
    *DRAWING,
    *BUNDLING,
    "smoothing",
    *(f"{prefix}_{name}" for prefix in ("edge", "node") for name in (*SHADER, "render_mode")),
)
"""Keys that are read."""
