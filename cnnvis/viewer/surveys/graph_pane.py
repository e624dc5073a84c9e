"""The graph of a layer's channels in space, in a pane beside what is open, and in step with the survey's views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

from cnnvis.core import ChannelGraph
from cnnvis.core.errors import InvalidInputError
from cnnvis.scene import Scene
from cnnvis.scene.links import fitting_links
from cnnvis.viewer.comparing import MAX_PANES
from cnnvis.viewer.jobs import Tell
from cnnvis.viewer.surveys.bench import Groups, SurveyBench

if TYPE_CHECKING:
    from collections.abc import Callable

SLOT = "survey graph"


class GraphPane(QObject):
    """Shows the graph of the bench's layer; what is selected in it is selected in all views.

    Parameters
    ----------
    bench : SurveyBench
    """

    def __init__(self, bench: SurveyBench) -> None:
        super().__init__(bench)
        self.bench = bench
        self._scene = Scene()
        self._shown: Groups | None = None
        bench.grouped.connect(self._follow)

    @property
    def is_open(self) -> bool:
        """Whether the pane is one of those that are seen."""
        return any(scene is self._scene for scene in self.bench.workspace.scenes)

    @property
    def _groups(self) -> Groups | None:
        """Those of the layer that is looked at; None while they are looked for."""
        return self.bench.groups.get(self.bench.layer)

    def show(self) -> None:
        """Show the graph of the layer that is looked at."""
        if self._groups is not None:
            self._make(self._open)
        else:
            self.bench.workspace.message.emit("There are no groups yet: open a survey, and choose a layer in its grid.")

    def _follow(self) -> None:
        """Show another layer or survey in the pane, where another one is looked at."""
        if self.is_open and self._groups not in (None, self._shown):
            self._make(self._refill)

    def _make(self, then: Callable[[ChannelGraph], None]) -> None:
        survey, layer, groups = self.bench.survey, self.bench.layer, self._groups

        def work(tell: Tell) -> ChannelGraph:
            from cnnvis.studies import survey_graph  # loads torch, in the thread

            return survey_graph(survey, layer, groups.labels, progress=tell.progress)

        def take(graph: ChannelGraph) -> None:
            if survey is self.bench.survey:
                self._shown = groups
                then(graph)

        self.bench.workspace.jobs.run(SLOT, work, take, title=f"Graph of {layer} in 3-D")

    def _open(self, graph: ChannelGraph) -> None:
        """Put a new pane beside what is open; where there is one, show the graph in it."""
        if self.is_open:
            self._refill(graph)
            return
        workspace = self.bench.workspace
        pairs = [pair for pair in zip(workspace.scenes, workspace.networks, strict=True) if len(pair[0])]
        if len(pairs) == MAX_PANES:
            raise InvalidInputError(f"{MAX_PANES} panes are open already; close some to see the graph beside them.")
        selection = workspace.scene.selection
        self._scene = Scene.of_graph(graph)
        self._scene.update({"background": workspace.scene.background, "selection": selection})
        scenes = [*(scene for scene, _ in pairs), self._scene]
        workspace.arrange(scenes, [*(network for _, network in pairs), None], fitting_links(scenes))

    def _refill(self, graph: ChannelGraph) -> None:
        """Show another graph, seen from where the last one was: part of what led to it."""
        history, made = self.bench.workspace.history, Scene.of_graph(graph)
        history.commit()
        self._scene.title = made.title
        for item in self._scene.items:
            self._scene.remove(item.name)
        self._scene.add_graph(graph)
        history.amend()
