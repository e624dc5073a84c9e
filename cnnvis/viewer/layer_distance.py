"""Layers of networks moved apart by hand: roughly while the hand moves, in full when it rests."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QObject

from cnnvis.core import BundledNetwork
from cnnvis.scene import SceneGrid
from cnnvis.viewer.network_display import NetworkDisplay, ShownNetwork
from cnnvis.viewer.network_work import NetworkWork
from cnnvis.viewer.timers import single_shot
from cnnvis.viewer.workspace import Workspace

SLOT, TITLE = "layer distance", "Moving layers"

REST_MS = 300
"""How long the hand must rest before the whole network is drawn; less than a step of undo takes."""


class LayerDistance(QObject):
    """Changes the distance of the layers of a workspace's networks, without bundling anew.

    That of the active pane; where panes share their look those of all, but for differences, which have no network.

    Parameters
    ----------
    workspace : Workspace
        There is one of these for each; `of` finds it.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.workspace = workspace
        self._displays: list[NetworkDisplay] = []
        self._wanted = 0.0
        self._rest = single_shot(self, REST_MS, self._settle)
        workspace.network_changed.connect(self._check)
        workspace.jobs.failed.connect(lambda title, _: self._end() if title == TITLE else None)

    @classmethod
    def of(cls, workspace: Workspace) -> LayerDistance:
        """Return the one of a workspace, made when it is first asked for."""
        return workspace.findChild(cls) or cls(workspace)

    def move(self, distance: float) -> None:
        """Let the layers stand so far apart, scene units; without a network, or while one is bundled, do nothing."""
        if self.workspace.network is None or NetworkWork.of(self.workspace).busy:
            return
        if not self._displays:
            self.workspace.history.commit()
            self.workspace.history.hold(True)
            self._displays = self._found()
        self._wanted = distance
        self._rest.start()
        if SLOT not in self.workspace.jobs.slots:  # a job that is replaced shows nothing, all through a long drag
            self._look()

    def _found(self) -> list[NetworkDisplay]:
        """Return the networks that move."""
        workspace = self.workspace
        shares_look = isinstance(workspace.target, SceneGrid) and "look" in workspace.target.link
        scenes = workspace.scenes if shares_look else [workspace.scene]
        networks = [(scene, workspace.network_of(scene)) for scene in scenes]
        return [NetworkDisplay(scene, network) for scene, network in networks if network is not None]

    def _look(self) -> None:
        displays, distance = self._displays, self._wanted

        def then(shown: list[ShownNetwork]) -> None:
            if self._displays is displays:
                for display, network in zip(displays, shown, strict=True):
                    display.look(network)
                if distance != self._wanted:
                    self._look()

        self._run(lambda network: ShownNetwork.rough(_moved(network, distance)), then)

    def _settle(self) -> None:
        displays, distance = self._displays, self._wanted
        if not displays:
            return

        def then(shown: list[ShownNetwork]) -> None:
            if self._displays is displays:
                self._displays = []
                for display, network in zip(displays, shown, strict=True):
                    display.show(network)
                    self.workspace.set_network(display.scene, network.network)
                self._end()
                self.workspace.history.commit()

        self._run(lambda network: ShownNetwork.of(_moved(network, distance)), then)

    def _run(self, work: Callable[[BundledNetwork], ShownNetwork], then: Callable[[list[ShownNetwork]], None]) -> None:
        networks = [display.network for display in self._displays]
        self.workspace.jobs.run(SLOT, lambda tell: [work(network) for network in networks], then, title=TITLE)

    def _check(self) -> None:
        """Let go where undo, or another file, has put another network there."""
        if any(self.workspace.network_of(display.scene) is not display.network for display in self._displays):
            self.workspace.jobs.cancel(SLOT)
            self._end()

    def _end(self) -> None:
        self._displays = []
        self._rest.stop()
        self.workspace.history.hold(False)


def _moved(network: BundledNetwork, distance: float) -> BundledNetwork:
    from cnnvis.layout import with_layer_distance  # loads numba, in the thread

    return with_layer_distance(network, distance)
