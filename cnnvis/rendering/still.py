"""One picture of a scene or a grid."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.atomic import save_bytes
from cnnvis.core.errors import FileFormatError
from cnnvis.rendering.offscreen import OffscreenWindow
from cnnvis.scene import Scene, SceneGrid, scenes_of

DEFAULT_SIZE = (1600, 1000)

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")


def render(
    target: Scene | SceneGrid, path: str | Path | None = None, *, size: tuple[int, int] | None = None
) -> NDArray[np.uint8]:
    """Return a picture of a scene or a grid, and write it if a path is given.

    Parameters
    ----------
    target : Scene or SceneGrid
    path : path-like, optional
        .png, .jpg, .tif or .webp; written whole or not at all.
    size : (width, height) in pixels, optional
        Default: the size of the scene or grid, else (1600, 1000).

    Returns
    -------
    (H, W, 3) ndarray of uint8
        First row on top. The same scene gives the same pixels on the same OpenGL driver.

    Raises
    ------
    RenderingUnavailableError
        When no OpenGL library can be loaded here.
    FileFormatError
        For another suffix.

    Notes
    -----
    About 0.5 s for a (96, 112, 112) volume at the default size on two cores without a GPU.
    """
    if path is not None:
        _check_suffix(Path(path))  # before the work, not after it
    scenes_of(target)  # says what can be rendered, before anything is asked of it
    with OffscreenWindow(target, size or target.size or DEFAULT_SIZE) as window:
        pixels = window.draw()
    if path is not None:
        write_picture(pixels, path)
    return pixels


def _check_suffix(path: Path) -> None:
    if path.suffix.lower() not in PICTURE_SUFFIXES:
        raise FileFormatError(f"Cannot write a picture as {path.name!r}; allowed are {', '.join(PICTURE_SUFFIXES)}.")


def write_picture(pixels: NDArray[np.uint8], path: str | Path) -> None:
    """Write (H, W, 3) uint8 pixels in the format of the path's suffix, whole or not at all."""
    from PIL import Image

    path = Path(path)
    _check_suffix(path)
    buffer = io.BytesIO()
    kind = Image.registered_extensions()[path.suffix.lower()]
    # A PNG of a render compresses well at level 1 already; 9 takes ten times as long for a tenth less.
    options = {"compress_level": 1} if kind == "PNG" else {"quality": 92}
    Image.fromarray(pixels).save(buffer, kind, **options)
    save_bytes(buffer.getvalue(), path)
