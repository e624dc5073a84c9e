"""Frames of 68,000 bundled lines of 14 points, by mode: at rest, in motion, after a slider moved; with a volume.

llvmpipe has one thread here, as in the tests: a graphics card or more threads are several times as fast.
"""

import numpy as np
import pytest

from cnnvis.core import PolylineSet, Volume
from cnnvis.layout import place, random_network
from cnnvis.rendering import OffscreenWindow
from cnnvis.scene import BundleMode, Scene

pytestmark = [pytest.mark.bench, pytest.mark.benchmark(group="bundle rendering")]

SIZES = (784, 81, 49, 10)
POINTS = 14
SIZE = (1600, 1000)


@pytest.fixture(scope="module")
def lines():
    """All links of a random network, drawn towards the axis half-way, as bundling does."""
    edges, profiles = random_network(SIZES)
    positions = place(edges).positions
    t = np.linspace(0, 1, POINTS)[None, :, None]
    points = (1 - t) * positions[edges.source][:, None] + t * positions[edges.target][:, None]
    points[..., :2] *= 1 - 0.9 * np.sin(np.pi * t)
    weight = edges.weight[:, None] * profiles.mean(axis=1)[edges.source][:, None]
    shares = profiles[edges.source] / profiles[edges.source].sum(axis=1, keepdims=True)
    arrays = {
        "t": np.tile(t.ravel(), len(edges)).astype(np.float32),
        "importance": np.repeat(weight / weight.max(), POINTS).astype(np.float32),
        "class_shares": np.repeat(shares, POINTS, axis=0).astype(np.float32),
    }
    return PolylineSet(points.reshape(-1, 3), np.arange(0, points.shape[0] * POINTS + 1, POINTS), arrays)


@pytest.fixture
def open_window(request):
    """Return a function that opens a window on a scene, closed after the benchmark."""

    def opened(scene):
        window = OffscreenWindow(scene, SIZE)
        request.addfinalizer(window.close)
        window.draw()
        return window

    return opened


def bundled(lines, **state):
    scene = Scene()
    scene.add_bundle(lines, shown_class="all", **state)
    return scene


def test_first_picture(benchmark, lines):
    """Building, sending and compiling included."""

    def first():
        with OffscreenWindow(bundled(lines), SIZE) as window:
            return window.draw()

    assert (benchmark.pedantic(first, rounds=3) != 255).any(axis=2).mean() > 0.05


@pytest.mark.parametrize("mode", list(BundleMode))
def test_at_rest(benchmark, lines, open_window, mode):
    """The camera was turned: sorted and drawn in full."""
    scene = bundled(lines, mode=mode)
    window = open_window(scene)

    def turned():
        scene.camera.azimuth += 5
        return window.draw()

    assert (benchmark.pedantic(turned, rounds=3) != 255).any(axis=2).mean() > 0.05


@pytest.mark.parametrize("mode", list(BundleMode))
def test_in_motion(benchmark, lines, open_window, mode):
    """The most important lines only, as many as a tenth of a second is enough for."""
    scene = bundled(lines, mode=mode)
    window = open_window(scene)
    window.panes[0][0].interactive(True)

    def turned():
        scene.camera.azimuth += 5
        window.window.Render()
        window.panes[0][0].refresh(*SIZE)

    benchmark.pedantic(turned, rounds=10, warmup_rounds=6)


@pytest.mark.parametrize(
    ("name", "values"),
    [("importance_opacity", (1.0, 1.1)), ("importance_threshold", (0.0, 0.05)), ("blend", (0.9, 1.0))],
)
def test_slider(benchmark, lines, open_window, name, values):
    scene = bundled(lines)
    window = open_window(scene)

    def moved():
        setattr(scene["bundle"], name, values[getattr(scene["bundle"], name) == values[0]])
        return window.draw()

    benchmark.pedantic(moved, rounds=4)
    assert window.panes[0][0]._network.builds == 1


def test_with_a_volume(benchmark, lines, open_window):
    """Lines and volume peeled together."""
    scene = bundled(lines)
    volume = Volume(np.random.default_rng(0).random((32, 32, 32)).astype(np.float32), spacing=(1 / 32,) * 3)
    scene.add_volume(volume, axes=False, origin=(-0.5, -0.5, -0.5))
    window = open_window(scene)
    assert (benchmark.pedantic(window.draw, rounds=2) != 255).any(axis=2).mean() > 0.05
