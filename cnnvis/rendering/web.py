"""Volumes and networks as one HTML file that turns in any browser, without a server, a network or an extension.

The page carries its own small WebGL 2 renderer, so that all orders of a layer share one copy of the maps and
switching between them is instant. (The vtk.js page that pyvista exports shows no volumes: its viewer asks for the
scalars before they are loaded; measured with trame-vtk 2.11.17, pull request 88 there.)
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import Volume
from cnnvis.core.atomic import save_bytes
from cnnvis.core.errors import FileFormatError, InvalidInputError
from cnnvis.core.ordering import method_title
from cnnvis.core.palette import group_colour
from cnnvis.rendering.scene_shapes import network_frames
from cnnvis.rendering.shapes import N_LINES, Shape
from cnnvis.rendering.style import format_values
from cnnvis.rendering.viewpoint import VIEW_ANGLE, direction_of
from cnnvis.rendering.volume_cast import ABSORPTION_DEPTH
from cnnvis.rendering.web_network import drawing
from cnnvis.scene import LabelsItem, Scene, SceneGrid, TransferFunction, VolumeItem, scenes_of

PAGE_SUFFIXES = (".html", ".htm")

PAGE_FILES = ("page.html", "gl.js", "volume.js", "frame.js", "network.js", "page.js")
"""The parts of the page: the frame, and the scripts that go into it, in this order."""

LABELS = 5
CODES = 254
"""Steps of the 8-bit positions that are sent; code 0 stands for a missing value."""


def export_html(target: Scene | SceneGrid, path: str | Path, *, n_lines: int = N_LINES) -> Path:
    """Write the volumes, bundles and units of a scene or a grid as one self-contained HTML file.

    Several volumes become one view with a button for each; those that show the same maps in different
    orders share one copy of the data. A series gets a slider over its frames, and shows their labels. Bundles and
    units stand with every volume of their scene, or alone; classes, straight or bundled, opacity and threshold are
    chosen on the page. Hidden layers are left out. What is selected is not marked: a selection belongs to whoever
    looks, and readers of the page have not made it.

    Parameters
    ----------
    target : Scene or SceneGrid
    path : path-like ending in .html
        Written whole or not at all.
    n_lines : int, default: 20,000
        At most so many lines of each bundle, the most important ones, as the page says.

    Notes
    -----
    About 40 kB, plus 4/3 byte per voxel, plus for each frame 14 bytes per point of a line and 4/3 per class. Values are
    sent as 8 or 16 bits: the picture shows what the still shows, the numbers are in the .vti and .vtp files.
    """
    path = Path(path)
    if path.suffix.lower() not in PAGE_SUFFIXES:
        raise FileFormatError(f"Cannot write a web page as {path.name!r}; its name must end in .html.")
    text = scene_html(target, n_lines=n_lines)
    return save_bytes(text.encode("utf-8"), path)


def scene_html(target: Scene | SceneGrid, *, n_lines: int = N_LINES) -> str:
    """Return the text of the HTML file that `export_html` writes."""
    if n_lines < 1:
        raise InvalidInputError(f"n_lines must be at least 1, got {n_lines}.")
    scenes = scenes_of(target)
    stacks: dict[str, dict[str, Any]] = {}
    drawings: list[dict[str, Any]] = []
    shown: list[tuple[Scene, VolumeItem | None]] = []
    views = []
    for scene in scenes:
        network = network_frames(scene)
        if network:
            drawings.append(drawing(network, n_lines) | {"labels": _labels(scene)})
        for item in _volumes(scene) or ([None] if network else []):
            shown.append((scene, item))
            views.append(_view(scene, item, stacks, network[0] if network else ()))
            views[-1]["drawing"] = len(drawings) - 1 if network else None
    if not shown:
        raise InvalidInputError("The scene has no visible volume, bundle or units; a web page shows these.")
    for view, name in zip(views, _names(shown), strict=True):
        view["name"] = name
    page = {
        "dark": scenes[0].background == "dark",
        "direction": direction_of(scenes[0].camera).tolist(),
        "angle": VIEW_ANGLE,
        "absorption": ABSORPTION_DEPTH,
        "stacks": list(stacks.values()),
        "drawings": drawings,
        "views": views,
    }
    return _filled_in(page)


def _filled_in(page: dict[str, Any]) -> str:
    """Return the page with its scripts and its data."""
    folder = files("cnnvis.rendering") / "page"
    template, *scripts = ((folder / name).read_text(encoding="utf-8") for name in PAGE_FILES)
    # "<" never appears inside, so that no text of the user's can end the script element.
    data = json.dumps(page).replace("<", "\\u003c")
    return template.replace("/*SCRIPTS*/", "\n".join(scripts)).replace("/*SCENE*/", data)


def _volumes(scene: Scene) -> list[VolumeItem]:
    return [item for item in scene if isinstance(item, VolumeItem) and item.visible]


def _labels(scene: Scene) -> list[tuple[str, list[float]]]:
    """Return the texts of a scene and where they stand."""
    items = [item for item in scene if isinstance(item, LabelsItem) and item.visible]
    places = [(item.data + np.array(item.origin)).tolist() for item in items]
    return [pair for item, at in zip(items, places, strict=True) for pair in zip(item.texts, at, strict=True)]


def _view(
    scene: Scene, item: VolumeItem | None, stacks: dict[str, dict[str, Any]], network: Sequence[Shape]
) -> dict[str, Any]:
    """Return what one button of the page shows: a volume, a network or both, or the frames of a series of them.

    Maps go to `stacks`.
    """
    names = {shape.name for shape in network} | ({item.name} if item else set())
    moving = bool(names & scene.frames.keys())
    labels = list(scene.series.labels) if moving else [""]
    data = () if item is None else scene.frames.get(item.name, (item.data,))
    titles = [_headline(item, volume) for volume in data] or [scene.title or network[0].name]
    captions = [volume.provenance.caption for volume in data] or [""]
    return {
        "axis": scene.series.axis if moving else "",
        "labels": labels,
        "frame": scene.frame if moving else 0,
        "titles": titles if len(titles) == len(labels) else titles * len(labels),
        "captions": captions if len(captions) == len(labels) else captions * len(labels),
        "volumes": [_volume(item, volume, stacks) for volume in data],
    }


def _volume(item: VolumeItem, volume: Volume, stacks: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return one volume as data for the page; its maps go to `stacks` unless they are there already."""
    span = item.transfer.span_of(volume.values)
    codes = _codes(item.transfer, volume.values[np.argsort(volume.channels)], span)
    key = f"{volume.shape} {hashlib.sha256(codes.tobytes()).hexdigest()}"
    stacks.setdefault(
        key,
        {
            "shape": list(volume.shape),
            "missing": bool((codes == 0).any()),
            "data": base64.b64encode(codes.tobytes()).decode("ascii"),
        },
    )
    positions = np.linspace(0, 1, 256)
    rgba = np.concatenate([item.transfer.colours(positions), item.transfer.opacity_at(positions)[:, None]], axis=1)
    fractions = np.linspace(0, 1, LABELS)
    return {
        "quantity": volume.quantity,
        "axes": volume.axis_names,
        "stack": list(stacks).index(key),
        # The page looks maps up by their rank among the channels that are there.
        "channels": np.argsort(np.argsort(volume.channels)).tolist(),
        "factors": (item.channel_factors(volume) * item.opacity).round(4).tolist(),
        "runs": _runs(volume) if item.group_marks else [],
        "origin": list(item.origin),
        "spacing": list(volume.spacing),
        "density": item.density,
        "linear": item.interpolation == "linear",
        "diverging": item.transfer.centre is not None,
        "reordered": not np.array_equal(volume.channels, np.arange(volume.shape[0])),
        "colours": base64.b64encode(np.round(255 * rgba).astype(np.uint8).tobytes()).decode("ascii"),
        "labels": format_values(item.transfer.denormalise(fractions, span)),
    }


def _headline(item: VolumeItem, volume: Volume) -> str:
    return f"{volume.layer or item.name}: {volume.subject}"


def _codes(transfer: TransferFunction, values: NDArray[Any], span: tuple[float, float]) -> NDArray[np.uint8]:
    positions = transfer.normalise(values, span)
    return np.where(np.isnan(positions), 0, 1 + np.round(CODES * np.nan_to_num(positions))).astype(np.uint8)


def _runs(volume: Volume) -> list[list[Any]]:
    """Return [start, stop, colour] of each run of equal groups."""
    return [
        [span.start, span.stop, [round(part, 4) for part in group_colour(span.group)]] for span in volume.group_spans
    ]


def _names(shown: Sequence[tuple[Scene, VolumeItem | None]]) -> list[str]:
    """Return the shortest names that tell the buttons apart: orders, headlines, the scenes' titles; else numbered."""
    titles = [scene.title for scene, _ in shown]
    items = [item for _, item in shown if item is not None]
    orders, headlines = [], titles
    if len(items) == len(shown):
        orders = [method_title(item.data.method) for item in items]
        headlines = [_headline(item, item.data).removesuffix(" order") for item in items]
    numbered = [f"{index}. {name}" for index, name in enumerate(headlines, start=1)]
    candidates = (orders, headlines, titles, numbered)
    return next(names for names in candidates if len(set(names)) == len(names) == len(shown))
