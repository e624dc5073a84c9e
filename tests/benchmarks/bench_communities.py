"""Groups of channels, the picture of their graph and the alignment of layers, at the sizes of VGG-16.

Groups put each figure next to its baseline: Louvain and ForceAtlas2 of networkx, alignment by whole (N, N) matrices.
"""

import networkx
import numpy as np
import pytest

from cnnvis.analysis import cka, communities, community_stability, link_weights, similarity
from cnnvis.layout import channel_graph, force_layout
from cnnvis.rendering import OffscreenWindow
from cnnvis.scene import Scene

pytestmark = pytest.mark.bench
VGG_16 = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)


def averages(n_channels):
    """Averages of channels that follow 20 signals, over 1,000 images."""
    random = np.random.default_rng(0)
    signals = random.normal(size=(1000, 20)) @ random.normal(size=(20, n_channels))
    return signals + 2 * random.normal(size=(1000, n_channels))


def alike(n_channels):
    return similarity(averages(n_channels))


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


@pytest.mark.benchmark(group="stability of the groups of 512 channels, 20 draws of 1,000 images")
def test_stability(benchmark):
    values = averages(512)
    labels = communities(similarity(values))
    benchmark.pedantic(community_stability, args=(values, labels), rounds=1, warmup_rounds=1)


@pytest.mark.benchmark(group="alignment of all 13 layers, averages of 1,000 images")
def test_alignment(benchmark):
    features = {str(layer): averages(n_channels) for layer, n_channels in enumerate(VGG_16)}
    benchmark.pedantic(cka, args=(features,), rounds=3, warmup_rounds=1)


@pytest.mark.benchmark(group="alignment of all 13 layers, averages of 1,000 images")
def test_alignment_by_whole_matrices(benchmark):
    """The biased estimator: no correction of the diagonal."""
    features = [averages(n_channels) for n_channels in VGG_16]

    def by_formula():
        centred = [values - values.mean(axis=0) for values in features]
        grams = [values @ values.T for values in centred]
        return np.array([[np.vdot(one, other) for other in grams] for one in grams])

    benchmark.pedantic(by_formula, rounds=3, warmup_rounds=1)


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


@pytest.mark.benchmark(group="graph of 512 channels in space")
def test_channel_graph(benchmark):
    matrix = alike(512)
    weights, labels = link_weights(matrix), communities(matrix)
    benchmark.pedantic(channel_graph, args=(weights, labels), rounds=5, warmup_rounds=1)
    assert benchmark.stats.stats.median < 2


@pytest.mark.benchmark(group="graph of 512 channels in space, a frame of 1000 x 700 while it turns")
def test_a_frame_of_the_graph(benchmark):
    matrix = alike(512)
    scene = Scene.of_graph(channel_graph(link_weights(matrix), communities(matrix)))
    with OffscreenWindow(scene, (1000, 700)) as window:

        def turn():
            scene.camera.azimuth += 3
            window.draw()

        benchmark.pedantic(turn, rounds=20, warmup_rounds=2)
