"""Surveys as files: the same to the last bit, and what bad files say."""

from dataclasses import fields

import numpy as np
import pytest
import torch
from torch import nn

import cnnvis
from cnnvis.capture import SurveyOptions
from cnnvis.core import LayerSurvey, MapStatistics
from cnnvis.core.errors import FileFormatError
from cnnvis.io.showing import scene_of


@pytest.fixture
def survey():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3))
    images = torch.randn(30, 1, 6, 6)
    return cnnvis.survey(model, (images, torch.arange(30) % 3), options=SurveyOptions(shard_size=10))


def test_a_survey_comes_back_as_it_was(survey, tmp_path):
    path = cnnvis.save(survey, tmp_path / "survey.safetensors")
    again = cnnvis.load(path)
    assert list(again) == list(survey)
    for field in fields(survey):
        if field.name not in ("layers", "convergence", "confusion") and not field.name.startswith("window_"):
            assert getattr(again, field.name) == getattr(survey, field.name), field.name
    np.testing.assert_array_equal(again.confusion, survey.confusion)
    for name in ("window_images", "window_labels", "window_answers"):
        np.testing.assert_array_equal(getattr(again, name), getattr(survey, name))
    np.testing.assert_array_equal(again.convergence.n_images, survey.convergence.n_images)
    np.testing.assert_array_equal(again.convergence.change["0"], survey.convergence.change["0"])
    for layer in survey:
        for field in fields(LayerSurvey):
            one, other = getattr(survey[layer], field.name), getattr(again[layer], field.name)
            if isinstance(one, np.ndarray):
                np.testing.assert_array_equal(one, other, err_msg=field.name)
                assert one.dtype == other.dtype
        for field in fields(MapStatistics):
            np.testing.assert_array_equal(
                getattr(survey[layer].maps, field.name), getattr(again[layer].maps, field.name)
            )
        np.testing.assert_array_equal(survey[layer].by_class.mean, again[layer].by_class.mean)


def test_averages_alone_and_no_labels(tmp_path):
    model = nn.Sequential(nn.Conv2d(1, 2, 3))
    found = cnnvis.survey(model, torch.randn(1, 1, 6, 6), options=SurveyOptions(maps=False))
    again = cnnvis.load(cnnvis.save(found, tmp_path / "survey.safetensors"))
    assert again["0"].maps is None
    assert again["0"].by_class is None
    assert again.confusion is None
    assert again.convergence is None


def test_a_file_that_is_cut_off_says_so(survey, tmp_path):
    path = cnnvis.save(survey, tmp_path / "survey.safetensors")
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(FileFormatError, match="damaged"):
        cnnvis.load(path)


def test_of_a_single_image_the_averages_are_shown():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 5, 3), torch.nn.ReLU(), torch.nn.Conv2d(5, 2, 3))
    one = cnnvis.survey(model, torch.rand(1, 1, 8, 8))
    (item,) = scene_of(one)
    assert (item.kind, item.n_cells, item.data.shape) == ("matrix", 5, (2, 3))
    np.testing.assert_allclose(item.data.ravel()[:5], one["0"].mean)
