"""What is open is kept on disk while it is open, so that a crash loses nothing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from qtpy.QtCore import QObject

from cnnvis.core import BundledNetwork
from cnnvis.core.errors import CnnvisError
from cnnvis.io import load, save
from cnnvis.io.showing import Shown, load_to_show
from cnnvis.scene import copy_of
from cnnvis.viewer.jobs import Tell
from cnnvis.viewer.timers import single_shot
from cnnvis.viewer.workspace import Workspace

REST_MS = 15_000
"""How long nothing must change before it is saved."""

SCENE = "scene.json"


class Autosave(QObject):
    """Saves the target of a workspace after changes, in a folder of this process, until `close`.

    Parameters
    ----------
    workspace : Workspace
    folder : Path
        Of all sessions; that of this process is a folder in it named by its number.
    """

    def __init__(self, workspace: Workspace, folder: Path) -> None:
        super().__init__(workspace)
        self.workspace = workspace
        self.folder = folder / str(os.getpid())
        self._rest = single_shot(self, REST_MS, self.save)
        workspace.edited.connect(self._rest.start)

    def save(self) -> None:
        """Save now, in a thread; waits while other work is being done."""
        if self.workspace.jobs.busy:
            self._rest.start()
            return
        if not any(len(scene) for scene in self.workspace.scenes):
            return
        target, networks, folder = copy_of(self.workspace.target), self.workspace.networks, self.folder

        def work(tell: Tell) -> None:
            folder.mkdir(parents=True, exist_ok=True)
            for number, network in enumerate(networks):
                path = _network_file(folder, number)
                if network is None:
                    path.unlink(missing_ok=True)
                else:
                    save(network, path)
            save(target, folder / SCENE)

        self.workspace.jobs.run("autosave", work, lambda _: None, title="Keeping what is open")

    def close(self) -> None:
        """Forget what was kept: the session ends as it should."""
        self._rest.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _network_file(folder: Path, number: int) -> Path:
    return folder / f"network_{number}.safetensors"


def lost_sessions(folder: Path) -> list[Path]:
    """Return the folders of sessions that ended without being closed, the last first."""
    found = [each for each in folder.glob("*") if (each / SCENE).is_file() and not _is_alive(each.name)]
    return sorted(found, key=lambda each: (each / SCENE).stat().st_mtime, reverse=True)


def _is_alive(number: str) -> bool:
    if not number.isdecimal():
        return True  # not one of ours: leave it alone
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's process
        return True
    return True


def restored(folder: Path) -> Shown:
    """Return what a lost session had open; for a thread. The folder stays until `forget`.

    Raises
    ------
    CnnvisError
        When it cannot be read.
    """
    shown = load_to_show(folder / SCENE)
    networks: list[BundledNetwork | None] = []
    for number in range(len(shown.scenes)):
        try:
            networks.append(load(_network_file(folder, number)))
        except CnnvisError:  # none, or one half-written: the picture is what counts
            networks.append(None)
    return Shown(shown.target, tuple(networks))


def forget(folder: Path) -> None:
    """Delete what a lost session left."""
    shutil.rmtree(folder, ignore_errors=True)
