"""Diagnoses: a planted fault is found, in its layer and channel, and taking it back changes the answer."""

import numpy as np
import pytest
import torch
from torch import nn

import cnnvis
from cnnvis.attribution import diagnose
from cnnvis.capture.shifting import shift
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError
from cnnvis.models import Network

N_CLASSES = 3


def class_images(n_per_class, seed=0):
    """Images whose channel c is bright for class c: (N, 3, 6, 6)."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(N_CLASSES).repeat_interleave(n_per_class)
    images = 0.1 * torch.rand(len(labels), N_CLASSES, 6, 6, generator=generator)
    images[torch.arange(len(labels)), labels] += 1 + 0.1 * torch.rand(len(labels), 1, 1, generator=generator)
    return images, labels


@pytest.fixture
def model():
    """Two convolutions that hand each channel on, and scores that are its averages."""
    model = nn.Sequential()
    for name in ("first", "second"):
        conv = nn.Conv2d(N_CLASSES, N_CLASSES, 1)
        conv.weight.data = torch.eye(N_CLASSES)[:, :, None, None]
        conv.bias.data.zero_()
        model.add_module(name, conv)
        model.add_module(f"{name}_relu", nn.ReLU())
    model.add_module("pool", nn.AdaptiveAvgPool2d(1))
    model.add_module("flatten", nn.Flatten())
    model.add_module("scores", nn.Linear(N_CLASSES, N_CLASSES))
    model.scores.weight.data = 10 * torch.eye(N_CLASSES)
    model.scores.bias.data.zero_()
    return model


@pytest.fixture
def survey(model):
    return cnnvis.survey(model, class_images(120))


def test_a_planted_fault_is_found_and_taken_back(model, survey):
    image, _ = class_images(1, seed=9)
    image = image[:1].clone()  # class 0
    image[:, 2] += 3  # as if it were much of class 2
    found = diagnose(model, image, survey, true=0)
    assert found.predicted == 2
    assert found.first_layer == "first"
    assert found.single[0].channels == (2,)
    assert found.unpatched.answer == 2
    assert found.unpatched.margin < 0
    assert found.single[0].answer == 0
    assert found.single[0].probability > 0.99
    assert found.single[1].answer == 2  # another channel does not mend it
    assert list(found.whole) == ["first", "second"]  # the scores themselves are no candidate
    assert all(patch.answer == 0 for patch in found.whole.values())
    assert found.from_true["first"].share == pytest.approx(1 / 121), "itself alone"
    assert found.caution == ""
    assert found.from_predicted["first"].size > 3


def test_z_scores_by_hand(model, survey):
    image, _ = class_images(1, seed=9)
    found = diagnose(model, image[:1], survey, true=0)
    layer = survey["first"]
    averages = image[0].double().mean(dim=(1, 2)).numpy()
    std = np.maximum(layer.by_class.std[:, 0], 0.05 * layer.std)
    expected = (averages - layer.by_class.mean[:, 0]) / std
    np.testing.assert_allclose(found.from_true["first"].z, expected, rtol=1e-4)
    assert found.from_true["first"].size == pytest.approx(np.sqrt((expected**2).mean()), rel=1e-4)
    own = layer.window[survey.window_labels == 0].astype(float)
    sizes = []
    for image, values in enumerate(own):
        others = np.delete(own, image, axis=0)
        away = (values - others.mean(axis=0)) / np.maximum(others.std(axis=0), 0.05 * layer.std)
        sizes.append(np.sqrt((away**2).mean()))
    share = (1 + np.count_nonzero(np.array(sizes) >= found.from_true["first"].size)) / 121
    assert found.from_true["first"].share == pytest.approx(share)


def test_of_few_images_of_a_class_no_layer_can_be_said_to_depart(model):
    """With a class's own mean and spread, of few images, every other image departs."""
    few = cnnvis.survey(model, class_images(5))
    images, labels = class_images(20, seed=5)
    shares = []
    for image, label in zip(images, labels, strict=True):
        found = diagnose(model, image[None], few, true=int(label))
        assert found.first_layer is None
        shares.append(found.from_true["first"].share)
    assert found.n_compared == 5
    assert "kept 5 images of 2, too few to say that a layer departs: that needs 99" in found.caution
    assert min(shares) >= 1 / 6
    assert 0.25 < np.mean(shares) < 0.75, "of images like those of the class any rank is as likely"


def test_an_image_like_its_class_departs_nowhere(model, survey):
    images, labels = class_images(20, seed=5)
    flagged = [
        diagnose(model, image[None], survey, true=int(label)).first_layer is not None
        for image, label in zip(images, labels, strict=True)
    ]
    assert np.mean(flagged) < 0.1  # two layers at 1 % each


def test_without_a_true_class_the_predicted_one_counts(model, survey):
    image, _ = class_images(1, seed=9)
    found = diagnose(model, image[1:2], survey)
    assert found.true is None
    assert found.reference == found.predicted == 1
    assert not found.from_true
    assert found.from_reference is found.from_predicted


def test_the_model_is_left_as_it_was(model, survey):
    model.train()
    diagnose(model, class_images(1)[0][:1], survey, true=1)
    assert model.training
    assert not any(module._forward_hooks for module in model.modules())


def test_bad_input_is_named(model, survey):
    images, labels = class_images(2)
    with pytest.raises(InvalidInputError, match="one image, got 6"):
        diagnose(model, images, survey)
    with pytest.raises(InvalidInputError, match="no classes"):
        diagnose(model, images[:1], cnnvis.survey(model, images))
    with pytest.raises(InvalidInputError, match="class"):
        diagnose(model, images[:1], survey, true=7)
    few = cnnvis.survey(model, (images[:5], labels[:5]))
    with pytest.raises(InvalidInputError, match="1 images of class 2"):
        diagnose(model, images[:1], few, true=2)
    with pytest.raises(InvalidInputError, match="before the scores"):
        diagnose(model, images[:1], cnnvis.survey(model, (images, labels), "scores"))


def test_a_shift_is_added_to_each_image_by_itself(model):
    images = torch.rand(2, 3, 6, 6)
    shifts = np.array([[1.0, 0, 0], [0, -2, 0.5]])
    with shift(model, "first", shifts):
        shifted = cnnvis.record(model, images, ["first_relu"])["first_relu"].activations
    expected = torch.relu(images + torch.tensor(shifts, dtype=torch.float32)[:, :, None, None])
    np.testing.assert_allclose(shifted, expected, rtol=1e-6)
    with pytest.raises(InvalidInputError, match="2 images of 3 channels"), shift(model, "first", np.zeros((2, 4))):
        model(images)
    with pytest.raises(LayerNotFoundError), shift(model, "third", shifts):
        model(images)


def test_a_survey_of_other_weights_is_refused(model):
    images, labels = class_images(4)
    network = Network(model, name="mine", example=images[:1])
    survey = cnnvis.survey(network, (images, labels))
    assert diagnose(network, images[:1], survey, true=0).true == 0
    model.first.weight.data *= 2
    changed = Network(model, name="mine", example=images[:1])
    with pytest.raises(InvalidInputError, match=r"of mine with other weights, the network is mine; `cnnvis survey`"):
        diagnose(changed, images[:1], survey)
    assert diagnose(model, images[:1], survey).true is None  # a bare module does not say whose weights it has
