"""Frames of volumes at rest, while the camera moves and while a slider is drawn, by mode; 1280 x 800 pixels."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from cnnvis.core import PolylineSet, Volume
from cnnvis.core.axes import stack_spacing
from cnnvis.rendering import OffscreenWindow
from cnnvis.scene import Scene

pytestmark = [pytest.mark.bench, pytest.mark.benchmark(group="frames of volumes")]

SIZE = (1280, 800)
SHAPES = [(64, 224, 224), (96, 112, 112)]
MODES = ["raycast", "mip", "isosurface", "slices"]


def volume(shape):
    """Signed maps, smooth within each channel, as a convolution gives them before its activation."""
    noise = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    weights = np.random.default_rng(1).random(shape[0])
    return Volume(gaussian_filter(noise, (0, 3, 3)), layer="conv", spacing=stack_spacing(shape), weights=weights)


def lines(n):
    """Straight lines all over the stack of the second shape."""
    ends = np.random.default_rng(0).uniform(0, 112, (n, 2, 3)).astype(np.float32)
    arrays = {"importance": np.linspace(0, 1, 2 * n, dtype=np.float32)}
    return PolylineSet(ends.reshape(-1, 3), np.arange(0, 2 * n + 1, 2), arrays)


@pytest.fixture(params=SHAPES, ids=lambda shape: "x".join(map(str, shape)))
def stack(request):
    return volume(request.param)


@pytest.fixture
def open_window(request):
    """Return a function that opens a window on a scene, closed after the benchmark."""

    def opened(scene):
        window = OffscreenWindow(scene, SIZE)
        request.addfinalizer(window.close)
        window.draw()
        return window

    return opened


def turn(scene, window):
    """Draw one frame of a moving camera as the viewer does."""
    scene.camera.azimuth += 2
    drawn = window.panes[0].drawn
    drawn.follow_camera()
    window.window.Render()


@pytest.mark.parametrize("drive", ["none", "importance"])
@pytest.mark.parametrize("mode", MODES)
def test_at_rest(benchmark, stack, open_window, mode, drive):
    scene = Scene.of(stack, mode=mode, drive=drive)
    window = open_window(scene)
    benchmark.pedantic(turn, args=(scene, window), rounds=3, warmup_rounds=1)


@pytest.mark.parametrize("drive", ["none", "importance"])
@pytest.mark.parametrize("mode", MODES)
def test_in_motion(benchmark, stack, open_window, mode, drive):
    scene = Scene.of(stack, mode=mode, drive=drive)
    window = open_window(scene)
    window.panes[0].drawn.interactive(True)
    benchmark.pedantic(turn, args=(scene, window), rounds=10, warmup_rounds=6)


@pytest.mark.parametrize("what", ["three volumes", "a network"])
def test_in_motion_beside(benchmark, open_window, what):
    scene = Scene.of(volume(SHAPES[1]))
    if what == "three volumes":
        for index in (1, 2):
            scene.add_volume(volume(SHAPES[1]), origin=(0, 0, 200 * index), axes=False)
    else:
        scene.add_bundle(lines(20_000), size=0.05)
    window = open_window(scene)
    window.panes[0].drawn.interactive(True)
    benchmark.pedantic(turn, args=(scene, window), rounds=10, warmup_rounds=8)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("build", ["repaint", "rebuild"])
def test_opacity_point(benchmark, stack, open_window, mode, build):
    """A moved point of the curve, all but `Render`; and the same with everything of the data built anew."""
    scene = Scene.of(stack, mode=mode)
    item = scene.items[0]
    window = open_window(scene)
    heights = iter(np.linspace(0.1, 0.9, 20))

    def moved():
        if build == "rebuild":
            item.data = Volume(stack.values, layer="conv", spacing=stack.spacing)
        item.transfer = item.transfer.model_copy(update={"opacity": ((0, 0), (0.5, float(next(heights))), (1, 1))})
        window.panes[0].drawn.refresh(*SIZE)

    benchmark.pedantic(moved, rounds=8)
