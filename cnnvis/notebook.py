"""Show a scene where the user sits: below the cell of a notebook, elsewhere in the browser."""

from __future__ import annotations

import html
import io
import os
import sys
import tempfile
import webbrowser
from pathlib import Path

from cnnvis.core.errors import InvalidInputError, RenderingUnavailableError, did_you_mean
from cnnvis.rendering import render, scene_html
from cnnvis.scene import Scene, SceneGrid

BACKEND_VARIABLE = "CNNVIS_BACKEND"
"""Environment variable that forces one of the `BACKENDS`: a picture, or a page that turns."""

BACKENDS = ("static", "web")


def show(target: Scene | SceneGrid, *, size: tuple[int, int] = (960, 600), interactive: bool = False) -> None:
    """Show a scene or a grid below the cell of a Jupyter notebook, or else in the browser.

    Parameters
    ----------
    target : Scene or SceneGrid
    size : (width, height) in pixels, default: (960, 600)
    interactive : bool, default: False
        In a notebook, show the page of `cnnvis.rendering.export_html`, which turns with the mouse, in place of a
        picture. It needs neither extension nor network, but a running browser: a code host that displays the
        notebook shows pictures only. Elsewhere what opens always turns.

    Raises
    ------
    RenderingUnavailableError
        When there is no OpenGL for a picture or, outside a notebook, no browser.
    InvalidInputError
        When `target` is something else, or a page is to show a scene without a visible volume.

    Notes
    -----
    The environment variable ``CNNVIS_BACKEND`` overrides `interactive`: "static" shows pictures only, "web" pages only.
    A page adds 4/3 byte per voxel to the notebook. What a browser was given stays in the folder for temporary files.
    """
    if not isinstance(target, (Scene, SceneGrid)):
        raise InvalidInputError(
            f"show() takes a Scene or a SceneGrid, got {type(target).__name__}. "
            "Put it into one: scene = cnnvis.Scene(); scene.add_volume(...)."
        )
    in_notebook = _in_notebook()
    backend = _forced_backend() or ("web" if interactive or not in_notebook else "static")
    (_display if in_notebook else _open)(target, size, backend)


def _forced_backend() -> str:
    """Return what the environment variable asks for, "" when it says nothing."""
    backend = os.environ.get(BACKEND_VARIABLE, "")
    if backend and backend not in BACKENDS:
        raise InvalidInputError(
            f"The environment variable {BACKEND_VARIABLE} is {backend!r}. {did_you_mean(backend, BACKENDS)}"
        )
    return backend


def _in_notebook() -> bool:
    """Return whether a Jupyter kernel runs this; IPython in a terminal has none and cannot show pictures."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and getattr(ipython.get_ipython(), "kernel", None) is not None


def _display(target: Scene | SceneGrid, size: tuple[int, int], backend: str) -> None:
    """Show the picture or the page below the running cell."""
    from IPython.display import Image, display

    words = _words(target)
    if backend == "static":
        display(Image(_png(target, size), format="png", alt=words))
        return
    # Sandboxed: the page can run its own script, but reach nothing of the notebook around it.
    frame = (
        f'<iframe sandbox="allow-scripts" title="{html.escape(words)}" style="border: 0; max-width: 100%" '
        f'width="{size[0]}" height="{size[1]}" srcdoc="{html.escape(scene_html(target))}"></iframe>'
    )
    display({"text/html": frame, "text/plain": words}, raw=True)


def _open(target: Scene | SceneGrid, size: tuple[int, int], backend: str) -> None:
    """Write the picture or the page to a temporary file and open it in the browser."""
    content = _png(target, size) if backend == "static" else scene_html(target).encode("utf-8")
    suffix = ".png" if backend == "static" else ".html"
    with tempfile.NamedTemporaryFile(prefix="cnnvis-", suffix=suffix, delete=False) as file:
        file.write(content)
    path = Path(file.name)
    if not (_has_display() and webbrowser.open(path.as_uri())):
        path.unlink()
        raise RenderingUnavailableError(
            "There is no browser here to show the scene in. Write it to a file instead: cnnvis.render(scene, "
            "'scene.png') for a picture, cnnvis.rendering.export_html(scene, 'scene.html') for a page that turns."
        )


def _has_display() -> bool:
    """Return whether a window can open; without one, webbrowser would start a browser of the terminal."""
    return sys.platform != "linux" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")))


def _png(target: Scene | SceneGrid, size: tuple[int, int]) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(render(target, size=size)).save(buffer, "PNG")
    return buffer.getvalue()


def _words(target: Scene | SceneGrid) -> str:
    """Return what is shown in words, for those who cannot see it."""
    scenes = target.scenes if isinstance(target, SceneGrid) else (target,)
    return "; ".join(scene.title or ", ".join(item.name for item in scene) for scene in scenes)
