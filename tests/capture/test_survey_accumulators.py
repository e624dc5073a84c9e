"""Quantiles, largest images and map statistics of a survey, against plain computations on everything at once."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cnnvis.capture.surveying.averages import QuantileSketch, TopImages
from cnnvis.capture.surveying.map_values import CACHED, RunningMaps

N_CHANNELS = 3
sizes = st.lists(st.integers(0, 60), min_size=1, max_size=4)


def drawn(sizes, seed):
    """Batches of averages with ties, zeros, negative, missing and infinite ones; and the numbers of their images."""
    random = np.random.default_rng(seed)
    batches, start = [], 0
    for size in sizes:
        values = np.round(random.normal(size=(size, N_CHANNELS)) * random.choice([0.01, 1, 100]), 1)
        values[random.random(values.shape) < 0.1] = random.choice([np.nan, np.inf])
        batches.append((values, np.arange(start, start + size)))
        start += size
    return batches


@given(sizes, st.integers(0, 10_000), st.integers(1, 9))
def test_the_largest_are_those_of_a_sort(sizes, seed, n_top):
    batches = drawn(sizes, seed)
    whole = TopImages(N_CHANNELS, n_top)
    for values, images in batches:
        part = TopImages(N_CHANNELS, n_top)
        part.update(values, images)
        whole.merge(part)
    values = np.concatenate([values for values, _ in batches])
    for channel in range(N_CHANNELS):
        finite = [image for image in range(len(values)) if np.isfinite(values[image, channel])]
        best = sorted(finite, key=lambda image: (-values[image, channel], image))[:n_top]
        assert whole.images[channel].tolist() == best + [-1] * (n_top - len(best))
        assert whole.values[channel, : len(best)].tolist() == values[best, channel].tolist()


@given(sizes, st.integers(0, 10_000))
def test_counts_of_parts_are_those_of_everything(sizes, seed):
    batches = drawn(sizes, seed)
    merged, whole = QuantileSketch(N_CHANNELS), QuantileSketch(N_CHANNELS)
    for values, _ in batches:
        part = QuantileSketch(N_CHANNELS)
        part.update(values)
        merged.merge(part)
    values = np.concatenate([values for values, _ in batches])
    whole.update(values)
    assert np.array_equal(merged.keys, whole.keys)
    assert np.array_equal(merged.counts, whole.counts)
    assert np.all(np.diff(whole.keys) > 0)
    assert whole.counts.sum() == np.isfinite(values).sum()
    levels = np.array([0, 0.1, 0.5, 0.9, 1])
    found = whole.quantiles(levels)
    for channel in range(N_CHANNELS):
        ordered = np.sort(values[np.isfinite(values[:, channel]), channel])
        if not ordered.size:
            assert np.isnan(found[channel]).all()
            continue
        expected = ordered[np.floor(levels * (ordered.size - 1)).astype(int)]
        assert np.all(np.abs(found[channel] - expected) <= QuantileSketch.ACCURACY * np.abs(expected) * 1.0001)


@pytest.mark.parametrize("shape", [(5, 3), (5, 3, 1), (7, 3, 4), (9, 3, 5, 6), (3, 3, 160, 600), (4, 3, 2, 3, 4)])
def test_maps_are_those_of_float64(shape):
    random = torch.Generator().manual_seed(0)
    values = torch.randn(shape, generator=random).clamp(min=-0.5) + 100  # far from 0: no sum of squares would do
    values[values < 99.6] = 0
    running = RunningMaps(shape[1])
    averages = running.take(values)
    planes = values.double().reshape(shape[0], shape[1], -1).numpy()
    assert np.allclose(averages, planes.mean(axis=2), rtol=1e-6)
    flat = planes.transpose(1, 0, 2).reshape(shape[1], -1)
    found = running.statistics()
    assert np.allclose(found.mean, flat.mean(axis=1), rtol=1e-6)
    assert np.allclose(found.std, flat.std(axis=1), rtol=1e-5)
    assert np.array_equal(found.minimum, flat.min(axis=1))
    assert np.array_equal(found.maximum, flat.max(axis=1))
    assert np.array_equal(running.n_zeros, (flat == 0).sum(axis=1))


def test_large_planes_are_taken_one_by_one_and_channels_last_too():
    values = torch.rand(3, 2, 512, 600, generator=torch.Generator().manual_seed(1))
    assert values[0].numel() > CACHED
    runs = [RunningMaps(2), RunningMaps(2)]
    runs[0].take(values)
    runs[1].take(values.to(memory_format=torch.channels_last))
    assert np.allclose(runs[0].std, values.numpy().std(axis=(0, 2, 3)), rtol=1e-4)
    assert np.allclose(runs[0].std, runs[1].std, rtol=1e-5)


def test_a_plane_with_a_missing_value_is_taken_value_by_value():
    values = torch.ones(2, 1, 2, 2)
    values[1, 0] = torch.tensor([[float("nan"), 0], [3, 5]])
    running = RunningMaps(1)
    averages = running.take(values)
    assert np.isnan(averages[1, 0])
    assert running.count.tolist() == [7]
    assert running.n_missing.tolist() == [1]
    assert running.n_zeros.tolist() == [1]
    assert running.mean[0] == pytest.approx(12 / 7)
