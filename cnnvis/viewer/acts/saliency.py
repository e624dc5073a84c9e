"""Where the network that is open sees its classes in the image that is open."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cnnvis.core import Provenance
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
    image = window.files.image_of(origin) or _by_name(origin)
    if source is None or not image:
        window.workspace.message.emit("Choose the image to explain in the dock, then press Explain.")
    window.saliency.begin_with(source, image)


def _by_name(origin: Provenance) -> str:
    """Return the one image that something was made of, as it can be asked for: a test image by its number."""
    name = origin.inputs[0] if len(origin.inputs) == 1 else ""
    test = re.fullmatch(r".* test (\d+)", name)
    return name if test is None else str(int(test[1]))
