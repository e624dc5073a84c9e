"""Opens the viewer as a user does, begins something long, and closes the window in the middle: run by a test.

Usage: closing.py what folder milliseconds
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QMessageBox
from viewer_scenes import network_scene, random_network, volume_scene

from cnnvis.scene import Scene
from cnnvis.viewer.app import open_window, settle
from cnnvis.viewer.network_work import NetworkWork
from cnnvis.viewer.window import ViewerWindow

LATEST_MS = 60_000


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def bundling(window: ViewerWindow, folder: Path) -> None:
    from cnnvis.studies.bundled_network import build_random

    network = build_random((40, 40, 10))
    window.workspace.show(Scene.of_network(network), network)
    settle(window)  # or it is done before the first picture is
    NetworkWork.of(window.workspace).rebundle(
        {**network.parameters, "edge_bandwidth_reduction": 0.995}
    )  # some hundreds of steps


def recording(window: ViewerWindow, folder: Path) -> None:
    window.files.open_example("fashion")


def page(window: ViewerWindow, folder: Path) -> None:
    window.workspace.show(network_scene(), random_network())
    window.exports.page(folder / "page.html")


def film(window: ViewerWindow, folder: Path) -> None:
    window.workspace.show(volume_scene())
    window.exports.film(folder / "turn.gif", over="turn", frames=200, fps=4, size=(320, 240))


def error(window: ViewerWindow, folder: Path) -> None:
    """No work: something goes wrong where Qt calls Python, and the window lives on until it is closed."""

    def fail() -> None:
        raise KeyError("no such thing")

    for wait_ms in (0, 50):
        QTimer.singleShot(wait_ms, fail)
    QTimer.singleShot(300, lambda: _report(window))


def _report(window: ViewerWindow) -> None:
    for box in window.findChildren(QMessageBox):
        say(f"{box.windowTitle()} | {box.text()} | {box.detailedText()}")
    say(f"shown: {window.isVisible()} logged: {'no such thing' in window.log.toPlainText()}")


def main(what: str, folder: Path, wait_ms: int) -> int:
    window = open_window()
    QTimer.singleShot(0, lambda: globals()[what](window, folder))
    QTimer.singleShot(LATEST_MS, lambda: os._exit(3))  # a window that does not close is a failure, not a wait
    if what == "error":
        QTimer.singleShot(wait_ms, window.close)
    else:
        window.workspace.jobs.started.connect(lambda _: QTimer.singleShot(wait_ms, lambda: _close(window)))
    QApplication.instance().exec_()
    return 0


def _close(window: ViewerWindow) -> None:
    say(f"closed during: {' '.join(window.workspace.jobs.slots)}")
    window.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
