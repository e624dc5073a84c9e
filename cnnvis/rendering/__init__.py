"""Scene -> VTK actors -> pixels, films, web pages. Rendering VTK is imported through `_vtk` only."""

from cnnvis.rendering.film import film
from cnnvis.rendering.offscreen import OffscreenWindow
from cnnvis.rendering.probe import require_rendering, require_window
from cnnvis.rendering.scene_renderer import ARTISTS, SceneRenderer
from cnnvis.rendering.still import render, write_picture
from cnnvis.rendering.web import export_html, scene_html

__all__ = [
    "ARTISTS",
    "OffscreenWindow",
    "SceneRenderer",
    "export_html",
    "film",
    "render",
    "require_rendering",
    "require_window",
    "scene_html",
    "write_picture",
]
