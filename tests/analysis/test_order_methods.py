"""Every method: the known order, the oracle, and the rules that make results repeat."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import pdist, squareform
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from cnnvis.analysis import OrderMethod, order
from cnnvis.analysis.methods import leaf as leaf_module
from cnnvis.analysis.methods._base import direction, number_by_size, squared_distances
from cnnvis.analysis.methods._clusters import coordinates

SIMILAR = ["pca", "pca_rows", "kmeans", "kmeans_rows", "leaf"]
ALL = [method.value for method in OrderMethod]


def random_maps(seed, n_channels=12):
    rng = np.random.default_rng(seed)
    return rng.random((n_channels, 1, 1)) * rng.random((n_channels, 20, 7)) + rng.random((n_channels, 1, 1))


@pytest.mark.parametrize("normalize", ["none", "zscore"])
@pytest.mark.parametrize("method", SIMILAR)
def test_blobs_along_a_line_come_out_in_line(chain, method, normalize):
    maps, place = chain
    found = place[order(maps, method, normalize=normalize, n_groups=3).permutation]
    assert found.tolist() in (list(range(12)), list(range(11, -1, -1)))


@pytest.mark.parametrize("method", ["pca", "leaf", "kmeans"])
def test_orders_run_from_dark_to_bright(chain, method):
    maps, place = chain
    brightening = maps * (1 + 0.05 * place)[:, None, None]
    assert place[order(brightening, method, n_groups=3).permutation].tolist() == list(range(12))
    darkening = maps * (2 - 0.05 * place)[:, None, None]
    assert place[order(darkening, method, n_groups=3).permutation].tolist() == list(range(11, -1, -1))


def test_original_is_the_identity():
    maps = random_maps(0)
    maps[3] = 1.0
    ordering = order(maps, "original")
    assert ordering.permutation.tolist() == list(range(12))
    assert np.flatnonzero(ordering.constant).tolist() == [3]


def test_importance_comes_largest_first_and_ties_by_channel():
    ordering = order(random_maps(0, 5), "importance", importance=[1.0, 3.0, 2.0, 3.0, 0.0])
    assert ordering.permutation.tolist() == [1, 3, 2, 0, 4]
    assert ordering.scores.tolist() == [1, 3, 2, 3, 0]


# ---- oracles


@pytest.mark.parametrize("shape", [(12, 9, 9), (40, 3, 4)])  # fewer channels than pixels, and more
@pytest.mark.parametrize("normalize", ["none", "zscore"])
def test_pca_scores_are_sklearns(shape, normalize):
    maps = np.random.default_rng(1).random(shape)
    flat = maps.reshape(shape[0], -1)
    if normalize == "zscore":  # our scores are those of maps of length 1
        flat = (flat - flat.mean(axis=1, keepdims=True)) / (flat.std(axis=1, keepdims=True) * np.sqrt(flat.shape[1]))
    wanted = PCA(n_components=1, svd_solver="full").fit_transform(flat)[:, 0]
    found = order(maps, "pca", normalize=normalize)
    np.testing.assert_allclose(np.abs(found.scores), np.abs(wanted), atol=1e-10)
    assert (np.diff(found.scores[found.permutation]) >= 0).all()


def test_kmeans_coordinates_keep_every_distance():
    points = np.random.default_rng(0).random((30, 8)) * np.arange(1, 9)
    found = coordinates(points @ points.T)
    assert found.shape == (30, 8)  # the rank, not the number of channels
    np.testing.assert_allclose(pdist(found), pdist(points), atol=1e-9)


@pytest.mark.parametrize("method", ["kmeans", "kmeans_rows"])
def test_kmeans_inertia_is_sklearns_on_the_pixels(method):
    maps = np.random.default_rng(0).standard_normal((40, 9, 30)) + 4 * (np.arange(40) % 5)[:, None, None]
    pixels = (maps[:, 4] if method == "kmeans_rows" else maps).reshape(40, -1)
    groups = order(maps, method, n_groups=5, row=4).groups
    inertia = sum(((pixels[groups == k] - pixels[groups == k].mean(axis=0)) ** 2).sum() for k in range(5))
    assert inertia == pytest.approx(KMeans(5, n_init=10, random_state=0).fit(pixels).inertia_, rel=1e-6)


def test_leaf_order_is_scipys():
    maps = np.random.default_rng(0).random((25, 6, 6))
    distances = pdist(maps.reshape(25, -1))
    wanted = leaves_list(optimal_leaf_ordering(linkage(distances, "average"), distances)).tolist()
    assert order(maps, "leaf").permutation.tolist() in (wanted, wanted[::-1])


# ---- groups


def test_groups_are_found_and_numbered_by_size(clusters):
    maps, label = clusters
    ordering = order(maps, "kmeans", n_groups=4)
    assert adjusted_rand_score(label, ordering.groups) == 1
    assert np.bincount(ordering.groups).tolist() == [14, 9, 5, 2]
    shown = ordering.groups[ordering.permutation]
    assert np.count_nonzero(np.diff(shown)) == 3  # each group in one piece


def test_equal_groups_are_numbered_by_their_lowest_channel():
    assert number_by_size(np.array([7, 5, 5, 2, 7, 9, 9, 9])).tolist() == [1, 2, 2, 3, 1, 0, 0, 0]


@pytest.mark.parametrize(("live", "groups"), [(1, 1), (4, 2), (96, 10), (600, 20)])
def test_default_number_of_groups(live, groups):
    maps = np.random.default_rng(0).random((live, 2, 5))
    ordering = order(maps, "kmeans", n_init=1)
    assert ordering.options["n_groups"] == ordering.n_groups == groups


@pytest.mark.parametrize(("live", "starts"), [(1, 200), (100, 200), (500, 40)])
def test_default_number_of_starts(live, starts):
    maps = np.random.default_rng(0).random((live, 1, 3))
    assert order(maps, "kmeans", n_groups=1).options["n_init"] == starts


def test_identical_channels_may_leave_fewer_groups():
    maps = np.repeat(np.random.default_rng(0).random((2, 5, 5)), 4, axis=0)
    ordering = order(maps, "kmeans", n_groups=3)
    assert ordering.groups.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    same = np.repeat(maps[:1], 4, axis=0)
    assert order(same, "kmeans", n_groups=2).groups.tolist() == [0, 0, 0, 0]


def test_above_the_limit_leaf_order_goes_through_clusters(monkeypatch, clusters):
    maps, label = clusters
    monkeypatch.setattr(leaf_module, "LEAF_LIMIT", 29)
    monkeypatch.setattr(leaf_module, "LEAF_BLOCK", 8)  # 30 channels: 4 clusters
    seen = []
    ordering = order(maps, "leaf", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    assert np.count_nonzero(np.diff(label[ordering.permutation])) == 3


def test_progress_can_stop_the_work(clusters):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        order(clusters[0], "leaf", progress=stop)


# ---- properties


@settings(max_examples=25)
@given(seed=st.integers(0, 2**16), n_dead=st.integers(0, 3), n_holes=st.integers(0, 30), method=st.sampled_from(ALL))
def test_always_a_permutation_with_the_dead_last(seed, n_dead, n_holes, method):
    rng = np.random.default_rng(seed)
    maps = rng.random((9, 17, 5))
    maps.reshape(-1)[rng.choice(maps.size, n_holes, replace=False)] = rng.choice([np.nan, np.inf, -np.inf])
    dead = np.sort(rng.choice(9, n_dead, replace=False))
    maps[dead] = rng.random((n_dead, 1, 1))
    ordering = order(maps, method, importance=rng.random(9), n_groups=2)
    assert sorted(ordering.permutation.tolist()) == list(range(9))
    assert np.flatnonzero(ordering.constant).tolist() == dead.tolist()
    assert ordering.permutation[ordering.inverse].tolist() == list(range(9))
    if method != "original":
        assert ordering.permutation[9 - n_dead :].tolist() == dead.tolist()
    if ordering.groups is not None:
        assert (ordering.groups[dead] == -1).all()
        assert set(np.delete(ordering.groups, dead)) == {0, 1}


@settings(max_examples=20)
@given(seed=st.integers(0, 2**16), method=st.sampled_from(SIMILAR), normalize=st.sampled_from(["none", "zscore"]))
def test_the_numbering_of_channels_does_not_matter(seed, method, normalize):
    maps = random_maps(seed)
    renumbered = np.random.default_rng(seed + 1).permutation(12)
    plain = order(maps, method, normalize=normalize)
    other = order(maps[renumbered], method, normalize=normalize)
    assert renumbered[other.permutation].tolist() == plain.permutation.tolist()


@settings(max_examples=15)
@given(seed=st.integers(0, 2**16), method=st.sampled_from(SIMILAR), scale=st.sampled_from([1e-6, 0.25, 1e5]))
def test_the_unit_of_the_values_does_not_matter(seed, method, scale):
    maps = random_maps(seed)
    assert order(maps * scale, method).permutation.tolist() == order(maps, method).permutation.tolist()


@settings(max_examples=15)
@given(seed=st.integers(0, 2**16), method=st.sampled_from(SIMILAR))
def test_with_zscore_contrast_and_brightness_of_a_channel_do_not_matter(seed, method):
    maps = np.random.default_rng(seed).random((10, 20, 6))
    gains = np.random.default_rng(seed + 1).uniform(0.5, 2, (10, 1, 1))
    changed = maps * gains + gains
    first, second = (order(each, method, normalize="zscore").permutation for each in (maps, changed))
    assert second.tolist() in (first.tolist(), first[::-1].tolist())  # what is bright may turn it round


@settings(max_examples=15)
@given(seed=st.integers(0, 2**16), method=st.sampled_from(["pca", "leaf", "kmeans"]))
def test_tiny_noise_turns_nothing_round(seed, method):
    maps = random_maps(seed)
    noisy = maps + 1e-9 * np.random.default_rng(seed + 1).standard_normal(maps.shape)
    assert order(noisy, method).permutation.tolist() == order(maps, method).permutation.tolist()


@pytest.mark.parametrize("method", ["pca", "kmeans", "leaf"])
def test_same_seed_same_result_with_any_number_of_threads(method):
    maps = np.random.default_rng(0).random((150, 24, 24)).astype(np.float32)
    found = []
    for threads in (1, 2, 2):
        with threadpool_limits(threads):
            found.append(order(maps, method, random_state=5).permutation.tolist())
    assert found[0] == found[1] == found[2]


def test_the_seed_reaches_kmeans():
    maps = np.random.default_rng(0).random((60, 8, 8))
    found = {tuple(order(maps, "kmeans", n_init=1, random_state=seed).groups) for seed in range(4)}
    assert len(found) > 1


# ---- the rule for the direction


def test_direction_by_brightness():
    along = np.array([0.0, 1.0, 2.0])
    assert direction(along, np.array([1.0, 2.0, 4.0])) == 1
    assert direction(along, np.array([4.0, 2.0, 1.0])) == -1


@pytest.mark.parametrize("brightness", [[5, 5, 5], [1, 9, 1], [5, 5 + 1e-9, 5 + 2e-9]])
def test_direction_by_the_lower_channel_where_brightness_tells_nothing(brightness):
    assert direction(np.array([0.0, 1.0, 2.0]), np.array(brightness, dtype=float)) == 1
    assert direction(np.array([2.0, 1.0, 0.0]), np.array(brightness, dtype=float)) == -1


def test_squareform_of_hand_computed_distances():
    maps = np.array([[[0.0, 0.0]], [[3.0, 4.0]], [[0.0, 1.0]]])
    inner = np.array([[0, 0, 0], [0, 25, 4], [0, 4, 1]], dtype=float)
    np.testing.assert_allclose(np.sqrt(squared_distances(inner)), squareform(pdist(maps.reshape(3, -1))))
