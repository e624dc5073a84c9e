"""Where the network that is open sees its classes in the image that is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnvis.viewer.model_files import is_loadable
from cnnvis.viewer.surveys.making import origin_of

if TYPE_CHECKING:
    from cnnvis.viewer.window import ViewerWindow


def explain_image(window: ViewerWindow) -> None:
    """Show the saliency dock, with the network and the image that are open; without them it asks for some."""
    window.show_large("saliency")
    origin = origin_of(window.workspace)
    if origin is None:
        window.workspace.message.emit("Nothing that is open is of a network: name one in the dock, and an image.")
        return
    source = window.files.source_of(origin) or ((origin.model, None) if is_loadable(origin.model) else None)
    image = window.files.image_of(origin)
    if source is None or not image:
        window.workspace.message.emit("Choose the image to explain in the dock, then press Explain.")
    window.saliency.begin_with(source, image)
