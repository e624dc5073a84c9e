"""Which data a file has: whether what is shown is still what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cnnvis.scene import Scene


class FiledData:
    """Remembers the data of scenes as they were read from a file, or written to it.

    Data of items are replaced, never changed: the same object means the same data.
    """

    def __init__(self, scenes: Sequence[Scene] = ()) -> None:
        self._held = [_data_of(scene) for scene in scenes]

    def changed(self, scenes: Sequence[Scene]) -> tuple[str, ...]:
        """Return the names of the items whose data the file has not: other data, or items that came since."""
        held = self._held if len(self._held) == len(scenes) else [{}] * len(scenes)
        names = (
            name
            for before, scene in zip(held, scenes, strict=True)
            for name, data in _data_of(scene).items()
            if [*map(id, before.get(name, ()))] != [*map(id, data)]
        )
        return tuple(dict.fromkeys(names))


def _data_of(scene: Scene) -> dict[str, tuple[Any, ...]]:
    """Return the data of each item; of one in a series those of all frames, whichever is shown."""
    return {item.name: scene.frames.get(item.name, (item.data,)) for item in scene}
