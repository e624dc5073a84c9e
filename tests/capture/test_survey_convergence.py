"""How far correlations still move, and whether they have settled."""

import numpy as np
import pytest
import torch
from torch import nn

import cnnvis
from cnnvis.capture import SurveyOptions
from cnnvis.core import Convergence
from cnnvis.report import convergence_chart, to_rgb
from cnnvis.report.style import WIDTH


@pytest.fixture
def model():
    torch.manual_seed(0)
    conv = nn.Conv2d(1, 5, 3)
    conv.bias.data += 2  # every channel answers
    return nn.Sequential(conv, nn.ReLU())


@pytest.fixture
def images():
    return torch.rand(100, 1, 6, 6, generator=torch.Generator().manual_seed(1))


def moved(averages, first, then):
    """Root mean square difference of the correlations after so many images, by numpy."""
    upper = np.triu_indices(averages.shape[1], 1)
    one, other = (np.corrcoef(averages[:n].T)[upper] for n in (first, then))
    return np.sqrt(np.mean((other - one) ** 2))


@pytest.mark.parametrize("shard_size", [20, 100])
def test_points_are_doublings_and_the_end(model, images, shard_size):
    """While the window holds all images, they do not depend on the shards."""
    batches = [images[start : start + shard_size] for start in range(0, 100, shard_size)]
    found = cnnvis.survey(model, batches, options=SurveyOptions(shard_size=shard_size))
    assert found.convergence.n_images.tolist() == [16, 32, 64, 100]
    with torch.no_grad():
        averages = model(images).mean((2, 3)).double().numpy()
    change = found.convergence.change["0"]
    assert np.isnan(change[0])
    expected = [moved(averages, *pair) for pair in ((16, 32), (32, 64), (64, 100))]
    np.testing.assert_allclose(change[1:], expected, rtol=1e-4)


def test_beyond_the_window_points_are_at_ends_of_shards(model, images):
    batches = [images[start : start + 20] for start in range(0, 100, 20)]
    found = cnnvis.survey(model, batches, options=SurveyOptions(shard_size=20, window=30))
    assert found.convergence.n_images.tolist() == [16, 40, 80, 100]


def test_few_images_have_one_point_and_have_not_settled(model, images):
    curve = cnnvis.survey(model, images[:5]).convergence
    assert curve.n_images.tolist() == [5]
    assert curve.settled is None


@pytest.mark.parametrize(
    ("changes", "settled"),
    [
        ([[0.2, 0.1, 0.04, 0.03]], 64),
        ([[0.2, 0.04, 0.06, 0.03]], 128),  # it moved again
        ([[0.2, 0.1, 0.04, 0.03], [0.2, 0.1, 0.06, 0.04]], 128),  # the slowest layer
        ([[0.2, 0.1, 0.06, 0.05]], None),
        ([[0.0, 0.0, 0.0, 0.0]], 16),
        ([[np.nan] * 4, [0.2, 0.1, 0.04, 0.03]], 64),  # a layer of one channel has no pairs
    ],
)
def test_settled_is_where_no_layer_moves_any_more(changes, settled):
    change = {str(i): np.array([np.nan, *values]) for i, values in enumerate(changes)}
    assert Convergence(np.array([8, 16, 32, 64, 128]), change).settled == settled


def test_images_that_are_all_the_same_have_a_chart(model, images):
    """No channel varies: there is nothing to move, and no logarithm of it."""
    curve = cnnvis.survey(model, images[:1].repeat(40, 1, 1, 1)).convergence
    assert to_rgb(convergence_chart(curve)).shape[1] == WIDTH
    zero = Convergence(np.array([16, 32]), {"0": np.array([np.nan, 0.0])})
    assert to_rgb(convergence_chart(zero)).shape[1] == WIDTH
