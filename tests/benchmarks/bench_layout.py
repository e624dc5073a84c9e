"""Placing, moving, measuring and listing at the sizes of the perceptron (68 k lines) and of VGG-16's channels (1.6 M).

The large lines are straight ones drawn towards the axis, so that nothing here waits for bundling.
"""

from dataclasses import replace

import numpy as np
import pytest

from cnnvis.layout import advect_units, bundle, bundles, lines_at, measure, place, random_network, straight_lines

pytestmark = pytest.mark.bench

PERCEPTRON = (784, 81, 49, 10)
VGG16 = (3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512, 10)


@pytest.fixture(scope="module")
def perceptron():
    edges, profiles = random_network(PERCEPTRON)
    layout = place(edges)
    return edges, profiles, layout, bundle(edges, layout, profiles=profiles)


@pytest.fixture(scope="module")
def large_lines():
    edges, _ = random_network(VGG16)
    lines = straight_lines(edges, place(edges))
    t = lines.point_arrays["t"]
    points = lines.points.copy()
    points[:, :2] *= (1 - 3.2 * t * (1 - t))[:, None]
    return replace(lines, points=points)


def run(benchmark, function, *args, limit, rounds=5, **kwargs):
    """Time `function`, compiled before; fail above `limit` seconds."""
    result = benchmark.pedantic(function, args=args, kwargs=kwargs, rounds=rounds, warmup_rounds=1)
    assert benchmark.stats.stats.median <= limit
    return result


@pytest.mark.benchmark(group="place 924 units")
@pytest.mark.parametrize("arrangement", ["raster", "similarity"])
def test_place_the_perceptron(benchmark, perceptron, arrangement):
    run(benchmark, place, perceptron[0], arrangement=arrangement, limit=5)


@pytest.mark.benchmark(group="place 4,261 units by similarity")
def test_place_the_channels_of_vgg16(benchmark):
    edges, _ = random_network(VGG16)
    run(benchmark, place, edges, arrangement="similarity", rounds=1, limit=60)


@pytest.mark.benchmark(group="move 924 units")
def test_move_units(benchmark, perceptron):
    _, profiles, layout, _ = perceptron
    run(benchmark, advect_units, layout, profiles, limit=5)


@pytest.mark.benchmark(group="measure")
def test_measure_68_thousand_lines(benchmark, perceptron):
    found = run(benchmark, measure, perceptron[3], limit=1)
    assert found.ink_ratio < 0.5


@pytest.mark.benchmark(group="measure")
def test_measure_1_6_million_lines(benchmark, large_lines):
    assert len(large_lines) > 1_600_000
    run(benchmark, measure, large_lines, rounds=1, limit=30)


@pytest.mark.benchmark(group="list bundles")
def test_list_bundles_of_68_thousand_lines(benchmark, perceptron):
    found = run(benchmark, bundles, perceptron[3], limit=1)
    assert sum(map(len, found)) == len(perceptron[0])


@pytest.mark.benchmark(group="list bundles")
def test_list_bundles_of_1_6_million_lines(benchmark, large_lines):
    run(benchmark, bundles, large_lines, rounds=1, limit=60)


@pytest.mark.benchmark(group="lines at a point")
def test_pick_of_68_thousand_lines(benchmark, perceptron):
    lines = perceptron[3]
    numbers, _ = run(benchmark, lines_at, lines, np.array([0.15, 0.15, -0.5]), 0.05, limit=0.5)
    assert numbers.size
