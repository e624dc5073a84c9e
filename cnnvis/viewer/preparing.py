"""What takes long of a picture is made in a thread before it is drawn."""

from __future__ import annotations

from collections.abc import Callable

from cnnvis.rendering import ScenePanes
from cnnvis.rendering.network_prepared import PreparedNetwork, prepared_network
from cnnvis.rendering.scene_renderer import SceneRenderer
from cnnvis.viewer.jobs import Jobs

SLOT = "picture"


class Preparing:
    """Sees that a refresh of panes does not keep the GUI thread.

    Parameters
    ----------
    jobs : Jobs
    then : callable
        Called when something has been made, so that the panes can be refreshed.
    """

    def __init__(self, jobs: Jobs, then: Callable[[], object]) -> None:
        self._jobs, self._then = jobs, then
        self._tried: list[object] = []

    def is_done(self, panes: ScenePanes) -> bool:
        """Return whether the panes can be refreshed at once; else a thread sees to it.

        What a thread did not make, because it failed or was stopped, is left to the refresh, which says why.
        """
        wanted = [(pane.drawn, items) for pane in panes.panes if (items := pane.drawn.unprepared())]
        if SLOT in self._jobs.slots:  # on these data, or on others: then these come next
            return not wanted
        if not wanted or wanted == self._tried:
            self._tried = []
            return True
        self._tried = [*wanted]

        def work(tell: object) -> list[tuple[SceneRenderer, PreparedNetwork]]:
            return [(drawn, prepared_network(items)) for drawn, items in wanted]

        self._jobs.run(SLOT, work, self._take, title="Building the picture")
        return False

    def _take(self, made: list[tuple[SceneRenderer, PreparedNetwork]]) -> None:
        self._tried = []
        for drawn, prepared in made:
            drawn.take(prepared)
        self._then()
