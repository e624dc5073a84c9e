"""Which way a scene is shown, and what a cell of a notebook is given."""

from __future__ import annotations

import base64
import html
import io
import os
import sys
import tempfile
import webbrowser
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.errors import InvalidInputError, RenderingUnavailableError, did_you_mean
from cnnvis.rendering import render, require_window, scene_html
from cnnvis.scene import Scene, SceneGrid, scenes_of

BACKEND_VARIABLE = "CNNVIS_BACKEND"
"""Environment variable that forces one of the `BACKENDS`."""

BACKENDS = ("qt", "trame", "web", "static")
"""The viewer's window, a view drawn by the kernel, a page that draws itself in the browser, a picture."""


def show(target: Scene | SceneGrid, *, size: tuple[int, int] = (960, 600), interactive: bool = True) -> None:
    """Show a scene or a grid: in a Jupyter notebook below the cell, elsewhere in a window, else in the browser.

    Parameters
    ----------
    target : Scene or SceneGrid
        Stays connected: what changes in it later, changes in the view of the kernel and in the window.
    size : (width, height) in pixels, default: (960, 600)
        Of what is shown below a cell.
    interactive : bool, default: True
        In a notebook, whether it turns with the mouse; False gives a picture. Elsewhere what opens always turns.

    Raises
    ------
    RenderingUnavailableError
        When there is no OpenGL for a picture or, outside a notebook, neither display nor browser.
    InvalidInputError
        When `target` is something else, or what CNNVIS_BACKEND asks for cannot be had here.

    Notes
    -----
    The environment variable ``CNNVIS_BACKEND`` forces one of

    - "trame": the kernel draws, with its own shaders, and streams pictures to the browser, which must be on the same
      machine or see its port there; default in a notebook where trame-pyvista is installed. Beside the view are a few
      sliders. While a cell runs, it stands still. The last four views live.
    - "web": the page of `cnnvis.rendering.export_html`, which needs no kernel and is drawn by WebGL, somewhat simpler;
      it adds 4/3 byte per voxel to the notebook. Default where trame cannot run.
    - "static": a picture only.
    - "qt": the window of `cnnvis view`; default outside notebooks where there is a display.

    In each of them the notebook also keeps the picture, which is what a reader sees where nothing can be interactive: a
    code host, a closed kernel, a browser on another machine. Outside a notebook, what a browser was given stays in the
    folder for temporary files.

    The streamed view is tested in a real kernel with headless Chromium: that it draws, turns with the mouse, follows
    its sliders and later cells. JupyterLab, Notebook and VS Code show the same HTML, but no test runs in them.
    """
    if not isinstance(target, (Scene, SceneGrid)):
        raise InvalidInputError(
            f"show() takes a Scene or a SceneGrid, got {type(target).__name__}. "
            "Put it into one: scene = cnnvis.Scene(); scene.add_volume(...)."
        )
    in_notebook = _in_notebook()
    backend = _forced_backend() or _usual_backend(target, in_notebook, interactive)
    if backend == "qt":
        _open_window(target)
    elif in_notebook:
        _display(target, size, backend)
    else:
        _open(target, size, backend)


def _forced_backend() -> str:
    """Return what the environment variable asks for, "" when it says nothing."""
    backend = os.environ.get(BACKEND_VARIABLE, "")
    if backend and backend not in BACKENDS:
        raise InvalidInputError(
            f"The environment variable {BACKEND_VARIABLE} is {backend!r}. {did_you_mean(backend, BACKENDS)}"
        )
    return backend


def _usual_backend(target: Scene | SceneGrid, in_notebook: bool, interactive: bool) -> str:
    """Return the best that there is here."""
    if not in_notebook:
        return "qt" if _has_window() else "web"
    if not interactive:
        return "static"
    from cnnvis.notebook.remote import can_stream

    if can_stream():
        return "trame"
    try:
        scene_html(target)
    except InvalidInputError:  # it has nothing that a page can draw
        return "static"
    return "web"


def _in_notebook() -> bool:
    """Return whether a Jupyter kernel runs this; IPython in a terminal has none and cannot show pictures."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and getattr(ipython.get_ipython(), "kernel", None) is not None


# -- in a notebook -------------------------------------------------------------------------------


def _display(target: Scene | SceneGrid, size: tuple[int, int], backend: str) -> None:
    """Show the picture below the running cell, with the page or the view before it."""
    from IPython.display import display

    words = _words(target)
    if backend == "trame":
        frame, picture = _streamed(target, size)
    else:
        picture = _png(render(target, size=size))
        # Sandboxed: the page can run its own script, but reach nothing of the notebook around it.
        frame = (
            f'<iframe sandbox="allow-scripts" srcdoc="{html.escape(scene_html(target))}"' if backend == "web" else ""
        )
    content: dict[str, Any] = {"image/png": base64.b64encode(picture).decode(), "text/plain": words}
    if frame:
        content["text/html"] = _over_picture(frame, content["image/png"], size, words)
    display(content, raw=True, metadata={"image/png": {"alt": words}})


def _streamed(target: Scene | SceneGrid, size: tuple[int, int]) -> tuple[str, bytes]:
    """Return the beginning of a frame for a view drawn by the kernel, and the picture to begin with."""
    from cnnvis.notebook.remote import HOST, RemoteView, can_stream

    if not can_stream():
        raise InvalidInputError(
            f"{BACKEND_VARIABLE}=trame needs trame-pyvista (pip install trame-pyvista) and a kernel with an event "
            "loop. Choose web or static, or unset it."
        )
    view = RemoteView(target, size)
    url = f"http://{HOST}:{view.port}/"
    # The frame comes up once the kernel answers: before that, and when it is gone, the picture is seen.
    script = (
        "const frame = this, ask = left => fetch(frame.dataset.url, {mode: 'no-cors'})"
        ".then(() => { frame.src = frame.dataset.url; frame.style.visibility = 'visible'; frame.onload = null; },"
        " () => left && setTimeout(ask, 300, left - 1)); frame.onload = null; ask(100)"
    )
    return f'<iframe data-url="{url}" src="about:blank" onload="{html.escape(script)}"', _png(view.first)


def _over_picture(frame: str, picture: str, size: tuple[int, int], words: str) -> str:
    """Return a frame that covers a picture; who shows no frames shows the picture."""
    width, height = size
    hidden = "visibility: hidden; " if "data-url" in frame else ""
    title = html.escape(words)
    return (
        f'<div style="position: relative; max-width: 100%; width: {width}px; height: {height}px">'
        f'<img alt="{title}" style="width: 100%; height: 100%; object-fit: contain" '
        f'src="data:image/png;base64,{picture}">'
        f'{frame} title="{title}" width="{width}" height="{height}" '
        f'style="{hidden}position: absolute; inset: 0; width: 100%; height: 100%; border: 0"></iframe></div>'
    )


# -- elsewhere -----------------------------------------------------------------------------------


def _open_window(target: Scene | SceneGrid) -> None:
    require_window()
    from cnnvis import viewer

    viewer.show(target)


def _open(target: Scene | SceneGrid, size: tuple[int, int], backend: str) -> None:
    """Write the picture or the page to a temporary file and open it in the browser."""
    if backend == "trame":
        raise InvalidInputError(f"{BACKEND_VARIABLE}=trame is for notebooks; here it can be qt, web or static.")
    content = _png(render(target, size=size)) if backend == "static" else scene_html(target).encode("utf-8")
    suffix = ".png" if backend == "static" else ".html"
    with tempfile.NamedTemporaryFile(prefix="cnnvis-", suffix=suffix, delete=False) as file:
        file.write(content)
    path = Path(file.name)
    if not (_has_browser() and webbrowser.open(path.as_uri())):
        path.unlink()
        raise RenderingUnavailableError(
            "There is no display here to show the scene on. Write it to a file instead: cnnvis.render(scene, "
            "'scene.png') for a picture, cnnvis.rendering.export_html(scene, 'scene.html') for a page that turns."
        )


def _has_window() -> bool:
    """Return whether a window of Qt can open."""
    try:
        require_window()
    except (RenderingUnavailableError, ImportError):
        return False
    return True


def _has_browser() -> bool:
    """Return whether a browser can open; without a display, webbrowser would start one of the terminal."""
    return sys.platform != "linux" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")))


def _png(pixels: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _words(target: Scene | SceneGrid) -> str:
    """Return what is shown in words, for those who cannot see it."""
    return "; ".join(scene.title or ", ".join(item.name for item in scene) for scene in scenes_of(target))
