import numpy as np
import pytest

from cnnvis.analysis import moments as moments_module
from cnnvis.analysis.moments import channel_moments
from cnnvis.core.errors import InvalidInputError


def test_hand_computed_case():
    values = np.array([[[[1.0, 3.0]], [[2.0, 6.0]], [[5.0, 5.0]]]])  # one image, three channels of 1 x 2
    found = channel_moments(values)
    assert found.n_values == 2
    np.testing.assert_array_equal(found.mean, [2, 4, 5])
    np.testing.assert_array_equal(found.gram, [[2, 4, 0], [4, 8, 0], [0, 0, 0]])
    np.testing.assert_array_equal(found.constant, [False, False, True])
    np.testing.assert_array_equal(found.live, [0, 1])
    np.testing.assert_allclose(found.pearson(), [[1, 1, 0], [1, 1, 0], [0, 0, 1]])


@pytest.mark.parametrize("chunk", [1, 8 * 5 * 7, 2**25])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_correlation_is_numpys_over_all_images(monkeypatch, chunk, dtype):
    monkeypatch.setattr(moments_module, "CHUNK_BYTES", chunk)
    values = np.random.default_rng(0).standard_normal((3, 5, 4, 6)).astype(dtype)
    flat = values.astype(np.float64).transpose(1, 0, 2, 3).reshape(5, -1)
    found = channel_moments(values)
    np.testing.assert_allclose(found.pearson(), np.corrcoef(flat), atol=1e-12)
    np.testing.assert_allclose(found.mean, flat.mean(axis=1), atol=1e-12)


def test_only_the_chosen_images_count():
    values = np.random.default_rng(0).random((4, 3, 5, 5))
    some, alone = channel_moments(values, images=[1, 3]), channel_moments(values[[1, 3]])
    np.testing.assert_array_equal(some.gram, alone.gram)
    np.testing.assert_array_equal(some.mean, alone.mean)


def test_inner_products_keep_distances():
    maps = np.random.default_rng(0).random((1, 4, 3, 5)) + 100.0
    inner = channel_moments(maps).inner("none")
    flat = maps[0].reshape(4, -1)
    for first in range(4):
        for second in range(4):
            squared = inner[first, first] + inner[second, second] - 2 * inner[first, second]
            assert squared == pytest.approx(((flat[first] - flat[second]) ** 2).sum(), abs=1e-9)


def test_a_large_mean_costs_no_digits():
    pattern = np.random.default_rng(0).standard_normal((1, 3, 20, 20))
    np.testing.assert_allclose(channel_moments(pattern + 1e5).pearson(), channel_moments(pattern).pearson(), atol=1e-8)


def test_missing_values_count_as_the_channel_mean():
    values = np.array([[[[1.0, np.nan, 3.0, np.inf]], [[0.0, 1.0, 2.0, 5.0]]]])
    filled = np.array([[[[1.0, 2.0, 3.0, 2.0]], [[0.0, 1.0, 2.0, 5.0]]]])
    found, wanted = channel_moments(values), channel_moments(filled)
    assert (found.n_missing, wanted.n_missing) == (2, 0)
    np.testing.assert_allclose(found.mean, wanted.mean)
    np.testing.assert_allclose(found.gram, wanted.gram)


def test_infinities_of_both_signs_are_counted():
    values = np.array([[[[np.inf, -np.inf, 1.0, 3.0]]]])
    found = channel_moments(values)
    assert found.n_missing == 2
    assert found.mean[0] == 2.0


def test_a_channel_without_finite_values_is_constant():
    values = np.random.default_rng(0).random((1, 3, 4, 4))
    values[0, 1] = np.nan
    found = channel_moments(values)
    np.testing.assert_array_equal(found.constant, [False, True, False])
    assert found.n_missing == 16
    assert np.isfinite(found.gram).all()


@pytest.mark.parametrize("level", [0.0, 3.0, -1e4])
def test_rounding_noise_does_not_make_a_dead_channel_live(level):
    rng = np.random.default_rng(0)
    values = rng.random((1, 2, 30, 30)).astype(np.float32)
    noise = rng.standard_normal((30, 30)).astype(np.float32) * np.float32(1e-7)
    values[0, 1] = np.float32(level) * (1 + noise) + noise
    np.testing.assert_array_equal(channel_moments(values).constant, [False, True])


def test_a_faint_channel_is_live():
    values = np.random.default_rng(0).random((1, 2, 30, 30)).astype(np.float32)
    values[0, 1] *= 1e-4
    assert not channel_moments(values).constant.any()


def test_one_value_per_channel_has_no_correlation():
    found = channel_moments(np.array([[1.0, 2.0, 3.0]]))
    assert not found.constant.any()
    with pytest.raises(InvalidInputError, match="at least two values per channel"):
        found.pearson()


def test_a_memory_map_is_read_as_it_is(tmp_path):
    values = np.random.default_rng(0).random((2, 3, 4, 4))
    np.save(tmp_path / "maps.npy", values)
    mapped = np.load(tmp_path / "maps.npy", mmap_mode="r", allow_pickle=False)
    np.testing.assert_array_equal(channel_moments(mapped).gram, channel_moments(values).gram)
