"""Being told of any change of a scene, whatever it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cnnvis.scene.items import SceneItem
from cnnvis.scene.scene_state import SceneState


class SceneWatch:
    """Calls back whenever anything of some scenes changes: fields, items, their state, their data, the camera.

    Parameters
    ----------
    scenes : sequence of Scene
    on_change : callable
        Called without arguments, after each change of anything but the camera.
    on_camera : callable
        Called without arguments, after each change of a camera.

    Notes
    -----
    One change of a scene may be several calls: who is called marks itself stale, and looks later. `close` is
    idempotent.
    """

    def __init__(
        self, scenes: Sequence[SceneState], on_change: Callable[[], None], on_camera: Callable[[], None]
    ) -> None:
        self._scenes = tuple(scenes)
        self._on_change, self._on_camera = on_change, on_camera
        self._cameras = [scene.camera for scene in self._scenes]
        for scene in self._scenes:
            scene.events.connect(self._changed)
            scene.events.camera.connect(self._camera_replaced)
            scene.item_added.connect(self._added)
            scene.item_removed.connect(self._removed)
            scene.items_arranged.connect(self._changed)
            for item in scene:
                self._watch(item)
        for camera in self._cameras:
            camera.events.connect(self._moved)

    def _watch(self, item: SceneItem) -> None:
        item.events.connect(self._changed)
        item.data_changed.connect(self._changed)

    def _unwatch(self, item: SceneItem) -> None:
        item.events.disconnect(self._changed, missing_ok=True)
        item.data_changed.disconnect(self._changed, missing_ok=True)

    def _added(self, item: SceneItem) -> None:
        self._watch(item)
        self._on_change()

    def _removed(self, item: SceneItem) -> None:
        self._unwatch(item)
        self._on_change()

    def _changed(self, *_: Any) -> None:
        self._on_change()

    def _moved(self, *_: Any) -> None:
        self._on_camera()

    def _camera_replaced(self, *_: Any) -> None:
        for camera in self._cameras:
            camera.events.disconnect(self._moved, missing_ok=True)
        self._cameras = [scene.camera for scene in self._scenes]
        for camera in self._cameras:
            camera.events.connect(self._moved)
        self._on_camera()

    def close(self) -> None:
        """Let go of the scenes."""
        for scene in self._scenes:
            scene.events.disconnect(self._changed, missing_ok=True)
            scene.events.camera.disconnect(self._camera_replaced, missing_ok=True)
            scene.item_added.disconnect(self._added, missing_ok=True)
            scene.item_removed.disconnect(self._removed, missing_ok=True)
            scene.items_arranged.disconnect(self._changed, missing_ok=True)
            for item in scene:
                self._unwatch(item)
        for camera in self._cameras:
            camera.events.disconnect(self._moved, missing_ok=True)
        self._scenes, self._cameras = (), []
