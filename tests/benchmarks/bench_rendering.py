"""A still, a film and a page of a volume like the demo's, 96 channels of 112 x 112; llvmpipe has one thread here."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from cnnvis.core import Importance, Ordering, Volume
from cnnvis.core.axes import stack_spacing
from cnnvis.rendering import export_html, film, render
from cnnvis.scene import Scene, SceneGrid

pytestmark = [pytest.mark.bench, pytest.mark.benchmark(group="rendering")]

SHAPE = (96, 112, 112)


def smooth_maps():
    """Signed maps, smooth within each channel, as a convolution gives them before its activation."""
    noise = np.random.default_rng(0).standard_normal(SHAPE, dtype=np.float32)
    return gaussian_filter(noise, (0, 3, 3))


@pytest.fixture(scope="module")
def volume():
    rng = np.random.default_rng(0)
    order = Ordering(rng.permutation(96), "kmeans", groups=rng.integers(0, 10, 96))
    return Volume(smooth_maps(), layer="features.0", spacing=stack_spacing(SHAPE)).reordered(order)


@pytest.mark.parametrize("mode", ["raycast", "mip", "isosurface", "slices"])
def test_still_of_1600_by_1000(benchmark, volume, mode):
    scene = Scene.of(volume, mode=mode)
    pixels = benchmark.pedantic(render, args=(scene,), rounds=3, warmup_rounds=1)
    assert pixels.shape == (1000, 1600, 3)


def test_turn_of_12_pictures_of_640_by_400(benchmark, volume, tmp_path):
    path = tmp_path / "turn.mp4"
    benchmark.pedantic(film, args=(Scene.of(volume), path), kwargs={"frames": 12, "size": (640, 400)}, rounds=3)
    assert path.stat().st_size > 10_000


def test_page_of_three_orders(benchmark, volume, tmp_path):
    rng = np.random.default_rng(1)
    orders = [volume, *(volume.reordered(Ordering(rng.permutation(96), "pca")) for _ in range(2))]
    grid = SceneGrid([Scene.of(order) for order in orders])
    path = benchmark.pedantic(export_html, args=(grid, tmp_path / "x.html"), rounds=3)
    assert path.stat().st_size < 4 / 3 * volume.values.size + 100_000  # one copy for all orders


@pytest.mark.parametrize("style", ["cells", "bars"])
def test_importance_of_1280_channels(benchmark, style):
    """A grid of 40 x 32 cells, each with its number, or as many bars."""
    importance = Importance({"conv": np.random.default_rng(0).random(1280)}, "gradient")
    scene = Scene()
    scene.add_importance(importance, "conv", style=style)
    pixels = benchmark.pedantic(render, args=(scene,), rounds=3, warmup_rounds=1)
    assert (pixels != 255).any(axis=2).mean() > 0.2


def test_matrix_of_2048_by_2048_cells(benchmark):
    scene = Scene()
    scene.add_matrix(np.random.default_rng(0).random((2048, 2048)))
    pixels = benchmark.pedantic(render, args=(scene,), rounds=3, warmup_rounds=1)
    assert (pixels != 255).any(axis=2).mean() > 0.2
