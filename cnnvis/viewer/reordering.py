"""Putting the channels of a shown volume into another order, off the GUI thread."""

from __future__ import annotations

from cnnvis.core import Ordering, Volume
from cnnvis.scene import Scene, VolumeItem
from cnnvis.viewer.jobs import Tell
from cnnvis.viewer.workspace import Workspace

METHODS = ("original", "pca", "pca_rows", "kmeans", "kmeans_rows", "leaf", "importance")
"""Names of `cnnvis.analysis.OrderMethod`, by hand: choosing one must not wait for scikit-learn."""


def methods_for(volume: Volume) -> tuple[str, ...]:
    """Return the methods that can order the channels of a volume: by importance only where it is known."""
    return tuple(name for name in METHODS if name != "importance" or volume.weights is not None)


def reorder(workspace: Workspace, scene: Scene, item: VolumeItem, method: str, n_groups: int | None = None) -> None:
    """Order the channels of an item by a method; every frame of its series gets the order of the one that is shown.

    Parameters
    ----------
    workspace : Workspace
        Its jobs do it; a failure is its problem.
    scene : Scene
        The item's.
    item : VolumeItem
    method : str
        One of `METHODS`.
    n_groups : int, optional
        Of the k-means methods.
    """
    shown: Volume = item.data
    frames = scene.frames.get(item.name, ())
    frame = scene.frame

    def work(tell: Tell) -> tuple[Volume, list[Volume]]:
        found = _order(shown, method, n_groups, tell)
        return shown.reordered(found), [volume.reordered(found) for volume in frames]

    def then(result: tuple[Volume, list[Volume]]) -> None:
        if item.data is not shown:  # another frame or other data came meanwhile
            return
        volume, others = result
        item.data = volume
        if others:
            scene.restore_frames(scene.series, dict(scene.frames) | {item.name: others}, frame)
        workspace.message.emit(f"{item.name}: ordered by {method}")

    workspace.jobs.run(f"order:{item.name}", work, then, title=f"Ordering {item.name} by {method}")


def ordered(volume: Volume, method: str, n_groups: int | None, tell: Tell) -> Volume:
    """Return a volume with its channels in the order of a method; for a thread."""
    return volume.reordered(_order(volume, method, n_groups, tell))


def _order(volume: Volume, method: str, n_groups: int | None, tell: Tell) -> Ordering:
    from cnnvis.analysis import order

    inverse = volume.inverse
    weights = None if volume.weights is None else volume.weights[inverse]
    options = {"importance": weights} if method == "importance" else {}
    return order(volume.values[inverse], method, n_groups=n_groups, progress=tell.progress, **options)
