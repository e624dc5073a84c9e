"""Ordering at the sizes of real layers, beside the plain way on raw pixels.

Groups put each figure next to its baseline: scikit-learn's PCA by full SVD, KMeans on raw pixels,
scipy's leaf order from pixel distances.
"""

import numpy as np
import pytest

from cnnvis.analysis import order

pytestmark = pytest.mark.bench


def layer(n_channels, size):
    """Maps like those behind a ReLU: 60 smooth patterns, mixed, with noise, cut at 0; float32."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(0)
    patterns = gaussian_filter(rng.standard_normal((60, size, size)), (0, 3, 3)) * 6
    mixed = rng.standard_normal((n_channels, 60)) @ patterns.reshape(60, -1) * 0.3
    mixed += 0.5 * rng.standard_normal(mixed.shape)
    return np.maximum(mixed, 0).astype(np.float32).reshape(n_channels, size, size)


@pytest.fixture(scope="module")
def seed_layer():
    return layer(96, 55)


@pytest.fixture(scope="module")
def large_layer():
    return layer(2048, 56)


def run(benchmark, function, *args, rounds=3, limit=None, **kwargs):
    """Time `function`, its imports done before; fail above `limit` seconds."""
    result = benchmark.pedantic(function, args=args, kwargs=kwargs, rounds=rounds, warmup_rounds=1)
    if limit is not None:
        assert benchmark.stats.stats.median <= limit
    return result


@pytest.mark.benchmark(group="pca of (96, 55, 55)")
def test_pca_of_the_seed_layer(benchmark, seed_layer):
    run(benchmark, order, seed_layer, rounds=21, limit=0.015)


@pytest.mark.benchmark(group="pca of (96, 55, 55)")
def test_pca_of_the_seed_layer_by_full_svd(benchmark, seed_layer):
    from sklearn.decomposition import PCA

    run(benchmark, PCA(svd_solver="full").fit_transform, seed_layer.reshape(96, -1), rounds=5)


@pytest.mark.benchmark(group="pca of (2048, 56, 56)")
def test_pca_of_a_large_layer(benchmark, large_layer):
    run(benchmark, order, large_layer, limit=2.0)


@pytest.mark.benchmark(group="pca of (2048, 56, 56)")
def test_pca_of_a_large_layer_by_full_svd(benchmark, large_layer):
    from sklearn.decomposition import PCA

    flat = large_layer.reshape(2048, -1).astype(np.float64)
    benchmark.pedantic(PCA(svd_solver="full").fit_transform, args=(flat,), rounds=1)


@pytest.mark.benchmark(group="k-means of (2048, 56, 56), k = 20, one start")
def test_kmeans_of_a_large_layer(benchmark, large_layer):
    run(benchmark, order, large_layer, "kmeans", n_groups=20, n_init=1, limit=5.0)


@pytest.mark.benchmark(group="k-means of (2048, 56, 56), k = 20, one start")
def test_kmeans_of_a_large_layer_on_pixels(benchmark, large_layer):
    """Groups only: no order, no quality."""
    from sklearn.cluster import KMeans

    run(benchmark, KMeans(20, n_init=1, random_state=0).fit, large_layer.reshape(2048, -1))


@pytest.mark.benchmark(group="leaf of (512, 56, 56)")
def test_leaf_of_512_channels(benchmark, large_layer):
    run(benchmark, order, large_layer[:512], "leaf", limit=1.0)


@pytest.mark.benchmark(group="leaf of (512, 56, 56)")
def test_leaf_of_512_channels_on_pixels(benchmark, large_layer):
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
    from scipy.spatial.distance import pdist

    def leaf(flat):
        distances = pdist(flat)
        return leaves_list(optimal_leaf_ordering(linkage(distances, "average"), distances))

    run(benchmark, leaf, large_layer[:512].reshape(512, -1), rounds=1)


@pytest.mark.benchmark(group="leaf of (2048, 56, 56)")
def test_leaf_of_2048_channels(benchmark, large_layer):
    seen = []
    run(benchmark, order, large_layer, "leaf", rounds=1, limit=20.0, progress=lambda *done: seen.append(done))
    assert seen
