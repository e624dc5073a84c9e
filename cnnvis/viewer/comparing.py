"""Two to four things in linked panes: files, networks, frames of a series, orders of a volume, or a difference."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from cnnvis.core import Volume
from cnnvis.core.errors import InvalidInputError
from cnnvis.io.showing import Shown, load_to_show
from cnnvis.scene import Scene, SceneGrid, VolumeItem, copy_scene
from cnnvis.scene.differences import difference
from cnnvis.scene.links import Link, fitting_links
from cnnvis.viewer.jobs import OPENING, Tell
from cnnvis.viewer.reordering import ordered
from cnnvis.viewer.workspace import Target, Workspace

MAX_PANES = 4

COPIES: tuple[Link, ...] = ("camera", "range", "selection", "look")
"""What panes are linked in that show one thing: frames of it, or orders."""


def add_files(workspace: Workspace, paths: Sequence[Path]) -> None:
    """Open files beside what is open; a scene that was saved keeps its look."""
    saved = any(path.suffix.lower() == ".json" for path in paths)
    title = f"Opening {', '.join(path.name for path in paths)}"
    _add(workspace, lambda tell: load_to_show(*paths), title, alike=not saved)


def add_model(workspace: Workspace, model: str) -> None:
    """Draw another network beside what is open."""

    def work(tell: Tell) -> Shown:
        from cnnvis.studies.showing import show_model

        return show_model(model, progress=tell.progress)

    _add(workspace, work, f"Opening {model}", alike=True)


def show_frames(workspace: Workspace, frames: Sequence[int]) -> None:
    """Show frames of the series side by side: images, classes, epochs or iterations.

    Raises
    ------
    InvalidInputError
        When the active scene has no series, or not two to four frames were chosen.
    """
    scene = workspace.scene
    if not len(scene.series):
        raise InvalidInputError("There are no frames to compare: the scene has no series.")
    _check_count(len(frames), "frames")
    scenes = []
    for frame in frames:
        copied = copy_scene(scene)
        copied.frame = frame
        copied.title = f"{scene.series.axis}: {scene.series.labels[frame]}"
        copied.restore_frames(type(scene.series)(), {}, 0)
        scenes.append(copied)
    workspace.arrange(scenes, [workspace.network] * len(scenes), COPIES)


def show_orders(workspace: Workspace, item: VolumeItem, methods: Sequence[str]) -> None:
    """Show the channels of a volume in several orders side by side."""
    _check_count(len(methods), "orders")
    scene, volume, target = copy_scene(workspace.scene), item.data, workspace.target

    def work(tell: Tell) -> list[Volume]:
        return [ordered(volume, method, None, tell) for method in methods]

    def then(volumes: list[Volume]) -> None:
        if workspace.target is not target:
            return
        scenes = []
        for found in volumes:
            copied = copy_scene(scene)
            copied.restore_frames(type(scene.series)(), {}, 0)
            copied[item.name].data = found
            copied.title = f"{item.name}: {found.method}"
            scenes.append(copied)
        workspace.arrange(scenes, [None] * len(scenes), COPIES)

    workspace.jobs.run(OPENING, work, then, title=f"Ordering {item.name} by {', '.join(methods)}")


def add_difference(workspace: Workspace) -> None:
    """Add a pane with the second minus the first of two panes.

    Raises
    ------
    InvalidInputError
        When not two panes are open, or they have nothing in common.
    """
    target = workspace.target
    if not isinstance(target, SceneGrid) or len(target) != 2:
        raise InvalidInputError(f"A difference is that of two panes; {len(workspace.scenes)} are open.")
    workspace.arrange([*target, difference(*target)], [*workspace.networks, None], target.link)


def keep_active(workspace: Workspace) -> None:
    """Close all panes but the active one."""
    workspace.arrange([workspace.scene], [workspace.network])


def link(workspace: Workspace, links: Sequence[Link]) -> None:
    """Link the panes in what is named, as `SceneGrid` does, and in nothing else.

    Raises
    ------
    InvalidInputError
        When there is one pane only.
    """
    if not isinstance(workspace.target, SceneGrid):
        raise InvalidInputError("There is one pane only: open another beside it to link them.")
    workspace.arrange(workspace.scenes, workspace.networks, links)


def _add(workspace: Workspace, work: Callable[[Tell], Shown], title: str, *, alike: bool) -> None:
    """Show what `work` returns beside what is open, on the same ground, unless something else is open by then."""
    target = workspace.target

    def then(shown: Shown) -> None:
        if workspace.target is not target:
            return
        open_ = [pair for pair in zip(workspace.scenes, workspace.networks, strict=True) if len(pair[0])]
        scenes, networks = zip(*open_, *zip(shown.scenes, shown.networks, strict=True), strict=True)
        if len(scenes) > MAX_PANES:
            raise InvalidInputError(
                f"At most {MAX_PANES} panes stand side by side, got {len(scenes)}; close some first."
            )
        for scene in shown.scenes:
            scene.background = workspace.scene.background
        workspace.arrange(scenes, networks, _links(target, scenes, alike=alike))

    workspace.jobs.run(OPENING, work, then, title=title)


def _links(target: Target, scenes: Sequence[Scene], *, alike: bool) -> Collection[Link]:
    """Return what is linked when scenes come beside a target: what was, or else the camera and, if wanted, the look.

    Where they show different kinds of things, only what fits all of them as they are.
    """
    fitting = fitting_links(scenes)
    if len({next((item.kind for item in scene), "") for scene in scenes}) > 1:
        return fitting
    if isinstance(target, SceneGrid):
        return target.link
    return fitting | {"camera"} | ({"look"} if alike else set())


def _check_count(count: int, what: str) -> None:
    if not 2 <= count <= MAX_PANES:
        raise InvalidInputError(f"Two to {MAX_PANES} {what} stand side by side, got {count}.")
