"""What is open in the viewer, shared by all its panels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from qtpy.QtCore import QObject, Signal

from cnnvis.core import BundledNetwork, Survey
from cnnvis.core.errors import InvalidInputError
from cnnvis.scene import Scene, SceneGrid, SceneItem, SceneWatch, Selection, scenes_of
from cnnvis.scene.links import Link
from cnnvis.scene.run_view import put_frames, shown_epochs
from cnnvis.viewer.filed import FiledData
from cnnvis.viewer.garbage import collector
from cnnvis.viewer.history import History, Moment, same_scenes
from cnnvis.viewer.jobs import Jobs
from cnnvis.viewer.runs.opened import OpenedRun
from cnnvis.viewer.theme import Theme

Target = Scene | SceneGrid

ModelSource = tuple[str, str | None]
"""What a network is loaded with: its name or file, and a file of weights."""


class Workspace(QObject):
    """The open scene or grid, what it was made of, and what is chosen in it.

    Parameters
    ----------
    parent : QObject, optional

    Attributes
    ----------
    target : Scene or SceneGrid
    scene : Scene
        Of the active pane.
    path : Path or None
        The file it was opened from or saved to.
    ground : {"light", "dark"}
        Of the window, and so of pictures that are made anew.
    survey : Survey or None
        What the survey's views show; not part of the scene, nor of undo.
    run : OpenedRun or None
        The training that was opened last; what is shown of it is in its scene.
    jobs : Jobs
    looks : Jobs
        What is looked at again and again, such as a training that goes on: no picture waits for it, and nobody is told.
    history : History

    Notes
    -----
    Signals: `target_changed` something else is open; `scene_changed` another pane is active, or another target;
    `network_changed` the network behind the active scene is another; `survey_changed` another survey is looked at;
    `run_changed` another training was opened; `item_changed` another item is chosen; `edited` anything of the scenes
    but a camera changed; `moved` a camera did; `message` something to tell, `problem` with an exception something that
    went wrong.
    """

    target_changed = Signal()
    scene_changed = Signal()
    network_changed = Signal()
    item_changed = Signal()
    survey_changed = Signal()
    run_changed = Signal()
    edited = Signal()
    moved = Signal()
    message = Signal(str)
    problem = Signal(str, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        collector().begin()
        self._is_open = True
        self.jobs = Jobs(self)
        self.jobs.failed.connect(self.problem)
        self.looks = Jobs(self)
        self.looks.failed.connect(self.problem)
        self.history = History(lambda: Moment.of(self.target, self._networks, self.path), self._go_to, self)
        self.ground: Theme = "light"
        self._watch: SceneWatch | None = None
        self._item: str | None = None
        self.survey: Survey | None = None
        self.survey_source: ModelSource | None = None
        self.run: OpenedRun | None = None
        self._run_scene: Scene | None = None
        self.view_size: tuple[int, int] | None = None
        self._filed = FiledData()
        self._open(Scene(), (None,), None)
        self.history.begin()

    # -- what is open ----------------------------------------------------------------------------

    def show(
        self,
        target: Target,
        networks: BundledNetwork | Sequence[BundledNetwork | None] | None = None,
        path: Path | None = None,
    ) -> None:
        """Open something else.

        Parameters
        ----------
        target : Scene or SceneGrid
        networks : BundledNetwork, or a sequence of them or None, one per scene
            What the scenes were made of, where it is a drawn network.
        path : Path, optional
        """
        n = len(scenes_of(target))
        given = (networks,) if isinstance(networks, BundledNetwork) or networks is None else tuple(networks)
        if networks is None:
            given *= n
        if len(given) != n:
            raise InvalidInputError(f"There are {n} scenes to show, got {len(given)} networks for them.")
        self._open(target, given, path)
        self._filed = FiledData(self.scenes)
        self.history.begin()
        self._tell_all()

    def show_made(
        self,
        target: Target,
        networks: BundledNetwork | Sequence[BundledNetwork | None] | None = None,
        path: Path | None = None,
    ) -> None:
        """Open what nobody has saved with a ground of its own, as `show` does: on the ground of the window."""
        for scene in scenes_of(target):
            scene.background = self.ground
        self.show(target, networks, path)

    def show_survey(self, survey: Survey, source: ModelSource | None = None) -> None:
        """Look at another survey, beside what is open.

        Parameters
        ----------
        survey : Survey
        source : (model, weights), optional
            What its network is loaded with, as for `cnnvis.models.load`. Default: the name that the survey knows.
        """
        self.survey, self.survey_source = survey, source
        self.survey_changed.emit()

    def show_run(self, run: OpenedRun) -> None:
        """Open a training: a scene that plays its epochs, at the newest; an empty one where there is none yet."""
        self._run_scene = scene = Scene(title=run.moment.facts.name)
        if run.found.frames:
            put_frames(scene, run.found, run.moment)
        self.show_made(scene)
        self.run = run
        self.run_changed.emit()

    @property
    def shown_epoch(self) -> int | None:
        """The epoch of the training that is open, if the active scene shows it."""
        if self.scene is not self._run_scene or not len(self.scene.series):
            return None
        return shown_epochs(self.scene)[self.scene.frame]

    def saved_as(self, path: Path, saved: Target) -> None:
        """Say that a file has what is open, with the data of a copy of it."""
        self.path, self._filed = path, FiledData(scenes_of(saved))

    @property
    def unsaved_data(self) -> tuple[str, ...]:
        """Names of the items that show other data than the file at `path` has."""
        return self._filed.changed(self.scenes)

    def arrange(
        self, scenes: Sequence[Scene], networks: Sequence[BundledNetwork | None], link: Iterable[Link] = ()
    ) -> None:
        """Show other panes, or the same ones linked in another way: one step of undo.

        Parameters
        ----------
        scenes : sequence of Scene
            Some of those that are open, others, or both.
        networks : sequence of BundledNetwork or None
            What each was made of.
        link : iterable of Link
            As for `SceneGrid`; one scene has none.
        """
        self.history.commit()
        self.history.amend()  # it may have been saved since
        same = same_scenes(scenes, self.scenes)
        options = self.target.options if same and isinstance(self.target, SceneGrid) else {}
        path = self.path if same else None
        self._let_go()
        target = SceneGrid(scenes, **(options | {"link": link})) if len(scenes) > 1 else scenes[0]
        self._open(target, tuple(networks), path)
        self._tell_all()
        self.history.commit()

    def _go_to(self, moment: Moment) -> None:
        """Let all be as it was at another moment."""
        if moment.is_of(self.target):
            moment.restore()
            self._restore_networks(moment.networks)
            return
        self._let_go()
        self._open(moment.target(), moment.networks, moment.path)
        self._tell_all()

    def _let_go(self) -> None:
        """Neither listen to the scenes nor link them: others will."""
        if self._watch is not None:
            self._watch.close()
        if isinstance(self.target, SceneGrid):
            self.target.unlink()

    def _open(self, target: Target, networks: tuple[BundledNetwork | None, ...], path: Path | None) -> None:
        active = None
        if self._watch is not None:
            self._watch.close()
            active = self.scene
        self.target, self.path, self._networks = target, path, networks
        self._watch = SceneWatch(self.scenes, self._edited, self._moved)
        self._active = next((index for index, scene in enumerate(self.scenes) if scene is active), 0)
        if self.scene is not active or self._item not in self.scene:
            self._item = next((item.name for item in self.scene), None)

    def _tell_all(self) -> None:
        self.target_changed.emit()
        self.scene_changed.emit()
        self.network_changed.emit()
        self.item_changed.emit()
        self.edited.emit()

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """All scenes that are open."""
        return scenes_of(self.target)

    @property
    def scene(self) -> Scene:
        """The scene of the active pane."""
        return self.scenes[self._active]

    def activate(self, scene: Scene) -> None:
        """Make the pane of a scene the active one."""
        index = next(index for index, each in enumerate(self.scenes) if each is scene)
        if index == self._active:
            return
        self._active = index
        if self._item not in self.scene:
            self._item = next((item.name for item in self.scene), None)
        self.scene_changed.emit()
        self.network_changed.emit()
        self.item_changed.emit()

    @property
    def networks(self) -> tuple[BundledNetwork | None, ...]:
        """The network behind each scene."""
        return self._networks

    @property
    def network(self) -> BundledNetwork | None:
        """The network behind the active scene; None where there is none, or only its lines are known."""
        return self._networks[self._active]

    @network.setter
    def network(self, network: BundledNetwork | None) -> None:
        self.set_network(self.scene, network)

    def network_of(self, scene: Scene) -> BundledNetwork | None:
        """Return the network behind a scene; None also where the scene is not open any more."""
        return next((mine for each, mine in zip(self.scenes, self._networks, strict=True) if each is scene), None)

    def set_network(self, scene: Scene, network: BundledNetwork | None) -> None:
        """Say which network is behind an open scene."""
        pairs = zip(self.scenes, self._networks, strict=True)
        self._restore_networks(tuple(network if each is scene else old for each, old in pairs))
        self.history.note()

    def _restore_networks(self, networks: tuple[BundledNetwork | None, ...]) -> None:
        if any(new is not old for new, old in zip(networks, self._networks, strict=True)):
            self._networks = networks
            self.network_changed.emit()

    # -- what is chosen --------------------------------------------------------------------------

    @property
    def item(self) -> SceneItem | None:
        """The item whose properties are shown."""
        return self.scene[self._item] if self._item is not None and self._item in self.scene else None

    @item.setter
    def item(self, item: SceneItem | None) -> None:
        name = None if item is None else item.name
        if name != self._item:
            self._item = name
            self.item_changed.emit()

    def select(self, selection: Selection | None = None) -> None:
        """Select units, layers or classes in the active scene; a grid shares it. None selects nothing."""
        self.scene.selection = Selection() if selection is None else selection

    # -- changes ---------------------------------------------------------------------------------

    def _edited(self) -> None:
        if self._item is not None and self._item not in self.scene:
            self._item = next((item.name for item in self.scene), None)
            self.item_changed.emit()
        self.history.note()
        self.edited.emit()

    def _moved(self) -> None:
        self.history.note()
        self.moved.emit()

    def close(self) -> None:
        """Stop all jobs, wait for them, and let go of the scenes."""
        self.jobs.close()
        self.looks.close()
        if self._is_open:
            self._is_open = False
            collector().end()
        if self._watch is not None:
            self._watch.close()
            self._watch = None
