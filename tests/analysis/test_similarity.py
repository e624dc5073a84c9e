"""Similarity of channels by maps and by averages: against numpy, and where no correlation is defined."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cnnvis.analysis import similarity
from cnnvis.analysis.moments import channel_moments
from cnnvis.core import FeatureMaps
from cnnvis.core.errors import InvalidInputError, NoSpatialMapsError


@pytest.fixture
def maps():
    return np.random.default_rng(0).normal(size=(6, 5, 4, 3)).astype(np.float32)


def positions(maps):
    """Return the values of each channel over images and positions, (C, N H W)."""
    return np.moveaxis(maps, 1, 0).reshape(maps.shape[1], -1).astype(np.float64)


def test_maps_are_compared_over_all_images_and_positions(maps):
    expected = np.corrcoef(positions(maps))
    np.testing.assert_allclose(similarity(maps), expected, atol=1e-12)
    np.testing.assert_array_equal(similarity(maps, "spatial"), similarity(maps))


def test_averages_are_one_value_per_image(maps):
    averages = maps.mean(axis=(2, 3), dtype=np.float64)
    expected = np.corrcoef(averages.T)
    np.testing.assert_allclose(similarity(averages), expected, atol=1e-12)
    np.testing.assert_allclose(similarity(averages, "averages"), expected, atol=1e-12)
    np.testing.assert_allclose(similarity(maps, "averages"), expected, atol=1e-12)


def test_equal_averages_may_disagree_in_space():
    bright = np.random.default_rng(1).random(8)
    left, right = np.zeros((8, 2, 2)), np.zeros((8, 2, 2))
    left[:, :, 0], right[:, :, 1] = bright[:, None], bright[:, None]
    pair = np.stack([left, right], axis=1)
    assert similarity(pair, "averages")[0, 1] == pytest.approx(1)
    assert similarity(pair, "spatial")[0, 1] < 0


def test_hand_computed_case():
    found = similarity([[0.0, 1.0, 7.0], [1.0, 0.0, 7.0], [2.0, 2.0, 7.0]])
    np.testing.assert_allclose(found, [[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1]], atol=1e-12)


@settings(max_examples=50)
@given(arrays(np.float64, st.tuples(st.integers(2, 8), st.integers(1, 6)), elements=st.floats(-100, 100, width=16)))
def test_any_averages_give_a_correlation(averages):
    found = similarity(averages)
    np.testing.assert_allclose(found, found.T, atol=1e-15)
    np.testing.assert_array_equal(np.diag(found), 1)
    assert np.abs(found).max() <= 1
    np.testing.assert_allclose(similarity(averages[::-1]), found, atol=1e-9)  # the order of images does not matter


def test_many_images_of_averages_are_read_at_once(monkeypatch):
    values = np.random.default_rng(2).normal(size=(300, 7))
    whole = channel_moments(values, images=range(1, 300))
    np.testing.assert_allclose(whole.pearson(), np.corrcoef(values[1:].T), atol=1e-12)
    monkeypatch.setattr("cnnvis.analysis.moments.CHUNK_BYTES", 8 * 7 * 11)
    np.testing.assert_allclose(channel_moments(values, images=range(1, 300)).gram, whole.gram, rtol=1e-12)


def test_missing_averages_count_as_the_mean_of_their_channel():
    values = np.random.default_rng(3).normal(size=(20, 3))
    holed = values.copy()
    holed[4, 1] = np.nan
    values[4, 1] = np.delete(values[:, 1], 4).mean()
    np.testing.assert_allclose(similarity(holed), similarity(values), atol=1e-12)


def test_a_layer_of_one_channel_is_similar_to_itself():
    assert similarity(np.arange(5.0)[:, None]).tolist() == [[1]]


@pytest.mark.parametrize(
    ("values", "method", "error", "message"),
    [
        (np.zeros((1, 4)), "pearson", InvalidInputError, "several images"),
        (np.zeros((3, 5, 5)), "averages", InvalidInputError, "several images"),
        (np.zeros((4, 3)), "spatial", NoSpatialMapsError, '"pearson"'),
        (np.zeros((4, 0)), "pearson", InvalidInputError, "empty"),
        (np.zeros((4, 3)), "exponential", InvalidInputError, "Allowed: pearson, spatial, averages"),
        (np.zeros(4), "pearson", InvalidInputError, "shape"),
        (FeatureMaps(np.zeros((4, 3)), "fc"), "spatial", NoSpatialMapsError, "no positions"),
    ],
)
def test_bad_input_is_named(values, method, error, message):
    with pytest.raises(error, match=message):
        similarity(values, method)
