"""The GUI thread stays free while something is worked on: no turn of its loop but a frame takes long."""

from __future__ import annotations

from time import thread_time

import pytest
from qtpy.QtCore import QTimer
from viewer_scenes import network_scene, random_network, volume_scene

from cnnvis.scene import Scene
from cnnvis.studies.bundled_network import build_random

pytestmark = pytest.mark.qt

LONGEST = 0.1
"""Seconds that the GUI thread may be busy, frames left out."""


class Heartbeat:
    """Measures how long the event loop of a window is away, beyond the drawing of frames.

    In time of the GUI thread's own work, so that other tests on the same cores do not count.
    """

    def __init__(self, driver) -> None:
        self.gaps: list[float] = []
        self.window = driver.window
        canvas = driver.window.canvas
        draw, self._drawing = canvas._draw, 0.0

        def timed(*, full: bool) -> None:
            start = thread_time()
            draw(full=full)
            self._drawing += thread_time() - start

        canvas._draw = timed
        self._last = thread_time()
        self._timer = QTimer()
        self._timer.setInterval(5)
        self._timer.timeout.connect(self._beat)

    def _beat(self) -> None:
        now = thread_time()
        self.gaps.append(now - self._last - self._drawing)
        self._last, self._drawing = now, 0.0

    def __enter__(self):
        self._last = thread_time()
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.stop()


def bundle(driver) -> None:
    from cnnvis.studies.bundle_results import DrawingOptions

    def work(tell):
        return build_random((200, 80, 10), DrawingOptions(), on_step=lambda *_: tell.progress(0, 0))

    driver.workspace.jobs.run("bundling", work, lambda _: None)


def export(driver, path) -> None:
    driver.window.exports.page(path)


@pytest.mark.parametrize("what", ["bundling", "exporting", "ordering"])
def test_the_window_answers_while(driver, tmp_path, what) -> None:
    driver.workspace.show(network_scene() if what != "ordering" else volume_scene(64, 64), None)
    driver.settle()
    with Heartbeat(driver) as heart:
        if what == "bundling":
            bundle(driver)
        elif what == "exporting":
            export(driver, tmp_path / "a.html")
        else:
            driver.window.commands.run("view.order")
        driver.settle()
    assert len(heart.gaps) > 3
    assert max(heart.gaps) < LONGEST


def test_an_empty_scene_keeps_beating(driver) -> None:
    driver.workspace.show(Scene())
    assert random_network() is not None
    with Heartbeat(driver) as heart:
        driver.settle()
    assert max(heart.gaps) < LONGEST
