"""One operation explained: the layer, one position after the other in the window, what it sees, a channel scaled.

Aim: 50 ms for a position.
"""

import statistics
import time

import pytest
from qtpy.QtWidgets import QApplication

import cnnvis
from cnnvis.capture import receptive_fields, scaled_probabilities
from cnnvis.models.folders import one_image
from cnnvis.viewer.app import settle
from cnnvis.viewer.settings import Settings
from cnnvis.viewer.window import ViewerWindow

pytestmark = pytest.mark.bench


@pytest.fixture(scope="module")
def network():
    return cnnvis.models.load("fashion-cnn")


@pytest.fixture(scope="module")
def image(network):
    return one_image(network, "7")[0]


def test_a_layer(benchmark, network, image):
    benchmark.pedantic(lambda: cnnvis.explain(network, image, "conv2"), rounds=20, warmup_rounds=2)


def test_what_it_sees(benchmark, network, image):
    benchmark.pedantic(lambda: receptive_fields(network, image, "conv3"), rounds=10, warmup_rounds=1)


def test_a_channel_scaled(benchmark, network, image):
    benchmark.pedantic(lambda: scaled_probabilities(network, image, "conv2", 5, [0.5]), rounds=20, warmup_rounds=2)


def test_positions_in_the_window(benchmark, qapp, tmp_path):
    window = ViewerWindow(Settings(tmp_path))
    window.resize(1280, 900)
    window.show()
    window.files.open_model("fashion-cnn", tiles=True)
    settle(window)
    window.show_operation()
    settle(window)
    window.operation.explain("conv2", (5, 0, 0))
    settle(window)
    seconds = []

    def step():
        start = time.perf_counter()
        window.operation.bench.step(1)
        QApplication.processEvents()  # until it is painted
        seconds.append(time.perf_counter() - start)

    benchmark.pedantic(step, rounds=60, warmup_rounds=5)
    window.close()
    assert statistics.median(seconds) < 0.05
