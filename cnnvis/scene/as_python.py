"""A scene as the Python that builds it: what a notebook user copies from the window and goes on with."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from cnnvis.core.errors import InvalidInputError
from cnnvis.scene._python_source import call, changed_fields, keywords, literal
from cnnvis.scene.grid import SceneGrid
from cnnvis.scene.items import SceneItem
from cnnvis.scene.scene import Scene

ADD = {
    "volume": "add_volume",
    "matrix": "add_matrix",
    "bundle": "add_bundle",
    "glyphs": "add_glyphs",
    "image": "add_image",
    "labels": "add_labels",
}
"""By the kind of an item: the method of a scene that adds it; others are added as they are."""

POSITIONAL = {"labels": ("texts",)}
"""Fields that the method wants beside the data."""

LONG = 12
"""Texts of which more are taken from the file than are written down: names of many rows, classes or layers."""

UNSAVED = "scene.json"


def as_python(target: Scene | SceneGrid, path: str | Path | None = None, *, changed: Collection[str] = ()) -> str:
    """Return Python that builds a scene or a grid from its data and renders it.

    Parameters
    ----------
    target : Scene or SceneGrid
    path : path, optional
        File with its data: the scene.json it was saved as, or what it was opened from. Default: "scene.json", where the
        first line of the text asks to save it.
    changed : collection of str
        Items that show other data than the file has; the first lines of the text name them, and ask to save the scene.

    Returns
    -------
    str
        A script that needs only cnnvis and this file. It sets what differs from the defaults, and nothing else; a
        picture of the result is the same, pixel by pixel, as one of `target`.

    Raises
    ------
    InvalidInputError
        When `target` is something else.

    Notes
    -----
    Only data, and lists of more than `LONG` names, are taken from the file. Whether those are still the data that are
    shown (after another order, say) is not known here: say so by `changed`. Takes as long as building the scene does:
    some milliseconds, a tenth of a second for a network of 68,000 links.
    """
    if isinstance(target, SceneGrid):
        body = _grid_lines(target)
    elif isinstance(target, Scene):
        body, _ = _scene_lines(target, "scene", "saved")
    else:
        raise InvalidInputError(f"as_python() takes a Scene or a SceneGrid, got {type(target).__name__}.")
    picture = Path(path or UNSAVED).with_suffix(".png").name
    name = "grid" if isinstance(target, SceneGrid) else "scene"
    return (
        "\n".join([*_warning(path, changed), *_head(path), "", *body, "", f"cnnvis.render({name}, {literal(picture)})"])
        + "\n"
    )


def _warning(path: str | Path | None, changed: Collection[str]) -> list[str]:
    """Return the lines that say of which items the file has other data; they begin the text."""
    if not changed:
        return []
    file = Path(path or UNSAVED)
    names = textwrap.fill(", ".join(map(repr, changed)), 100, initial_indent="# ", subsequent_indent="# ")
    todo = "save the scene there" if file.suffix.lower() == ".json" else "save the scene, and copy this text anew,"
    return [f"# {file.name} has other data of these items than are shown; {todo} before you run this:", names]


def _head(path: str | Path | None) -> list[str]:
    """Return the lines that give access to the data."""
    file = Path(path or UNSAVED)
    if file.suffix.lower() == ".json":
        head = ["import cnnvis", "", f"saved = cnnvis.load({literal(file.as_posix())})  # for its data"]
    else:
        head = [
            "import cnnvis",
            "from cnnvis.io.showing import load_to_show",
            "",
            f"saved = load_to_show({literal(file.as_posix())}).target  # for its data",
        ]
    return head if path else [f"# Save the scene as {UNSAVED} first: its data are read from there.", *head]


def _grid_lines(grid: SceneGrid) -> list[str]:
    lines, copies = [], []
    for number, scene in enumerate(grid):
        body, copy = _scene_lines(scene, f"scene_{number + 1}", f"saved.scenes[{number}]")
        lines += [*body, ""]
        copies.append(copy)
    options = {name: value for name, value in grid.options.items() if value is not None}
    names = [f"scene_{number + 1}" for number in range(len(grid))]
    scenes = f"[{', '.join(names)}]"
    lines.append(f"grid = {call('cnnvis.SceneGrid', [scenes, *keywords(options)])}")
    SceneGrid(copies, **grid.options)  # links change what they link
    for name, scene, copy in zip(names, grid, copies, strict=True):
        lines += _corrections(scene, copy, name)
    return lines


def _scene_lines(scene: Scene, name: str, saved: str) -> tuple[list[str], Scene]:
    """Return the lines that build a scene, and the scene that they build."""
    fields = changed_fields(scene)
    frame = fields.pop("frame", 0)
    series = fields.pop("series", None)
    lines, copy = [f"{name} = {call('cnnvis.Scene', keywords(fields))}"], Scene(**_plain(fields))
    lines += [_add(item, copy, name, f"{saved}[{literal(item.name)}]") for item in scene]
    if series is not None:
        arguments = [literal(series.axis), _names(series.labels, f"{saved}.series.labels"), f"{saved}.frames"]
        lines.append(call(f"{name}.set_frames", arguments))
        copy.set_frames(series.axis, series.labels, scene.frames)
        if frame:
            lines.append(f"{name}.frame = {frame}")
            copy.frame = frame
    return [*lines, *_corrections(scene, copy, name)], copy


def _add(item: SceneItem, copy: Scene, scene: str, saved: str) -> str:
    """Return the line that adds an item with what differs from what its method would choose; add it to the copy."""
    data = f"{saved}.data"
    if item.kind not in ADD:
        fields = changed_fields(item)
        _copy_item(item, copy)
        made = call(f"cnnvis.scene.{type(item).__name__}", keywords(fields))
        return call(f"{scene}.add", [made, data])
    beside = [getattr(item, field) for field in POSITIONAL.get(item.kind, ())]
    usual = getattr(Scene(), ADD[item.kind])(item.data, *beside, name=item.name)
    fields = changed_fields(item, usual)
    if item.kind == "matrix":
        copy.add_matrix(item.data, name=item.name, **fields)  # it may turn the camera
    else:
        _copy_item(item, copy)
    written = [f"name={literal(item.name)}", *(f"{key}={_field(key, value, saved)}" for key, value in fields.items())]
    texts = [_names(value, f"{saved}.{key}") for key, value in zip(POSITIONAL.get(item.kind, ()), beside, strict=True)]
    return call(f"{scene}.{ADD[item.kind]}", [data, *texts, *written])


def _copy_item(item: SceneItem, copy: Scene) -> None:
    copy.add(type(item)(**item.model_dump()), item.data)


def _field(key: str, value: Any, saved: str) -> str:
    is_names = isinstance(value, tuple) and all(isinstance(each, str) for each in value)
    return _names(value, f"{saved}.{key}") if is_names else literal(value)


def _names(names: tuple[str, ...], saved: str) -> str:
    """Return a list of names; a long one as an expression that takes it from the file."""
    return saved if len(names) > LONG else literal(names)


def _corrections(scene: Scene, copy: Scene, name: str) -> list[str]:
    """Return the lines that change in the copy what adding, frames and links made different; change it there, too.

    A matrix turns a new camera to the front, a series and a grid fix ranges.
    """
    lines = []
    for item in scene:
        changed = changed_fields(item, copy[item.name])
        lines += [f"{name}[{literal(item.name)}].{key} = {literal(value)}" for key, value in changed.items()]
        copy[item.name].update(changed)
    camera = changed_fields(scene.camera, copy.camera)
    if camera:
        lines.append(f"{name}.camera.update({literal(camera)})")
        copy.camera.update(camera)
    return lines


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields with evented models copied: the copy of a scene must not share the camera of the scene."""
    return {key: value.model_copy() if key == "camera" else value for key, value in fields.items()}
