"""The network that is built by hand as it is drawn, and its file as somebody edits it."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QObject, Signal

from cnnvis.core import NetworkMaps
from cnnvis.core.errors import CnnvisError
from cnnvis.core.plan import NetworkPlan
from cnnvis.scene import Scene, TilesItem
from cnnvis.viewer.jobs import OPENING, Tell
from cnnvis.viewer.saved_files import SavedFile
from cnnvis.viewer.workspace import Workspace


class PlanDrawing(QObject):
    """Draws plans layer by layer, into the same scene each time, so that it is looked at from the same side.

    Parameters
    ----------
    workspace : Workspace

    Notes
    -----
    Signals: `edited` with the plan of the file that is followed, where somebody has saved one that fits the editor.
    """

    edited = Signal(object)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.workspace = workspace
        self._scene: Scene | None = None
        self._file = SavedFile(self)
        self._file.saved.connect(self.reload)

    @property
    def is_shown(self) -> bool:
        """Whether the network is what is seen."""
        return any(scene is self._scene for scene in self.workspace.scenes)

    @property
    def path(self) -> Path | None:
        """The file that is followed."""
        return self._file.path

    def draw(self, plan: NetworkPlan) -> None:
        """Show the network of a plan in a thread, with random weights of one seed."""

        def work(tell: Tell) -> NetworkMaps:
            from cnnvis.models import load
            from cnnvis.models.plan_files import planned_network
            from cnnvis.models.seeding import seeded

            with seeded(0):
                network = planned_network(plan)
            return _maps(load(network))

        self.workspace.jobs.run(OPENING, work, self._show, title="Drawing the network")

    def follow(self, path: Path) -> None:
        """Show a file again whenever it is saved."""
        self._file.follow(path)

    def reload(self) -> None:
        """Show the network that the file makes now; where it cannot, say why and leave the picture."""
        path = self.path
        if path is None:
            return

        def work(tell: Tell) -> tuple[NetworkMaps | None, NetworkPlan | None, str]:
            from cnnvis.models import load
            from cnnvis.models.plan_files import FACTORY, read_plan

            try:
                maps = _maps(load(f"{path}:{FACTORY}"))
                found = read_plan(path)
            except CnnvisError as error:
                return None, None, str(error)
            return maps, None if found.edited else found.plan, ""

        def then(result: tuple[NetworkMaps | None, NetworkPlan | None, str]) -> None:
            maps, plan, problem = result
            if maps is None:
                self.workspace.message.emit(f"{path.name} was saved, but {problem}")
                return
            self._show(maps)
            self.workspace.message.emit(f"{path.name} was saved, and is shown as it is now.")
            if plan is not None:
                self.edited.emit(plan)

        self.workspace.jobs.run(OPENING, work, then, title=f"Reading {path.name}")

    def _show(self, maps: NetworkMaps) -> None:
        if not self.is_shown or self._scene is None:
            self._scene = Scene.of_tiles(maps)
            self.workspace.show_made(self._scene)
            return
        item = next(item for item in self._scene if isinstance(item, TilesItem))
        known = set(maps.layers)
        item.update(
            {
                "folded_layers": tuple(layer for layer in item.folded_layers if layer in known),
                "enlarged_layers": tuple(layer for layer in item.enlarged_layers if layer in known),
            }
        )
        item.data = maps


def _maps(network: object) -> NetworkMaps:
    """Return the maps of a test image where one fits the network, else of its example."""
    from cnnvis.attribution import network_maps
    from cnnvis.studies.showing import image_of_tiles

    image, _ = image_of_tiles(network, None)
    return network_maps(network, image)
