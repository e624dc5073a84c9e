"""Scrubbing through the training of fashion-cnn in the window: from a move of the slider to the finished frame.

To be reached on 2 idle cores: 100 ms per epoch, of one layer and of the whole network.
"""

import os
import sys
import time

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from cnnvis.scene.run_view import RunLook
from cnnvis.training import shipped_run
from cnnvis.viewer.app import settle
from cnnvis.viewer.settings import Settings
from cnnvis.viewer.window import ViewerWindow

os.environ["LP_NUM_THREADS"] = str(os.cpu_count())  # read when the first window is made

pytestmark = [pytest.mark.bench, pytest.mark.qt, pytest.mark.benchmark(group="scrubbing 10 epochs of fashion-cnn")]

ROUNDS = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return shipped_run(tmp_path_factory.mktemp("run")).folder


@pytest.fixture
def window(qtbot, tmp_path, folder):
    """The window in its first size, with the training in it."""
    window = ViewerWindow(Settings(tmp_path))
    with qtbot.waitExposed(window):
        window.show()
    window.files.open([folder])
    settle(window)
    yield window
    window.close()


@pytest.mark.parametrize("look", RunLook)
def test_scrubbing(benchmark, window, look):
    """One step of the slider, until nothing of the picture is left to be drawn."""
    window.timeline.run.bench.choose(look=look)
    settle(window)
    slider, seconds = window.timeline.slider, []

    def step(epoch):
        start = time.perf_counter()
        slider.setValue(epoch)
        while not window.canvas.resting:
            QApplication.processEvents()
        seconds.append(time.perf_counter() - start)

    def scrub():
        for epoch in range(slider.maximum() + 1):
            step(epoch)

    slider.setValue(1)
    benchmark.pedantic(scrub, rounds=ROUNDS, warmup_rounds=1)
    found = np.array(seconds[slider.maximum() + 1 :])
    median, most = 1000 * np.median(found), 1000 * found.max()
    sys.stdout.write(f"{look}: {median:.0f} ms per epoch in the median (aim 100), {most:.0f} at most\n")
    assert median < 100
