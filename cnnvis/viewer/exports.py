"""Leaving with it: pictures, films, pages, files for other programs, and the state as Python."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QApplication, QFileDialog, QWidget

from cnnvis.core import PointSet, PolylineSet, Volume
from cnnvis.core.errors import InvalidInputError, OutputError
from cnnvis.rendering import FILM_SUFFIXES, GLTF_SUFFIXES, PICTURE_SUFFIXES, export_gltf, export_html
from cnnvis.scene import Scene, copy_of, copy_scene
from cnnvis.viewer.choice_dialogs import is_accepted
from cnnvis.viewer.export_dialogs import FilmDialog, SizeDialog
from cnnvis.viewer.jobs import Tell
from cnnvis.viewer.workspace import Workspace


class Exports(QObject):
    """Writes what is open in other forms. What takes long works on a copy of the state, in a thread.

    Parameters
    ----------
    workspace : Workspace
    window : QWidget
        Parent of dialogs.
    """

    def __init__(self, workspace: Workspace, window: QWidget) -> None:
        super().__init__(window)
        self.workspace, self.window = workspace, window

    # -- asking ----------------------------------------------------------------------------------

    def ask_picture(self) -> None:
        """Ask for size and file, and write the picture of the view."""
        dialog = SizeDialog(self.workspace.target, self.window)
        if is_accepted(dialog):
            size = dialog.size_asked
            self._ask("Screenshot", "picture.png", PICTURE_SUFFIXES, lambda path: self.picture(path, size))

    def ask_film(self) -> None:
        """Ask what the film runs over, and for the file."""
        dialog = FilmDialog(self.workspace.target, self.window)
        if is_accepted(dialog):
            options = dialog.options
            self._ask("Film", "film.mp4", FILM_SUFFIXES, lambda path: self.film(path, **options))

    def ask_page(self) -> None:
        """Ask for the file of a page that turns in a browser."""
        self._ask("Web page", "view.html", (".html",), self.page)

    def ask_gltf(self) -> None:
        """Ask for the file for other 3-D programs."""
        self._ask("glTF", "network.glb", GLTF_SUFFIXES, self.gltf)

    def ask_paraview(self) -> None:
        """Ask for the file for ParaView."""
        self._ask("ParaView", "scene.vtm", (".vtm",), self.paraview)

    def _ask(self, title: str, name: str, suffixes: tuple[str, ...], write: Callable[[Path], object]) -> None:
        folder = Path.cwd() if self.workspace.path is None else self.workspace.path.parent
        kinds = " ".join(f"*{suffix}" for suffix in suffixes)
        chosen, _ = QFileDialog.getSaveFileName(self.window, title, str(folder / name), f"{title} ({kinds})")
        if chosen:
            path = Path(chosen)
            write(path if path.suffix else path.with_suffix(suffixes[0]))

    # -- writing ---------------------------------------------------------------------------------

    def picture(self, path: Path, size: tuple[int, int]) -> None:
        """Write the picture that `cnnvis.render` makes of what is open; a process of its own draws it."""
        self._draw("picture", path, ["--size", f"{size[0]}x{size[1]}"])

    def page(self, path: Path) -> None:
        """Write a page that turns in a browser."""
        target = copy_of(self.workspace.target)
        self._run("page", path, lambda tell: export_html(target, path))

    def gltf(self, path: Path) -> None:
        """Write lines and units of the active scene for other 3-D programs."""
        scene = copy_scene(self.workspace.scene)
        self._run("gltf", path, lambda tell: export_gltf(scene, path))

    def paraview(self, path: Path) -> None:
        """Write volumes, lines and units by name, as one .vtm with its pieces beside it.

        Raises
        ------
        InvalidInputError
            When nothing of it is any of these.
        """
        from cnnvis.io import save

        parts = parts_of(self.workspace.scenes)
        if not parts:
            raise InvalidInputError("ParaView's files hold volumes, lines and units; there is none of them here.")
        self._run("paraview", path, lambda tell: save(parts, path))

    def film(self, path: Path, *, over: str, frames: int, fps: int, size: tuple[int, int]) -> None:
        """Write a film; a process of its own draws it.

        Parameters
        ----------
        path : Path
        over : {"turn", "series"}
        frames : int
            Of a turn.
        fps : int
        size : (width, height) in pixels
        """
        options = ["--over", over, "--frames", str(frames), "--fps", str(fps), "--size", f"{size[0]}x{size[1]}"]
        self._draw("film", path, options)

    def copy_python(self) -> None:
        """Put Python that makes what is shown on the clipboard."""
        from cnnvis.scene.as_python import as_python

        path = self.workspace.path
        changed = self.workspace.unsaved_data if path is not None else ()
        QApplication.clipboard().setText(as_python(self.workspace.target, path, changed=changed))
        first = (
            f" Save the scene before you run it: {path.name} has other data of {', '.join(changed)}." if changed else ""
        )
        self.workspace.message.emit(f"Python that makes this picture is on the clipboard.{first}")

    def _draw(self, slot: str, path: Path, options: Sequence[str]) -> None:
        """Draw what is open in a process, so that the window stays free."""
        target = copy_of(self.workspace.target)

        def work(tell: Tell) -> None:
            from cnnvis.io import save

            with tempfile.TemporaryDirectory(prefix="cnnvis-") as folder:
                scene = save(target, Path(folder) / "scene.json")
                _draw_elsewhere([str(scene), str(path), *options], tell)

        self._run(slot, path, work)

    def _run(self, slot: str, path: Path, work: Callable[[Tell], object]) -> None:
        self.workspace.jobs.run(
            slot, work, lambda _: self.workspace.message.emit(f"Wrote {path}"), title=f"Writing {path.name}"
        )


def parts_of(scenes: tuple[Scene, ...]) -> dict[str, Any]:
    """Return data of visible items that files of VTK hold, by name; those of several scenes are numbered."""
    return {
        item.name if len(scenes) == 1 else f"{number} {item.name}": item.data
        for number, scene in enumerate(scenes, start=1)
        for item in scene
        if item.visible and isinstance(item.data, Volume | PolylineSet | PointSet)
    }


def _draw_elsewhere(arguments: list[str], tell: Tell) -> None:
    """Run `draw_process` in a process, and hand on how far it is.

    Raises
    ------
    OutputError
        With what the process said, when it failed.
    """
    command = [sys.executable, "-m", "cnnvis.viewer.draw_process", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stdout:
                done, total = map(int, line.split())
                tell.progress(done, total)
        except BaseException:
            process.terminate()
            raise
        said = process.stderr.read().strip()
    if process.returncode:
        raise OutputError(said.splitlines()[-1] if said else f"Drawing stopped with code {process.returncode}.")
