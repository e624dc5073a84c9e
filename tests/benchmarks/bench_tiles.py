"""The architecture scene of VGG-16 at full width, all 4,224 maps of its convolutions: built, and on the move.

Aims: built in 3 s; ten frames a second between line, circle and grid.
"""

import statistics
import time

import numpy as np
import pytest
import torch

import cnnvis
from cnnvis.models.vgg import VGG
from cnnvis.rendering import OffscreenWindow
from cnnvis.scene import Scene

pytestmark = pytest.mark.bench
SIZE = (1280, 800)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return VGG(1.0).eval()


@pytest.fixture(scope="module")
def image():
    return torch.randn(1, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def test_built(benchmark, network, image):
    def build():
        scene = Scene.of_tiles(cnnvis.network_maps(network, image))
        with OffscreenWindow(scene, SIZE) as window:
            window.draw()
        return scene

    scene = benchmark.pedantic(build, rounds=3, warmup_rounds=1)
    benchmark.extra_info["maps"] = len(scene["network"].data.units)
    assert benchmark.stats.stats.median < 3


def test_frames_between_arrangements(benchmark, network, image):
    scene = Scene.of_tiles(cnnvis.network_maps(network, image))
    seconds = []
    with OffscreenWindow(scene, SIZE) as window:
        window.draw()
        drawn = window.panes[0].drawn
        drawn.interactive(True)

        def move():
            for arrangement in np.linspace(0, 2, 21):
                start = time.perf_counter()
                scene["network"].arrangement = float(arrangement)
                window.draw()
                seconds.append(time.perf_counter() - start)

        benchmark.pedantic(move, rounds=3)
    rate = 1 / statistics.median(seconds)
    benchmark.extra_info["frames_per_second"] = round(rate, 1)
    assert rate > 10


def test_frames_between_one_position_and_all(benchmark, network, image):
    scene = Scene.of_tiles(cnnvis.network_maps(network, image), expansion=2.0)
    seconds = []
    with OffscreenWindow(scene, SIZE) as window:
        window.draw()
        window.panes[0].drawn.interactive(True)

        def move():
            for expansion in np.linspace(2, 3, 11):
                start = time.perf_counter()
                scene["network"].expansion = float(expansion)
                window.draw()
                seconds.append(time.perf_counter() - start)

        benchmark.pedantic(move, rounds=3, warmup_rounds=1)
    assert statistics.median(seconds) < 0.1
