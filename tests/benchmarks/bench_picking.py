"""Pointing at 68,000 bundled lines of 14 points with their units: look-ups, and what a new camera costs before.

The aim is 5 ms for a look-up. The projection comes once for each camera that rests.
"""

import numpy as np
import pytest
from bench_bundle_rendering import SIZES, bundled, lines  # noqa: F401  # a fixture

from cnnvis.core import PointSet, PolylineSet, Volume
from cnnvis.layout import place, random_network, strongest_links, strongest_path
from cnnvis.rendering import OffscreenWindow, Picker
from cnnvis.scene import Scene, Selection, stances

pytestmark = [pytest.mark.bench, pytest.mark.benchmark(group="picking")]

SIZE = (1280, 800)


@pytest.fixture(scope="module")
def network():
    return random_network(SIZES)[0]


@pytest.fixture(scope="module")
def scene(lines, network):  # noqa: F811
    known = {"layers": network.units.layers, "layer_sizes": network.units.sizes}
    ends = {"source": network.source, "target": network.target, "weight": network.weight}
    found = bundled(PolylineSet(lines.points, lines.offsets, lines.point_arrays, ends), **known)
    places = place(network).positions.astype(np.float32)
    found.add_glyphs(PointSet(places, {"unit": np.arange(len(places))}), size=0.01, **known)
    return found


@pytest.fixture(scope="module")
def picker(scene):
    with OffscreenWindow(scene, SIZE) as window:
        pixels = window.draw()
        found = Picker(window.panes[0].drawn)
        found.inked = np.argwhere(pixels[120:, :1100].min(axis=2) < 200)[:, ::-1] * [1, -1] + [0, SIZE[1] - 121]
        yield found


def test_projection(benchmark, picker):
    def again():
        picker._screen = None
        return picker.prepare()

    assert benchmark.pedantic(again, rounds=5).geometry.pairs.shape[0] > 800_000


def test_look_up(benchmark, picker):
    """Anywhere on the ink."""
    picker.prepare()
    places = iter(np.random.default_rng(0).permutation(picker.inked)[:400].tolist() * 2)
    hits = []
    benchmark.pedantic(lambda: hits.append(picker.at(*next(places))), rounds=300, warmup_rounds=5)
    assert np.mean([hit is not None for hit in hits]) > 0.95


def test_rectangle(benchmark, picker):
    picker.prepare()
    assert len(benchmark(picker.inside, (0, 0, *SIZE))) > 700


def test_stances(benchmark, scene, network):
    selection = Selection(units={(network.units.layers[1], 7)})
    assert (benchmark(stances, scene["bundle"], selection) == 3).sum() == SIZES[0] + SIZES[2]


def test_strongest_links(benchmark, network):
    assert len(benchmark(strongest_links, network, SIZES[0] + 1)[0]) == 10


def test_strongest_path(benchmark, network):
    assert len(benchmark(strongest_path, network, len(network.units) - 1, towards="input")) == 3


@pytest.mark.parametrize("mode", ["raycast", "mip", "isosurface", "slices"])
def test_voxel(benchmark, mode):
    values = np.random.default_rng(0).random((64, 224, 224)).astype(np.float32) * 0.05
    scene = Scene.of(Volume(values, layer="conv"), mode=mode, axes=False)
    with OffscreenWindow(scene, SIZE) as window:
        window.draw()
        picker = Picker(window.panes[0].drawn)
        picker.at(0, 0)
        assert benchmark(picker.at, SIZE[0] // 2 - 80, SIZE[1] // 2) is not None
