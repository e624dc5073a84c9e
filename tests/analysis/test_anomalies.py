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
