"""The network that is open as the maps of its layers in space, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cnnvis.io.showing import Shown
from cnnvis.scene import TilesItem, scenes_of
from cnnvis.viewer.jobs import OPENING, Tell
from cnnvis.viewer.surveys.making import origin_of

if TYPE_CHECKING:
    from cnnvis.viewer.window import ViewerWindow


def show_architecture(window: ViewerWindow) -> None:
    """Show every layer of the network that is open as its maps, as one step of undo."""
    workspace = window.workspace
    origin = origin_of(workspace)
    if origin is None:
        workspace.message.emit("Nothing that is open is of a network: open a model first, under File.")
        return
    if any(isinstance(item, TilesItem) for item in workspace.scene):
        workspace.message.emit("These are the maps of its layers already.")
        return
    model, weights = window.files.source_of(origin) or (origin.model, None)
    image = window.files.image_of(origin)

    def work(tell: Tell) -> Shown:
        from cnnvis.studies.showing import ModelView, show_model  # loads torch, in the thread

        return show_model(model, ModelView(image=image, tiles=True, weights=weights), progress=tell.progress)

    def then(shown: Shown) -> None:
        (scene,) = scenes_of(shown.target)
        scene.background = workspace.ground
        workspace.arrange([scene], [None])
        window.docks["properties"].raise_()
        workspace.message.emit(f"{title}. Undo (Ctrl+Z) goes back to what was open.")

    title = f"{Path(model).name}, layer by layer"
    workspace.jobs.run(OPENING, work, then, title=title)
