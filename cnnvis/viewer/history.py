"""Undo and redo over what a workspace shows: a list of moments, each taken when the hand rests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qtpy.QtCore import QObject, QTimer, Signal

from cnnvis.core import BundledNetwork
from cnnvis.core.memory import new_bytes
from cnnvis.scene import Scene, SceneSnapshot

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
    scenes : tuple of SceneSnapshot
    networks : tuple of BundledNetwork or None
        What the scenes were made of.
    """

    scenes: tuple[SceneSnapshot, ...]
    networks: tuple[BundledNetwork | None, ...]

    def equals(self, other: Moment) -> bool:
        """Whether nothing changed between the two."""
        return all(mine.equals(its) for mine, its in zip(self.scenes, other.scenes, strict=True)) and all(
            mine is its for mine, its in zip(self.networks, other.networks, strict=True)
        )

    def new_bytes(self, seen: set[int]) -> int:
        """Return the bytes of its data that were not counted before, as `cnnvis.core.memory.new_bytes` does."""
        shown = sum(new_bytes(scene.data, seen) + new_bytes(scene.frames, seen) for scene in self.scenes)
        return shown + new_bytes(self.networks, seen)


class History(QObject):
    """Remembers moments of some scenes, and goes back and forth between them.

    Parameters
    ----------
    networks, set_networks : callable
        Read and write the networks behind the scenes.
    parent : QObject, optional

    Notes
    -----
    A moment holds state and references to data, no copies; but it keeps data alive that no scene shows any more.
    The oldest moments are forgotten when there are more than `MAX_STEPS`, or more than `MAX_BYTES` of such data.
    """

    changed = Signal()

    def __init__(
        self,
        networks: Callable[[], tuple[BundledNetwork | None, ...]],
        set_networks: Callable[[tuple[BundledNetwork | None, ...]], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._networks, self._set_networks = networks, set_networks
        self._scenes: tuple[Scene, ...] = ()
        self._moments: list[Moment] = []
        self._now = 0
        self._restoring = False
        self._held = False
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self.commit)

    def begin(self, scenes: tuple[Scene, ...]) -> None:
        """Forget everything, and remember these scenes from now on."""
        self._rest.stop()
        self._held = False
        self._scenes = scenes
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

    def _moment(self) -> Moment:
        return Moment(tuple(map(SceneSnapshot.of, self._scenes)), self._networks())

    def _go(self, index: int) -> None:
        self._restoring = True
        try:
            moment = self._moments[index]
            for scene, snapshot in zip(self._scenes, moment.scenes, strict=True):
                snapshot.restore(scene)
            self._set_networks(moment.networks)
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
