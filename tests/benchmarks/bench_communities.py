"""Groups of channels and the picture of their graph, at the sizes of VGG-16."""

import networkx
import numpy as np
import pytest

from cnnvis.analysis import communities, link_weights, similarity
from cnnvis.layout.force import force_layout

pytestmark = pytest.mark.bench
VGG_16 = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)


def alike(n_channels):
    """Correlation of channels that follow 20 signals, over 1,000 images."""
    random = np.random.default_rng(0)
    signals = random.normal(size=(1000, 20)) @ random.normal(size=(20, n_channels))
    return similarity(signals + 2 * random.normal(size=(1000, n_channels)))


@pytest.mark.benchmark(group="communities of 512 channels")
@pytest.mark.parametrize("algorithm", ["louvain", "leiden"])
def test_communities(benchmark, algorithm):
    matrix = alike(512)
    benchmark.pedantic(communities, args=(matrix,), kwargs={"algorithm": algorithm}, rounds=9, warmup_rounds=1)
    assert benchmark.stats.stats.median < 0.2


@pytest.mark.benchmark(group="communities of 512 channels")
def test_communities_of_networkx(benchmark):
    graph = networkx.from_numpy_array(link_weights(alike(512)))
    benchmark.pedantic(networkx.community.louvain_communities, args=(graph,), kwargs={"seed": 0}, rounds=1)


@pytest.mark.benchmark(group="communities of all 13 layers")
def test_all_layers(benchmark):
    matrices = [alike(n_channels) for n_channels in VGG_16]
    benchmark.pedantic(lambda: [communities(matrix) for matrix in matrices], rounds=5, warmup_rounds=1)
    assert benchmark.stats.stats.median < 1


@pytest.mark.benchmark(group="force layout of 512 nodes")
@pytest.mark.parametrize("n_dimensions", [2, 3])
def test_force_layout(benchmark, n_dimensions):
    weights = link_weights(alike(512))
    benchmark.pedantic(force_layout, args=(weights,), kwargs={"n_dimensions": n_dimensions}, rounds=5, warmup_rounds=1)
    assert benchmark.stats.stats.median < 2


@pytest.mark.benchmark(group="force layout of 512 nodes")
def test_force_layout_of_networkx(benchmark):
    graph = networkx.from_numpy_array(link_weights(alike(512)))
    benchmark.pedantic(networkx.forceatlas2_layout, args=(graph,), kwargs={"seed": 0, "weight": "weight"}, rounds=1)
