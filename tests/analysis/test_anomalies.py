"""Odd channels: each kind planted once."""

import numpy as np
import pytest
import torch
from torch import nn

import cnnvis
from cnnvis.analysis import anomalies
from cnnvis.capture import SurveyOptions


class Planted(nn.Module):
    """Channels of the image, changed: as it is, dead, constant, NaN for bright images, cut off high, cut off low."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 6, 1)
        self.relu = nn.ReLU()
        self.conv.weight.data[:] = torch.tensor([1.0, 0, 0, 1, 1, 1])[:, None, None, None]
        self.conv.bias.data[:] = torch.tensor([0, -1.0, 2, 0, 0, 0])

    def forward(self, images):
        maps = self.conv(images)
        parts = list(maps.split(1, dim=1))
        parts[3] = torch.where(images > 0.999, torch.nan, parts[3])
        parts[4] = parts[4].clamp(max=0.001)
        parts[5] = (parts[5] - 0.9995).clamp(min=0)
        return self.relu(torch.cat(parts, 1))


@pytest.fixture
def images():
    return torch.rand(40, 1, 16, 16, generator=torch.Generator().manual_seed(0))


def kinds(found):
    return {(odd.channel, odd.kind.value) for odd in found}


def test_each_kind_is_found(images):
    survey = cnnvis.survey(Planted(), images, ["relu"])
    assert kinds(anomalies(survey)) == {
        (1, "dead"),
        (2, "constant"),
        (3, "missing"),
        (4, "saturated"),
        (5, "rare"),
    }


def test_an_image_far_outside_the_range_is_named(images):
    images[17] *= 30
    positive = nn.Conv2d(1, 1, 1)
    positive.weight.data.fill_(1)
    found = anomalies(cnnvis.survey(positive, images))
    assert [(odd.kind.value, odd.image) for odd in found] == [("outlier", 17)]


def test_averages_alone_tell_less(images):
    survey = cnnvis.survey(Planted(), images, ["relu"], options=SurveyOptions(maps=False))
    assert kinds(anomalies(survey)) == {(1, "constant"), (2, "constant"), (3, "missing")}


def test_a_healthy_layer_has_none(images):
    torch.manual_seed(0)
    model = nn.Conv2d(1, 4, 3)
    assert not np.any([odd.kind != "outlier" for odd in anomalies(cnnvis.survey(model, images))])


# ------------------------------------------------------------------------------------------------- far from the others


def averages_of(values):
    """A survey of one channel whose averages are these."""
    identity = nn.Conv2d(1, 1, 1)
    identity.weight.data.fill_(1)
    identity.bias.data.zero_()
    return cnnvis.survey(identity, torch.as_tensor(values, dtype=torch.float32).reshape(-1, 1, 1, 1))


def outliers(values):
    return [(odd.image, odd.detail) for odd in anomalies(averages_of(values)) if odd.kind.value == "outlier"]


@pytest.mark.parametrize("n_images", [3, 40, 300])
def test_a_channel_that_answers_to_one_image_only_is_named(n_images):
    values = np.zeros(n_images)
    values[1] = 0.25
    assert outliers(values) == [(1, "an average of 0.25, the same for all others")]
    assert outliers(-values) == [(1, "an average of -0.25, the same for all others")]


def test_of_two_that_answer_one_must_be_far_beyond_the_other():
    values = np.zeros(40)
    values[[3, 30]] = 1, 12
    assert outliers(values) == [(30, "an average of 12, 12 times the usual distance")]
    values[30] = 9
    assert outliers(values) == []


@pytest.mark.parametrize("sign", [1, -1])
def test_far_out_on_either_side(sign):
    """Evenly spread from -1 to 1: 95 % lie within 0.9 of the median."""
    values = np.linspace(-1, 1, 401)
    values[200] = sign * 20
    ((image, detail),) = outliers(values)
    assert image == 200
    assert detail == f"an average of {sign * 20}, 22 times the usual distance"
    values[200] = sign * 8
    assert outliers(values) == []


def test_below_the_range_of_a_long_survey_the_image_is_not_known():
    values = np.linspace(-1, 1, 401)
    values[200] = -20
    identity = nn.Conv2d(1, 1, 1)
    identity.weight.data.fill_(1)
    identity.bias.data.zero_()
    images = torch.as_tensor(values, dtype=torch.float32).reshape(-1, 1, 1, 1)
    (found,) = anomalies(cnnvis.survey(identity, images, options=SurveyOptions(window=50)))
    assert (found.kind.value, found.image) == ("outlier", -1)


@pytest.mark.parametrize("values", [[1, 2, 3], [0, 1, 1.05, 1.1, 2], [-3, -2, -1, 0, 0, 0, 0, 5], [1, 2]])
def test_few_images_are_not_taken_for_outliers(values):
    assert outliers(values) == []
    assert outliers([-value for value in values]) == []


def test_of_few_images_one_can_be_far():
    assert outliers([0, 1, 2, 3, 100]) == [(4, "an average of 100, 49 times the usual distance")]


@pytest.mark.parametrize("seed", range(5))
def test_noise_has_no_outliers(seed):
    assert outliers(np.random.default_rng(seed).normal(size=1000)) == []


# ---------------------------------------------------------------------------------------------------------- saturation


@pytest.mark.parametrize(
    ("function", "shift", "expected"),
    [
        (nn.Sigmoid(), 6.0, ["saturated"]),  # .993 to 1
        (nn.Sigmoid(), -6.0, ["saturated"]),
        (nn.Sigmoid(), 0.0, []),
        (nn.Tanh(), 4.0, ["saturated"]),
        (nn.Tanh(), -4.0, ["saturated"]),
        (nn.Tanh(), 0.0, []),
        (nn.ReLU(), 6.0, []),
    ],
)
def test_what_is_stuck_at_an_end_of_its_function_is_saturated(function, shift, expected):
    model = nn.Sequential(nn.Conv2d(1, 1, 1), function)
    model[0].weight.data.fill_(1)
    model[0].bias.data.fill_(shift)
    images = torch.randn(50, 1, 8, 8, generator=torch.Generator().manual_seed(0)).clamp(-1, 3)
    assert [odd.kind.value for odd in anomalies(cnnvis.survey(model, images))] == expected


def test_one_image_shows_missing_values_and_nothing_else(images):
    found = anomalies(cnnvis.survey(Planted(), images[:1], ["relu"]))
    assert kinds(found) <= {(3, "missing")}


@pytest.mark.parametrize("window", [1000, 50])
def test_a_channel_that_hardly_varies_about_a_large_mean_has_no_outliers(window):
    """Quantiles are known to 1 % of their size only: here that is more than the channel varies."""
    values = 100 + 1e-3 * np.random.default_rng(0).normal(size=300)
    identity = nn.Conv2d(1, 1, 1)
    identity.weight.data.fill_(1)
    identity.bias.data.zero_()
    images = torch.as_tensor(values, dtype=torch.float32).reshape(-1, 1, 1, 1)
    assert not anomalies(cnnvis.survey(identity, images, options=SurveyOptions(window=window)))
