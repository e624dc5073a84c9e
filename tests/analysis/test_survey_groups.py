"""Groups of a survey by the rule it carries, of its maps, and of its last images alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import cnnvis
from cnnvis.analysis import communities, recent_survey, similarity
from cnnvis.analysis.grouping import grouped, likeness, linked, rule_in_words
from cnnvis.capture import SurveyOptions
from cnnvis.core import Grouping
from cnnvis.core.errors import InvalidInputError, NoSpatialMapsError
from cnnvis.core.survey import LEVELS

N_IMAGES = 90


@pytest.fixture
def model():
    torch.manual_seed(0)
    conv = nn.Conv2d(1, 6, 3)
    conv.bias.data += 1
    conv.weight.data[2], conv.bias.data[2] = 0, -1  # dead
    return nn.Sequential(conv, nn.ReLU(), nn.Flatten(), nn.Linear(6 * 16, 3))


@pytest.fixture
def images():
    return torch.rand(N_IMAGES, 1, 6, 6, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def labels():
    return torch.arange(N_IMAGES) % 3


def batches(images, labels, size=20):
    return [(images[start : start + size], labels[start : start + size]) for start in range(0, len(images), size)]


def maps_of(model, images):
    with torch.no_grad():
        return model[:2](images).double().numpy()


# ------------------------------------------------------------------------------------------------------------- in space


@pytest.mark.parametrize("maps", [True, False])
def test_the_correlation_of_maps_is_that_of_all_their_positions(model, images, labels, maps):
    options = SurveyOptions(space=True, maps=maps, shard_size=20)
    found = cnnvis.survey(model, batches(images, labels), ["0"], options=options)["0"]
    rows = maps_of(model, images).transpose(1, 0, 2, 3).reshape(6, -1)
    varies = [0, 1, 3, 4, 5]
    np.testing.assert_allclose(found.spatial[np.ix_(varies, varies)], np.corrcoef(rows[varies]), atol=1e-6)
    assert np.isnan(found.spatial[2]).all()
    whole = similarity(found, "spatial")
    assert whole[2].tolist() == [0, 0, 1, 0, 0, 0]
    assert np.abs(whole - similarity(found)).max() > 0.05  # another thing than that of averages


def test_positions_that_nobody_looked_at_are_not_there(model, images):
    found = cnnvis.survey(model, images, ["0"])
    assert found["0"].spatial is None
    for asked in (found, found["0"]):
        with pytest.raises(NoSpatialMapsError, match=r"SurveyOptions\(space=True\)"):
            similarity(asked, "spatial")


def test_it_is_kept_in_files_and_in_checkpoints(model, images, labels, tmp_path):
    options = SurveyOptions(space=True, shard_size=20)
    whole = cnnvis.survey(model, batches(images, labels), ["0"], options=options)

    def stop(done, _total):
        if done > 60:
            raise KeyboardInterrupt

    path = tmp_path / "checkpoint"
    with pytest.raises(KeyboardInterrupt):
        cnnvis.survey(model, batches(images, labels), ["0"], options=options, checkpoint=path, progress=stop)
    again = cnnvis.survey(model, batches(images, labels), ["0"], options=options, checkpoint=path)
    np.testing.assert_array_equal(again["0"].spatial, whole["0"].spatial)
    read = cnnvis.load(cnnvis.save(whole, tmp_path / "survey.safetensors"))
    np.testing.assert_array_equal(read["0"].spatial, whole["0"].spatial)
    assert read["0"].value_type == "ReLU"


# --------------------------------------------------------------------------------------------------- the last images


def test_of_the_last_images_all_is_as_of_a_survey_of_them(model, images, labels):
    options = SurveyOptions(window=30, shard_size=20)
    found = recent_survey(cnnvis.survey(model, batches(images, labels), options=options))
    expected = cnnvis.survey(model, (images[-30:], labels[-30:]))
    assert found.n_images == 30
    np.testing.assert_array_equal(found.confusion, expected.confusion)
    for name, layer in found.items():
        for field in ("mean", "std", "correlation", "top_averages"):
            np.testing.assert_allclose(
                getattr(layer, field), getattr(expected[name], field), rtol=1e-4, atol=1e-5, err_msg=f"{name} {field}"
            )
        levels = np.quantile(expected[name].window, LEVELS, axis=0).T
        np.testing.assert_allclose(layer.quantiles, levels, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(layer.top_images, expected[name].top_images + N_IMAGES - 30)
        for field in ("count", "mean", "std"):
            of_class = getattr(layer.by_class, field), getattr(expected[name].by_class, field)
            np.testing.assert_allclose(*of_class, rtol=1e-4, atol=1e-5)
        assert layer.maps is None


def test_missing_values_and_few_images(model, images):
    with torch.no_grad():
        model[0].bias[4] = torch.nan
    found = recent_survey(cnnvis.survey(model, images, ["0"], options=SurveyOptions(window=4)))["0"]
    assert found.n_missing.tolist() == [0, 0, 0, 0, 4, 0]
    assert np.isnan(found.mean[4])
    assert (found.top_images[4] == -1).all()
    assert (found.top_images[:, 4:] == -1).all()
    assert np.isnan(found.correlation[4]).all()
    one = recent_survey(cnnvis.survey(model, images, ["0"], options=SurveyOptions(window=1)))["0"]
    assert np.isnan(one.correlation).all()
    with pytest.raises(InvalidInputError, match="two images"):
        similarity(one)


# ------------------------------------------------------------------------------------------------------------ the rule


def test_the_rule_is_kept_and_followed(model, images, tmp_path):
    rule = Grouping(alike="maps", weights="exponential", exponent=3.0, algorithm="louvain", resolution=1.5)
    survey = replace(cnnvis.survey(model, images, options=SurveyOptions(space=True)), grouping=rule)
    assert cnnvis.load(cnnvis.save(survey, tmp_path / "a.safetensors")).grouping == rule
    alike = likeness(survey["0"], rule)
    np.testing.assert_array_equal(alike, similarity(survey["0"], "spatial"))
    expected = communities(alike, weights="exponential", exponent=3.0, algorithm="louvain", resolution=1.5)
    np.testing.assert_array_equal(grouped(alike, rule), expected)
    weights = linked(alike, rule)
    assert weights[0, 1] == pytest.approx(np.exp(3 * (alike[0, 1] - 1)))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Grouping(), "Leiden, links max(r, 0)^6 of the correlation r of averages over images"),
        (
            Grouping(alike="maps", weights="exponential", algorithm="louvain", resolution=2),
            "Louvain, links exp(20 r) of the correlation r of maps over images and positions, resolution 2",
        ),
    ],
)
def test_it_is_said_in_words(rule, words):
    assert rule_in_words(rule) == words
