"""What a scene is at one moment, to go back to or to hand on as a copy: undo, films, what is written in a thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnnvis.scene.camera import Camera
from cnnvis.scene.grid import SceneGrid
from cnnvis.scene.kinds import ITEM_KINDS
from cnnvis.scene.scene import Scene
from cnnvis.scene.scene_state import SceneState, Series
from cnnvis.scene.selection import Selection

FIXED = ("kind", "name")
"""Fields of an item that never change."""


@dataclass(frozen=True, slots=True, eq=False)
class SceneSnapshot:
    """Display state of a scene, and its data by reference: data of items are replaced, never changed.

    Parameters
    ----------
    state : dict
        As `Scene.state` gives it.
    data : dict of item name to data
    frames : dict of item name to tuple of data
    """

    state: dict[str, Any]
    data: dict[str, Any]
    frames: dict[str, tuple[Any, ...]]

    @classmethod
    def of(cls, scene: SceneState) -> SceneSnapshot:
        """Take it. Some milliseconds, and no copy of any data."""
        return cls(scene.state(), {item.name: item.data for item in scene}, dict(scene.frames))

    def equals(self, other: SceneSnapshot) -> bool:
        """Whether both show the same: equal state, and the very same data."""
        return (
            self.state == other.state
            and self.data.keys() == other.data.keys()
            and all(self.data[name] is other.data[name] for name in self.data)
        )

    def restore(self, scene: SceneState) -> None:
        """Let the scene be as it was; what listens to the scene or its items stays connected."""
        state = dict(self.state)
        items = {each["name"]: each for each in state.pop("items")}
        for item in scene.items:
            if item.name not in items or item.kind != items[item.name]["kind"]:
                scene.remove(item.name)
        for name, fields in items.items():
            if name not in scene:
                scene.add(ITEM_KINDS[fields["kind"]](**fields), self.data[name])
                continue
            item = scene[name]
            item.update({key: value for key, value in fields.items() if key not in FIXED})
            if item.data is not self.data[name]:  # after the fields, by which data are checked
                item.data = self.data[name]
        scene.arrange(list(items))
        scene.restore_frames(Series.model_validate(state.pop("series")), self.frames, state.pop("frame"))
        scene.camera.update(Camera.model_validate(state.pop("camera")).model_dump())
        scene.selection = Selection.model_validate(state.pop("selection"))
        scene.update(state)


def copy_scene(scene: Scene) -> Scene:
    """Return a scene in the same state, with the same data."""
    taken = SceneSnapshot.of(scene)
    return Scene.from_state(taken.state, taken.data, taken.frames)


def copy_of(target: Scene | SceneGrid) -> Scene | SceneGrid:
    """Return a scene or grid in the same state, with the same data, that nothing changes any more."""
    if isinstance(target, SceneGrid):
        return SceneGrid(list(map(copy_scene, target)), **target.options)
    return copy_scene(target)
