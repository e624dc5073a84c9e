"""Work on the network behind the scene: in a thread, with pictures on the way, and one step of undo at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from qtpy.QtCore import QObject, Signal

from cnnvis.core import BundledNetwork, EdgeSet
from cnnvis.scene import Scene
from cnnvis.viewer.jobs import Tell
from cnnvis.viewer.network_display import NetworkDisplay, ShownNetwork
from cnnvis.viewer.workspace import Workspace

SLOT = "bundling"

Change = Callable[[Tell, Callable[[Callable[[], BundledNetwork]], None]], BundledNetwork]
"""Called in a thread as change(tell, on_state): returns the changed network, and gives `on_state` what makes the
network on the way."""


class NetworkWork(QObject):
    """Changes the network of a workspace, one change at a time.

    While a change goes on the items show what it has come to; when it is cancelled or fails, they show the network
    from before. Its result is one step of undo, of scene and network together.

    Parameters
    ----------
    workspace : Workspace
        There is one of these for each; `of` finds it.

    Notes
    -----
    Signals: `started`; `ended`, whatever the end was; `stepped` with iterations done and planned.
    """

    started = Signal()
    ended = Signal()
    stepped = Signal(int, int)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.workspace = workspace
        self.title = ""
        self._display: NetworkDisplay | None = None
        self._every: dict[int, EdgeSet] = {}
        self._begin = self._paused_at = self._paused = 0.0
        jobs = workspace.jobs
        jobs.progressed.connect(lambda slot, done, total: self.stepped.emit(done, total) if slot == SLOT else None)
        jobs.ended.connect(self._end)
        jobs.paused.connect(self._count_pause)
        workspace.target_changed.connect(self._forget)
        workspace.network_changed.connect(self._remember)
        self._remember()

    @classmethod
    def of(cls, workspace: Workspace) -> NetworkWork:
        """Return the one of a workspace, made when it is first asked for."""
        return workspace.findChild(cls) or cls(workspace)

    # -- which links there are -------------------------------------------------------------------

    def _forget(self) -> None:
        self.cancel()
        self._every.clear()
        self._remember()

    def _remember(self) -> None:
        """Keep all links of a network that is new here: a change may leave some out, the next one take them back."""
        if self._display is not None and self.workspace.network_of(self._display.scene) is not self._display.network:
            self._display.leave()  # undo has put another one there
            self.cancel()
        network = self.workspace.network
        if network is not None and network.edges.units is not None:
            self._every.setdefault(id(network.edges.units), network.edges)

    @property
    def every(self) -> EdgeSet | None:
        """All links that the network of the workspace ever had here; None without a network."""
        network = self.workspace.network
        return None if network is None else self._every.get(id(network.edges.units), network.edges)

    # -- changes ---------------------------------------------------------------------------------

    def rebundle(self, values: Mapping[str, Any]) -> None:
        """Draw the network with other options, by name as in its `parameters`; nothing happens without a network."""
        network, every = self.workspace.network, self.every
        if network is None:
            return

        def change(tell: Tell, on_state: Any) -> BundledNetwork:
            from cnnvis.studies.rebundling import drawing_options, rebundle  # loads torch and numba, in the thread

            options = drawing_options(values)
            return rebundle(network, options, every=every, progress=tell.progress, on_state=on_state)

        self.run(change, title="Bundling")

    def step(self, step: str, values: Mapping[str, Any]) -> None:
        """Do one step to units or lines as they are: a name of `cnnvis.studies.rebundling.NetworkStep`."""
        network, every = self.workspace.network, self.every
        if network is None:
            return

        def change(tell: Tell, on_state: Any) -> BundledNetwork:
            from cnnvis.studies.rebundling import drawing_options, take_step

            options = drawing_options(values)
            return take_step(network, step, options, every=every, progress=tell.progress, on_state=on_state)

        self.run(change, title=step.capitalize())

    def run(self, change: Change, *, title: str) -> None:
        """Change the network of the active scene in a thread; where there is none, open the one that comes of it."""
        network, scene, history = self.workspace.network, self.workspace.scene, self.workspace.history
        self.cancel()
        self.title, self._begin, self._paused = title, time.monotonic(), 0.0
        self._display = display = None if network is None else NetworkDisplay(scene, network)
        if display is not None:
            history.commit()
            history.hold(True)

        def work(tell: Tell) -> ShownNetwork:
            def on_state(make: Callable[[], BundledNetwork]) -> None:
                if tell.wants_partial:
                    tell.partial(ShownNetwork.rough(make()))

            return ShownNetwork.of(change(tell, on_state))

        def then(shown: ShownNetwork) -> None:
            changed = shown.network
            if changed is network:
                self.workspace.message.emit(f"{title}: nothing to do, the network is as asked for")
                return
            if display is None or not _same_units(changed, network):
                self.workspace.show_made(Scene.of_network(changed), changed)
            else:
                display.show(shown)
                self.workspace.set_network(scene, changed)
                history.commit()
            self.workspace.message.emit(f"{title}: done in {self.seconds:.1f} s")

        look = None if display is None else display.look
        self.workspace.jobs.run(SLOT, work, then, partial=look, title=title)
        self.started.emit()

    @property
    def busy(self) -> bool:
        """Whether a change goes on, a paused one included."""
        return SLOT in self.workspace.jobs.slots

    @property
    def paused(self) -> bool:
        """Whether a change waits."""
        return self.workspace.jobs.is_paused(SLOT)

    def pause(self, on: bool) -> None:
        """Let the change wait after its iteration, or go on."""
        self.workspace.jobs.pause(SLOT, on)

    def cancel(self) -> None:
        """Stop the change; the network stays as it was."""
        self.workspace.jobs.cancel(SLOT)

    @property
    def seconds(self) -> float:
        """How long the change has taken, pauses left out."""
        now = self._paused_at if self.paused else time.monotonic()
        return now - self._begin - self._paused

    def _count_pause(self, slot: str, on: bool) -> None:
        if slot != SLOT:
            return
        if on:
            self._paused_at = time.monotonic()
        else:
            self._paused += time.monotonic() - self._paused_at

    def _end(self, slot: str) -> None:
        """Take the picture on the way from the items: the result, if there is one, comes next."""
        if slot != SLOT:
            return
        if self._display is not None:
            self._display.back()
            self._display = None
            self.workspace.history.hold(False)
        self.ended.emit()


def _same_units(one: BundledNetwork, other: BundledNetwork) -> bool:
    return one.layout.layers == other.layout.layers and len(one.layout) == len(other.layout)
