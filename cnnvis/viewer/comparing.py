"""Two to four things in linked panes: files, networks, frames of a series, orders of a volume, or a difference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from cnnvis.core import BundledNetwork, Volume
from cnnvis.core.errors import InvalidInputError
from cnnvis.io.showing import Shown, load_to_show, side_by_side
from cnnvis.scene import Scene, SceneGrid, VolumeItem, copy_scene
from cnnvis.scene.differences import difference
from cnnvis.viewer.jobs import OPENING, Tell
from cnnvis.viewer.reordering import ordered
from cnnvis.viewer.workspace import Workspace

MAX_PANES = 4


def add_files(workspace: Workspace, paths: Sequence[Path]) -> None:
    """Open files beside what is open."""
    present = _present(workspace)

    def work(tell: Tell) -> Shown:
        return _beside(
            [*present, load_to_show(*paths)], alike=not any(path.suffix.lower() == ".json" for path in paths)
        )

    _run(workspace, work, f"Opening {', '.join(path.name for path in paths)}")


def add_model(workspace: Workspace, model: str) -> None:
    """Draw another network beside what is open."""
    present = _present(workspace)

    def work(tell: Tell) -> Shown:
        from cnnvis.studies.showing import show_model

        return _beside([*present, show_model(model, progress=tell.progress)], alike=True)

    _run(workspace, work, f"Opening {model}")


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
    _show(workspace, scenes, [workspace.network] * len(scenes))


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
        _show(workspace, scenes, [None] * len(scenes))

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
    found = difference(*target)
    _show(workspace, [*target, found], [*workspace.networks, None], link=target.link)


def keep_active(workspace: Workspace) -> None:
    """Close all panes but the active one."""
    workspace.show(workspace.scene, workspace.network)


def link(workspace: Workspace, links: Sequence[str]) -> None:
    """Link the panes in what is named, as `SceneGrid` does, and in nothing else.

    Raises
    ------
    InvalidInputError
        When there is one pane only.
    """
    target = workspace.target
    if not isinstance(target, SceneGrid):
        raise InvalidInputError("There is one pane only: open another beside it to link them.")
    grid = SceneGrid(target.scenes, link=links, columns=target.columns, size=target.size)
    workspace.show(grid, workspace.networks, workspace.path)


def _present(workspace: Workspace) -> list[Shown]:
    """Return each pane that is open, as something to show."""
    pairs = zip(workspace.scenes, workspace.networks, strict=True)
    return [Shown(scene, (network,)) for scene, network in pairs if len(scene)]


def _beside(shown: Sequence[Shown], *, alike: bool) -> Shown:
    """Return things side by side; those that hold the same kinds of items share camera and, if wanted, look."""
    count = sum(len(each.scenes) for each in shown)
    if count > MAX_PANES:
        raise InvalidInputError(f"At most {MAX_PANES} panes stand side by side, got {count}; close some first.")
    together = side_by_side(shown)
    kinds = {tuple(item.kind for item in scene) for scene in together.scenes}
    if not isinstance(together.target, SceneGrid) or len(kinds) > 1:
        return together
    links = {*together.target.link, "camera"} | ({"look"} if alike else set())
    return replace(together, target=SceneGrid(together.scenes, link=links))


def _check_count(count: int, what: str) -> None:
    if not 2 <= count <= MAX_PANES:
        raise InvalidInputError(f"Two to {MAX_PANES} {what} stand side by side, got {count}.")


def _run(workspace: Workspace, work: Callable[[Tell], Shown], title: str) -> None:
    """Show what `work` puts beside the present target, on the same ground, unless another is open by then."""
    target, ground = workspace.target, workspace.scenes[0].background

    def then(shown: Shown) -> None:
        if workspace.target is not target:
            return
        for scene in shown.scenes:
            scene.background = ground
        workspace.show(shown.target, shown.networks)

    workspace.jobs.run(OPENING, work, then, title=title)


def _show(
    workspace: Workspace,
    scenes: Sequence[Scene],
    networks: Sequence[BundledNetwork | None],
    *,
    link: Sequence[str] = ("camera", "range", "selection", "look"),
) -> None:
    workspace.show(SceneGrid(scenes, link=link), networks)
