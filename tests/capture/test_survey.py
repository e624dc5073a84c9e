"""Surveys: what they say of a recorded network, in one pass and in parts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import cnnvis
from cnnvis.capture import SurveyOptions
from cnnvis.core import Survey
from cnnvis.core.errors import CancelledError, InvalidInputError, LayerNotFoundError, NoSpatialMapsError
from cnnvis.core.survey import LEVELS

N_IMAGES, N_CLASSES = 60, 3


@pytest.fixture
def model() -> nn.Module:
    """Two convolutions, one with a norm, in-place activations, and a dense layer."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, N_CLASSES),
    )
    model[1].running_mean.uniform_(-1, 1)
    model[1].running_var.uniform_(0.5, 2)
    return model


@pytest.fixture
def images() -> Tensor:
    return torch.randn(N_IMAGES, 1, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def labels() -> Tensor:
    return torch.arange(N_IMAGES) % N_CLASSES


def values_of(model: nn.Module, images: Tensor, layer: str) -> NDArray[np.float64]:
    """(N, C, S) values of a layer, from a recording: the oracle."""
    values = cnnvis.record(model, images, [layer])[layer].activations.astype(np.float64)
    return values.reshape(*values.shape[:2], -1)


@pytest.mark.parametrize(("signal", "layer", "value"), [("post", "0", "2"), ("pre", "0", "1"), ("pre", "4", "4")])
def test_everything_agrees_with_the_recorded_maps(
    model: nn.Module, images: Tensor, labels: Tensor, signal: str, layer: str, value: str
) -> None:
    options = SurveyOptions(signal=signal, shard_size=7)
    found = cnnvis.survey(model, (images, labels), options=options)[layer]
    maps = values_of(model, images, value)
    averages = maps.mean(axis=2)
    assert found.value == value
    np.testing.assert_allclose(found.mean, averages.mean(axis=0), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(found.std, averages.std(axis=0), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(found.correlation, np.corrcoef(averages.T), atol=1e-6)
    np.testing.assert_allclose(found.window, averages, rtol=1e-5, atol=1e-6)
    quantiles = np.quantile(averages, LEVELS, axis=0, method="lower").T
    np.testing.assert_allclose(found.quantiles, quantiles, rtol=0.0101, atol=1e-6)
    np.testing.assert_array_equal(found.top_images, np.argsort(-averages, axis=0, kind="stable")[:9].T)
    of_class = [averages[labels.numpy() == label] for label in range(N_CLASSES)]
    np.testing.assert_allclose(found.by_class.mean, np.stack([part.mean(axis=0) for part in of_class], 1), rtol=1e-5)
    np.testing.assert_allclose(found.by_class.std, np.stack([part.std(axis=0) for part in of_class], 1), rtol=1e-4)
    flat = np.moveaxis(maps, 1, 0).reshape(maps.shape[1], -1)
    np.testing.assert_allclose(found.maps.mean, flat.mean(axis=1), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(found.maps.std, flat.std(axis=1), rtol=1e-5)
    np.testing.assert_array_equal(found.maps.minimum, flat.min(axis=1))
    np.testing.assert_array_equal(found.maps.maximum, flat.max(axis=1))
    np.testing.assert_allclose(found.maps.zero_share, (flat == 0).mean(axis=1))
    assert (found.maps.count == flat.shape[1]).all()


def test_the_answers_are_counted_by_class(model: nn.Module, images: Tensor, labels: Tensor) -> None:
    found = cnnvis.survey(model, DataLoader(TensorDataset(images, labels), batch_size=9))
    with torch.no_grad():
        answers = model.eval()(images).argmax(dim=1)
    expected = np.zeros((N_CLASSES, N_CLASSES), int)
    np.add.at(expected, (labels.numpy(), answers.numpy()), 1)
    np.testing.assert_array_equal(found.confusion, expected)
    assert found.accuracy == pytest.approx((answers == labels).double().mean().item())
    np.testing.assert_array_equal(found.window_labels, labels)
    np.testing.assert_array_equal(found.window_answers, answers)


@pytest.mark.parametrize("shard_size", [1, 16, 1000])
def test_parts_give_what_the_whole_gives(model: nn.Module, images: Tensor, labels: Tensor, shard_size: int) -> None:
    batches = [(images[start : start + 8], labels[start : start + 8]) for start in range(0, N_IMAGES, 8)]
    whole = cnnvis.survey(model, (images, labels))
    parts = cnnvis.survey(model, batches, options=SurveyOptions(shard_size=shard_size))
    for layer in whole:
        for name in ("mean", "std", "correlation", "quantiles", "window", "top_averages"):
            one, other = getattr(whole[layer], name), getattr(parts[layer], name)
            np.testing.assert_allclose(other, one, atol=1e-6, rtol=1e-5, err_msg=name)


def test_a_survey_changes_nothing(model: nn.Module, images: Tensor) -> None:
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    kept = images.clone()
    cnnvis.survey(model, images)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(images, kept)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_a_missing_average_concerns_its_own_channel_only(model: nn.Module, images: Tensor) -> None:
    with torch.no_grad():
        model[4].weight[2] = torch.nan
        model[4].bias[3] = -1e3  # behind the activation: zero, for every image
    found = cnnvis.survey(model, images, "4")["4"]
    assert found.n_missing.tolist() == [0, 0, N_IMAGES, 0, 0, 0]
    assert np.isnan(found.mean[2])
    assert found.maps.n_missing[2] == N_IMAGES * 16
    assert found.maps.zero_share[3] == 1
    defined = np.isfinite(found.correlation)
    expected = np.outer([1, 1, 0, 0, 1, 1], [1, 1, 0, 0, 1, 1]).astype(bool)
    np.testing.assert_array_equal(defined, expected)
    assert (found.top_images[2] == -1).all()


def test_one_image_has_no_correlation(model: nn.Module, images: Tensor) -> None:
    found = cnnvis.survey(model, images[:1])
    assert found.n_images == 1
    assert np.isnan(found["0"].correlation).all()
    assert found.convergence is None
    assert found.confusion is None
    assert found["0"].by_class is None


def test_the_window_holds_the_last_images(model: nn.Module, images: Tensor) -> None:
    found = cnnvis.survey(model, images, options=SurveyOptions(window=10, shard_size=4))
    np.testing.assert_array_equal(found.window_images, np.arange(N_IMAGES - 10, N_IMAGES))
    averages = values_of(model, images, "2").mean(axis=2)
    np.testing.assert_allclose(found["0"].window, averages[-10:], rtol=1e-5, atol=1e-6)


def test_cancelling_leaves_the_model_alone(model: nn.Module, images: Tensor) -> None:
    def progress(done: int, _total: int) -> None:
        if done >= 8:
            raise CancelledError

    batches = list(images.split(8))
    with pytest.raises(CancelledError):
        cnnvis.survey(model, batches, progress=progress)
    assert not any(module._forward_hooks for module in model.modules())


def test_bad_input_is_named(model: nn.Module, images: Tensor, labels: Tensor) -> None:
    with pytest.raises(LayerNotFoundError, match="features"):
        cnnvis.survey(model, images, "features.0")
    with pytest.raises(InvalidInputError, match="class 7"):
        cnnvis.survey(model, (images, torch.full((N_IMAGES,), 7)))
    with pytest.raises(InvalidInputError):
        cnnvis.survey(model, images[:0])
    with pytest.raises(InvalidInputError, match="no convolution"):
        cnnvis.survey(nn.Sequential(nn.ReLU()), images)


def test_a_survey_is_a_mapping_of_layers(model: nn.Module, images: Tensor) -> None:
    found = cnnvis.survey(model, images)
    assert isinstance(found, Survey)
    assert list(found) == ["0", "4", "8"]
    assert found.n_channels == 4 + 6 + 3
    with pytest.raises(LayerNotFoundError, match="Did you mean"):
        found["00"]


def test_similarity_of_a_survey_is_that_of_its_averages(model: nn.Module, images: Tensor) -> None:
    found = cnnvis.similarity(cnnvis.survey(model, images))
    assert list(found) == ["0", "4", "8"]
    maps = cnnvis.record(model, images, ["2"])["2"]
    np.testing.assert_allclose(found["0"], cnnvis.similarity(maps, "averages"), atol=1e-5)
    with pytest.raises(InvalidInputError, match="two images"):
        cnnvis.similarity(cnnvis.survey(model, images[:1]))
    with pytest.raises(NoSpatialMapsError, match="did not look at positions"):
        cnnvis.similarity(cnnvis.survey(model, images), "spatial")
