"""The density of lines as an item of the scene: added, taken out, and kept in step with the lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject

from cnnvis.scene import BundleItem, GlyphsItem, Scene, SceneItem, TransferFunction, VolumeItem
from cnnvis.viewer import layer_distance
from cnnvis.viewer.jobs import Tell
from cnnvis.viewer.network_work import NetworkWork
from cnnvis.viewer.timers import single_shot
from cnnvis.viewer.workspace import Workspace

if TYPE_CHECKING:
    from cnnvis.layout import LineDensity

NAME = "line density"
SLOT = "line density"

MODES = (
    ("none", "none"),
    ("cube", "cubes: one per cell"),
    ("cloud", "cloud: blended"),
    ("point", "points: one per cell"),
)
"""The first, second and last are nn_vis's."""

CELLS = {"cube": 40, "cloud": 96, "point": 40}
"""Cells along the longest side."""

BLUR = {"cube": 0.5, "cloud": 1.0, "point": 0.5}
"""Deviation of the blur, cells."""

OPACITY = ((0.0, 0.0), (0.1, 0.0), (1.0, 0.7))
"""Of the volumes: where next to nothing runs, nothing is seen, and the lines show through."""

LEAST = 0.02
"""Density of a cell, in that of the densest, from which on it gets a point."""

FAINTEST = 0.2
"""Opacity of the points of the emptiest cells: most hold a hundredth of what the fullest do, and would be unseen."""

REST_MS = 300

KEPT = 8
"""Densities whose lines are remembered: undo may bring them back, but they and their lines take memory."""


class DensityGrid(QObject):
    """Shows where the lines of a workspace's scenes run.

    Parameters
    ----------
    workspace : Workspace
        There is one of these for each; `of` finds it.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.workspace = workspace
        self._lines_of_density: dict[int, tuple[Any, Any]] = {}  # by the density's data, which are kept for it
        self._rest = single_shot(self, REST_MS, self._follow)
        workspace.edited.connect(self._rest.start)
        workspace.target_changed.connect(self._forget)

    @classmethod
    def of(cls, workspace: Workspace) -> DensityGrid:
        """Return the one of a workspace, made when it is first asked for."""
        return workspace.findChild(cls) or cls(workspace)

    @property
    def mode(self) -> str:
        """What the active scene has: "none", "cube", "cloud" or "point"."""
        return _mode_of(self.workspace.scene)

    def show(self, mode: str) -> None:
        """Show the density of the scene's lines in a mode, or none: a step of undo."""
        history = self.workspace.history
        history.commit()
        if mode == "none":
            self.workspace.jobs.cancel(SLOT)
            _take_out(self.workspace.scene)
            history.commit()
        else:
            self._make(mode, history.commit)

    def _make(self, mode: str, after: Callable[[], None]) -> None:
        """Put the density of the lines in place of what there is of it, and call `after` then."""
        scene = self.workspace.scene
        lines = _lines_of(scene)
        if lines is None:
            return

        def work(tell: Tell) -> LineDensity:
            from cnnvis.layout import density_volume  # loads numba and scipy, in the thread

            return density_volume(lines, cells=CELLS[mode], blur=BLUR[mode])

        def then(density: LineDensity) -> None:
            if all(each is not scene for each in self.workspace.scenes):  # something else is open by now
                return
            fields = _kept(scene, mode)
            _take_out(scene)
            item = ADDERS[mode](scene, density, fields)
            self._remember(item.data, lines)
            after()

        self.workspace.jobs.run(SLOT, work, then, title="Density of lines")

    def _follow(self) -> None:
        """Make the density anew where the lines have changed for good; undo brings both back together."""
        jobs, scene = self.workspace.jobs, self.workspace.scene
        if self.mode == "none" or NetworkWork.of(self.workspace).busy or layer_distance.SLOT in jobs.slots:
            return
        lines = _lines_of(scene)
        density = scene[NAME].data
        if id(density) not in self._lines_of_density:  # too long ago, or from a file: take it as it is
            self._remember(density, lines)
        if lines is not self._lines_of_density[id(density)][1]:
            self.workspace.history.commit()
            self._make(self.mode, self.workspace.history.amend)

    def _remember(self, density: Any, lines: Any) -> None:
        self._lines_of_density[id(density)] = (density, lines)
        while len(self._lines_of_density) > KEPT:
            del self._lines_of_density[next(iter(self._lines_of_density))]

    def _forget(self) -> None:
        self._lines_of_density.clear()


def _mode_of(scene: Scene) -> str:
    item = next((each for each in scene if each.name == NAME), None)
    if isinstance(item, GlyphsItem):
        return "point"
    if isinstance(item, VolumeItem):
        return "cube" if item.interpolation == "nearest" else "cloud"
    return "none"


def _kept(scene: Scene, mode: str) -> dict[str, Any]:
    """Return what the user may have changed of an item in the same mode."""
    if _mode_of(scene) != mode:
        return {}
    old = scene[NAME]
    return {name: getattr(old, name) for name in ("visible", "opacity")} | (
        {"transfer": old.transfer} if isinstance(old, VolumeItem) else {}
    )


def _lines_of(scene: Scene) -> Any:
    """Return the lines of the first bundle; None where there is none."""
    return next((item.data for item in scene if isinstance(item, BundleItem)), None)


def _take_out(scene: Scene) -> None:
    if NAME in scene:
        scene.remove(NAME)


def _add_volume(scene: Scene, density: LineDensity, fields: dict[str, Any]) -> SceneItem:
    look = TransferFunction.preset("linear", values=density.volume.values, opacity=OPACITY)
    fields = {"axes": False, "group_marks": False, "origin": density.origin, "transfer": look} | fields
    return scene.add_volume(density.volume, name=NAME, **fields)


def _add_cubes(scene: Scene, density: LineDensity, fields: dict[str, Any]) -> SceneItem:
    return _add_volume(scene, density, {"interpolation": "nearest"} | fields)


def _add_points(scene: Scene, density: LineDensity, fields: dict[str, Any]) -> SceneItem:
    look = {"mode": "points", "size": density.volume.spacing[0], "base_opacity": FAINTEST, "legend": False}
    fields = look | {"importance_threshold": LEAST} | fields
    return scene.add_glyphs(density.points(LEAST), name=NAME, **fields)


ADDERS: dict[str, Callable[[Scene, LineDensity, dict[str, Any]], SceneItem]] = {
    "cube": _add_cubes,
    "cloud": _add_volume,
    "point": _add_points,
}
