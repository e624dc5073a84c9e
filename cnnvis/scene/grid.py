"""Several scenes side by side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from cnnvis.core.errors import InvalidInputError
from cnnvis.scene.items import VolumeItem
from cnnvis.scene.links import LINKS, Link, PaneLinks
from cnnvis.scene.scene import Scene

ASPECT = 1.4
"""Width / height of what a pane shows, about: a network or a stack of maps, with its title and legend."""


class SceneGrid:
    """Scenes shown side by side, linked in what makes them comparable.

    Parameters
    ----------
    scenes : sequence of Scene
        At least one; shown row by row.
    link : iterable of {"camera", "range", "order", "selection", "look"}, default: ("camera", "range", "selection")
        camera: all get the camera of the first. range: the first volumes of one quantity of all scenes get the same
        colour range, the union of theirs, so do the second ones, and so do matrices. order: all volumes of the same
        channel count get the order of the first. selection: as the camera. look: items of one kind and name look as in
        the first scene: mode, opacity, shown class, blend, sizes, planes, transfer function; each only where it suits
        the data.
    columns : int, optional
        Default: as many as make the panes of a picture large, which depends on its size; see `shape_in`.
    size : (width, height) in pixels, optional
        Size in which it is meant to be rendered.

    Notes
    -----
    What is linked stays so for as long as the grid lives: a change of one reaches all.
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
        wanted = set(link)
        if wanted - set(LINKS):
            raise InvalidInputError(f"Unknown links {sorted(wanted - set(LINKS))}; allowed are {', '.join(LINKS)}.")
        self.link = tuple(name for name in LINKS if name in wanted)
        self.columns = columns
        if columns is not None and columns < 1:
            raise InvalidInputError(f"columns must be at least 1, got {columns}.")
        self._links: PaneLinks | None = PaneLinks(self.scenes, self.link)

    def __repr__(self) -> str:
        linked = ", ".join(self.link) or "nothing"
        return f"SceneGrid({len(self)} scenes, linked: {linked})"

    def __len__(self) -> int:
        return len(self.scenes)

    def __iter__(self) -> Iterator[Scene]:
        return iter(self.scenes)

    def shape_in(self, width: int, height: int) -> tuple[int, int]:
        """Return (columns, rows) in a picture of this size in pixels.

        Without `columns` these are the ones in which a drawing that is `ASPECT` times as wide as high becomes largest;
        of equal ones the fewest rows.
        """
        n = len(self.scenes)
        columns = self.columns or max(
            range(n, 0, -1), key=lambda columns: min(width / columns, ASPECT * height / math.ceil(n / columns))
        )
        return columns, math.ceil(n / columns)

    @property
    def volumes(self) -> tuple[VolumeItem, ...]:
        """Volume items of all scenes."""
        return tuple(item for scene in self.scenes for item in scene if isinstance(item, VolumeItem))

    def state(self) -> dict[str, Any]:
        """Return all display state as JSON-able data, arrays left out."""
        return {
            "link": list(self.link),
            "columns": self.columns,
            "size": self.size,
            "scenes": [scene.state() for scene in self.scenes],
        }

    @property
    def options(self) -> dict[str, Any]:
        """Arguments but the scenes, that make another grid like this one."""
        return {"link": self.link, "columns": self.columns, "size": self.size}

    def unlink(self) -> None:
        """Let each scene be by itself from now on, as when the grid is gone."""
        self._links = None


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
