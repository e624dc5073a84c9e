"""Scene -> VTK actors -> pixels, films, web pages. Rendering VTK is imported through `_vtk` only."""

from cnnvis.rendering.film import FILM_SUFFIXES, film, film_of_pictures
from cnnvis.rendering.gltf_export import GLTF_SUFFIXES, export_gltf
from cnnvis.rendering.hits import Hit, LineHit, MatrixHit, TileHit, UnitHit, VolumeHit
from cnnvis.rendering.offscreen import OffscreenWindow, pixels_of
from cnnvis.rendering.panes import ScenePane, ScenePanes
from cnnvis.rendering.picking import Picker
from cnnvis.rendering.probe import require_rendering, require_window
from cnnvis.rendering.scene_renderer import ARTISTS, SceneRenderer
from cnnvis.rendering.still import PICTURE_SUFFIXES, render, write_picture
from cnnvis.rendering.viewpoint import camera_state
from cnnvis.rendering.web import PAGE_SUFFIXES, export_html, scene_html

__all__ = [
    "ARTISTS",
    "FILM_SUFFIXES",
    "GLTF_SUFFIXES",
    "PAGE_SUFFIXES",
    "PICTURE_SUFFIXES",
    "Hit",
    "LineHit",
    "MatrixHit",
    "OffscreenWindow",
    "Picker",
    "ScenePane",
    "ScenePanes",
    "SceneRenderer",
    "TileHit",
    "UnitHit",
    "VolumeHit",
    "camera_state",
    "export_gltf",
    "export_html",
    "film",
    "film_of_pictures",
    "pixels_of",
    "render",
    "require_rendering",
    "require_window",
    "scene_html",
    "write_picture",
]
