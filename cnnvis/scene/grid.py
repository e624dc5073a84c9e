"""Several scenes side by side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Literal

from cnnvis.core.errors import InvalidInputError
from cnnvis.scene.items import MatrixItem, VolumeItem
from cnnvis.scene.scene import Scene
from cnnvis.scene.selection import Selection

Link = Literal["camera", "range", "order", "selection"]
LINKS: tuple[Link, ...] = ("camera", "range", "order", "selection")


class SceneGrid:
    """Scenes shown side by side, linked in what makes them comparable.

    Parameters
    ----------
    scenes : sequence of Scene
        At least one; shown row by row.
    link : iterable of {"camera", "range", "order", "selection"}, default: ("camera", "range", "selection")
        camera: all get the camera of the first, then a change of one reaches all. range: all volumes get the
        same colour range, the union of theirs, and so do all matrices. order: all volumes of the same channel count
        get the order of the first. selection: as the camera.
    columns : int, optional
        Default: all in one row up to three, then the squarest grid.
    size : (width, height) in pixels, optional
        Size in which it is meant to be rendered.

    Notes
    -----
    Camera and selection stay linked for as long as the grid lives.
    """

    def __init__(
        self,
        scenes: Sequence[Scene],
        *,
        link: Iterable[Link] = ("camera", "range", "selection"),
        columns: int | None = None,
        size: tuple[int, int] | None = None,
    ) -> None:
        self.size = None if size is None else (int(size[0]), int(size[1]))
        self.scenes = tuple(scenes)
        if not self.scenes:
            raise InvalidInputError("A SceneGrid needs at least one scene, got none.")
        self.link = tuple(link)
        unknown = set(self.link) - set(LINKS)
        if unknown:
            raise InvalidInputError(f"Unknown links {sorted(unknown)}; allowed are {', '.join(LINKS)}.")
        n = len(self.scenes)
        self.columns = columns if columns is not None else n if n <= 3 else math.ceil(math.sqrt(n))
        if self.columns < 1:
            raise InvalidInputError(f"columns must be at least 1, got {columns}.")
        if "order" in self.link:
            self._share_order()
        if "range" in self.link:
            self._share_range()
        if "camera" in self.link:
            self._share_cameras()
        if "selection" in self.link:
            self._share_selection()

    def __repr__(self) -> str:
        linked = ", ".join(self.link) or "nothing"
        return f"SceneGrid({len(self)} scenes in {self.rows} x {self.columns}, linked: {linked})"

    def __len__(self) -> int:
        return len(self.scenes)

    def __iter__(self) -> Iterator[Scene]:
        return iter(self.scenes)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return math.ceil(len(self.scenes) / self.columns)

    @property
    def volumes(self) -> tuple[VolumeItem, ...]:
        """Volume items of all scenes."""
        return tuple(item for scene in self.scenes for item in scene if isinstance(item, VolumeItem))

    def _share_range(self) -> None:
        for kind in (VolumeItem, MatrixItem):
            items = [item for scene in self.scenes for item in scene if isinstance(item, kind)]
            spans = [item.span_over(item.data) for item in items]
            for item in items:
                item.fix_span((min(low for low, _ in spans), max(high for _, high in spans)))

    def _share_order(self) -> None:
        if not self.volumes:
            return
        first = self.volumes[0].data
        for item in self.volumes[1:]:
            if item.data.shape[0] == first.shape[0]:
                item.data = item.data.in_order_of(first)

    # psygnal holds bound methods, also inside `partial`, weakly: the links end with the grid.

    def _share_cameras(self) -> None:
        for scene in self.scenes:
            scene.events.camera.connect(partial(self._replace_camera, scene))
            scene.camera.events.connect(partial(self._spread_camera, scene))
        self._spread_camera(self.scenes[0])

    def _replace_camera(self, source: Scene, *_: Any) -> None:
        source.camera.events.connect(partial(self._spread_camera, source))
        self._spread_camera(source)

    def _spread_camera(self, source: Scene, *_: Any) -> None:
        # An equal value emits nothing, so the change does not come back round.
        state = source.camera.model_dump()
        for scene in self.scenes:
            if scene is not source:
                scene.camera.update(state)

    def _share_selection(self) -> None:
        for scene in self.scenes:
            scene.events.selection.connect(self._spread_selection)
        self._spread_selection(self.scenes[0].selection)

    def _spread_selection(self, selection: Selection) -> None:
        for scene in self.scenes:
            scene.selection = selection

    def state(self) -> dict[str, Any]:
        """Return all display state as JSON-able data, arrays left out."""
        return {
            "link": list(self.link),
            "columns": self.columns,
            "size": self.size,
            "scenes": [scene.state() for scene in self.scenes],
        }


def scenes_of(target: Scene | SceneGrid) -> tuple[Scene, ...]:
    """Return the scenes that are drawn: those of a grid, or the one given.

    Raises
    ------
    InvalidInputError
        For anything else; the message says how it becomes a scene.
    """
    if isinstance(target, SceneGrid):
        return target.scenes
    if isinstance(target, Scene):
        return (target,)
    raise InvalidInputError(
        f"A Scene or a SceneGrid can be rendered, got {type(target).__name__}. "
        "Maps, arrays and volumes become a scene by cnnvis.Scene.of(maps)."
    )
