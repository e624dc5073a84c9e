"""Starting the viewer: one application, one window, and nothing that ends it but its user."""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from qtpy.QtCore import QElapsedTimer, QThread
from qtpy.QtWidgets import QApplication

from cnnvis.core.errors import RenderingError
from cnnvis.rendering import require_window
from cnnvis.scene import Scene, SceneGrid
from cnnvis.viewer.settings import Settings
from cnnvis.viewer.window import ViewerWindow

SETTLE_MS = 120_000
"""Longest wait for everything to be painted before a picture is taken of the window."""

LOOK_MS = 30
"""How often to look whether all is done and painted."""


_kept: list[QApplication] = []
"""The application, where it was made here: without a reference Python would end it."""


def application() -> QApplication:
    """Return the one QApplication of the process, made if need be."""
    if QApplication.instance() is None:
        require_window()
        _kept[:] = [QApplication([sys.argv[0] or "cnnvis"])]
        _kept[0].setApplicationName("cnnvis")
    return QApplication.instance()


def open_window(settings: Settings | None = None) -> ViewerWindow:
    """Return a new window, shown; errors in its slots become messages in it from now on."""
    application()
    window = ViewerWindow(settings)
    before = sys.__excepthook__

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            window.close()
        else:
            before(kind, error, trace)  # scripts see it too
            window.workspace.problem.emit("Something", error)

    sys.excepthook = hook
    window.show()
    return window


def show(target: Scene | SceneGrid) -> ViewerWindow | None:
    """Show a scene or a grid in a new window.

    Parameters
    ----------
    target : Scene or SceneGrid
        Stays the same object: what is changed in the window is changed in it, and the other way round.

    Returns
    -------
    ViewerWindow or None
        Where an event loop of Qt runs already, the window, at once; else None, when it is closed.
    """
    running = QApplication.instance() is not None and QThread.currentThread().loopLevel() > 0
    before = sys.excepthook
    window = open_window()
    window.workspace.show(target)
    if running:
        return window
    try:
        _until_closed(window)
    finally:
        sys.excepthook = before
    del window
    gc.collect()  # or its rings of objects would be freed later, in a thread that comes by
    return None


def run(
    paths: Sequence[Path] = (),
    *,
    example: str | None = None,
    model: str | None = None,
    view: Mapping[str, object] | None = None,
    screenshot: Path | None = None,
) -> int:
    """Open a window, and return when it is closed.

    Parameters
    ----------
    paths : sequence of Path
        Files to open.
    example : str, optional
        Name of an example to open.
    model : str, optional
        A network to open, as for `cnnvis.models.load`; with files that of the survey among them.
    view : mapping, optional
        What to see of the network, and its weights: fields of `cnnvis.studies.showing.ModelView` by name.
    screenshot : Path, optional
        Wait until everything is painted, save a picture of the window, and close it.

    Returns
    -------
    int
        0; 1 when there was to be a picture, and something went wrong before it.
    """
    before = sys.excepthook
    window = open_window()
    problems: list[tuple[str, BaseException]] = []
    window.workspace.problem.connect(lambda what, error: problems.append((what, error)))
    if paths:
        weights = (view or {}).get("weights")
        window.files.open(paths, (model, None if weights is None else str(weights)) if model is not None else None)
    elif example is not None:
        window.files.open_example(example)
    elif model is not None:
        window.files.open_model(model, **(view or {}))
    try:
        if screenshot is None:
            _until_closed(window)
            return 0
        return _photograph(window, screenshot, problems)
    finally:
        sys.excepthook = before


def _until_closed(window: ViewerWindow) -> None:
    """Run Qt until this window is closed.

    Not until the last one is, as Qt would: windows that go together ask it to quit more than once, and what is left
    over of that lets every later loop of the program end at once, those of dialogs among them.
    """
    app = QApplication.instance()
    by_itself = QApplication.quitOnLastWindowClosed()
    QApplication.setQuitOnLastWindowClosed(False)
    end = window.closed.connect(lambda: app.exit(0))
    try:
        app.exec_()
    finally:
        window.closed.disconnect(end)
        QApplication.setQuitOnLastWindowClosed(by_itself)


def _photograph(window: ViewerWindow, path: Path, problems: list[tuple[str, BaseException]]) -> int:
    from cnnvis.core.atomic import AtomicWrite

    try:
        settle(window)
        with AtomicWrite() as write:
            if not window.screenshot().save(str(write.file(path)), path.suffix.lstrip(".") or "png"):
                raise RenderingError(f"The picture of the window could not be written to {path}.")
    finally:
        window.close()
    for what, error in problems:
        sys.stderr.write(f"cnnvis view: {what} failed: {error}\n")
    return 1 if problems else 0


def settle(window: ViewerWindow, timeout_ms: int = SETTLE_MS) -> None:
    """Let the window work until nothing is left to be done or painted.

    Raises
    ------
    RenderingError
        When it is not done in time.
    """
    clock = QElapsedTimer()
    clock.start()
    quiet = 0
    while quiet < 3:
        _let_happen(LOOK_MS)
        painted = window.canvas.resting or window.pages.currentWidget() is not window.canvas
        quiet = quiet + 1 if painted and not window.workspace.jobs.busy else 0
        if clock.elapsed() > timeout_ms:
            raise RenderingError(f"The window was not painted in full within {timeout_ms / 1000:g} s.")


def _let_happen(milliseconds: int) -> None:
    """Process events for some time.

    Not with an event loop: once the last window of an application has been closed, Qt lets every loop end at once.
    """
    clock = QElapsedTimer()
    clock.start()
    while clock.elapsed() < milliseconds:
        QApplication.processEvents()
        QThread.msleep(1)
