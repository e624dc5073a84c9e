"""Undo and redo over what a workspace shows: a list of moments, each taken when the hand rests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal

from cnnvis.core import BundledNetwork
from cnnvis.core.memory import new_bytes
from cnnvis.scene import Scene, SceneGrid, SceneSnapshot, scenes_of
from cnnvis.viewer.timers import single_shot

REST_MS = 400
"""Changes that follow each other faster are one step: a drag of a slider, a turn with the mouse."""

MAX_STEPS = 200

MAX_BYTES = 512 * 2**20
"""Of data that steps keep and the newest does not show any more: networks bundled anew, volumes in other orders."""


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """All that undo goes back to.

    Parameters
    ----------
    scenes : tuple of Scene
        The panes that were open.
    snapshots : tuple of SceneSnapshot
        What each was.
    networks : tuple of BundledNetwork or None
        What they were made of.
    grid : dict or None
        Options of the grid that they stood in; None where one scene was by itself.
    path : Path or None
        File they were from.
    """

    scenes: tuple[Scene, ...]
    snapshots: tuple[SceneSnapshot, ...]
    networks: tuple[BundledNetwork | None, ...]
    grid: dict[str, Any] | None
    path: Path | None

    @classmethod
    def of(cls, target: Scene | SceneGrid, networks: tuple[BundledNetwork | None, ...], path: Path | None) -> Moment:
        """Take it. Some milliseconds, and no copy of any data."""
        scenes = scenes_of(target)
        return cls(scenes, tuple(map(SceneSnapshot.of, scenes)), networks, _options(target), path)

    def is_of(self, target: Scene | SceneGrid) -> bool:
        """Whether the same panes stood in the same way."""
        return same_scenes(self.scenes, scenes_of(target)) and self.grid == _options(target)

    def equals(self, other: Moment) -> bool:
        """Whether nothing changed between the two."""
        return (
            same_scenes(self.scenes, other.scenes)
            and self.grid == other.grid
            and all(mine.equals(its) for mine, its in zip(self.snapshots, other.snapshots, strict=True))
            and all(mine is its for mine, its in zip(self.networks, other.networks, strict=True))
        )

    def restore(self) -> None:
        """Let the scenes be as they were."""
        for scene, snapshot in zip(self.scenes, self.snapshots, strict=True):
            snapshot.restore(scene)

    def target(self) -> Scene | SceneGrid:
        """Return what was open, as it was; nothing else may link its scenes."""
        target = self.scenes[0] if self.grid is None else SceneGrid(self.scenes, **self.grid)
        self.restore()
        return target

    def new_bytes(self, seen: set[int]) -> int:
        """Return the bytes of its data that were not counted before, as `cnnvis.core.memory.new_bytes` does."""
        shown = sum(new_bytes(each.data, seen) + new_bytes(each.frames, seen) for each in self.snapshots)
        return shown + new_bytes(self.networks, seen)


def same_scenes(some: Sequence[Scene], others: Sequence[Scene]) -> bool:
    """Whether these are the very same scenes; `==` would compare what they show."""
    return len(some) == len(others) and all(mine is its for mine, its in zip(some, others, strict=True))


def _options(target: Scene | SceneGrid) -> dict[str, Any] | None:
    return target.options if isinstance(target, SceneGrid) else None


class History(QObject):
    """Remembers moments of what is open, and goes back and forth between them.

    Parameters
    ----------
    now : callable
        Returns the present moment.
    go_to : callable
        Called with the moment that is to be the present one.
    parent : QObject, optional

    Notes
    -----
    A moment holds state and references to data, no copies; but it keeps data alive that no scene shows any more.
    The oldest moments are forgotten when there are more than `MAX_STEPS`, or more than `MAX_BYTES` of such data.
    """

    changed = Signal()

    def __init__(
        self,
        now: Callable[[], Moment],
        go_to: Callable[[Moment], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._moment, self._go_to = now, go_to
        self._moments: list[Moment] = []
        self._now = 0
        self._restoring = False
        self._held = False
        self._rest = single_shot(self, REST_MS, self.commit)

    def begin(self) -> None:
        """Forget everything, and remember from now on."""
        self._rest.stop()
        self._held = False
        self._moments, self._now = [self._moment()], 0
        self.changed.emit()

    def note(self) -> None:
        """Take a moment once nothing has changed for `REST_MS`."""
        if not self._restoring:
            self._rest.start()

    def hold(self, on: bool) -> None:
        """Take no moments while held: what is shown is on its way to what will be one step."""
        self._held = on
        self.note()

    def wait(self) -> None:
        """Take no moment until the next change or `commit`: a drag is one step, however long the hand rests."""
        self._rest.stop()

    def commit(self) -> None:
        """Take a moment now, if anything changed since the last one: the end of a step."""
        self._rest.stop()
        if not self._moments or self._restoring or self._held:
            return
        moment = self._moment()
        if moment.equals(self._moments[self._now]):
            return
        self._moments = _affordable([*self._moments[: self._now + 1], moment])
        self._now = len(self._moments) - 1
        self.changed.emit()

    def amend(self) -> None:
        """Let what is shown now be what the last step led to: what follows from it by itself is no step of its own."""
        if self._moments and not (self._restoring or self._held):
            self._rest.stop()
            self._moments[self._now] = self._moment()

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back, one not yet committed included."""
        return self._now > 0 or self._rest.isActive()

    @property
    def can_redo(self) -> bool:
        """Whether a step was taken back."""
        return self._now < len(self._moments) - 1 and not self._rest.isActive()

    def undo(self) -> None:
        """Go back one step."""
        self.commit()
        if self._now > 0:
            self._go(self._now - 1)

    def redo(self) -> None:
        """Go forth one step."""
        self.commit()
        if self._now < len(self._moments) - 1:
            self._go(self._now + 1)

    def _go(self, index: int) -> None:
        self._restoring = True
        try:
            self._go_to(self._moments[index])
            self._now = index
        finally:
            self._restoring = False
        self.changed.emit()


def _affordable(moments: list[Moment]) -> list[Moment]:
    """Return the newest of some moments, as many as there may be, at least one."""
    seen: set[int] = set()
    moments[-1].new_bytes(seen)  # is shown, so it is there anyway
    left = MAX_BYTES
    kept = moments[-1:]
    for moment in reversed(moments[-MAX_STEPS:-1]):
        left -= moment.new_bytes(seen)
        if left < 0:
            break
        kept.insert(0, moment)
    return kept
