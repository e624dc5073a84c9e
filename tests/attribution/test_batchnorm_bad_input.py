import numpy as np
import pytest
import torch
from batchnorm_nets import blobs, perceptron
from torch import nn

from cnnvis.attribution.batchnorm import batchnorm_variants, by_batchnorm
from cnnvis.attribution.batchnorm_options import BatchNormOptions
from cnnvis.core.errors import DivergedError, InvalidInputError, LayerNotFoundError

QUICK = {"steps": 4, "batch_size": 8}
IMAGES, LABELS = blobs(30)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (None, "no images"),
        (IMAGES, "no labels"),
        ((IMAGES, LABELS[:-1]), "29 labels for 30 images"),
        ((IMAGES, LABELS + 1), "no class 3"),
        ((IMAGES, torch.ones_like(LABELS)), "of class 0"),
    ],
)
def test_data(data, says):
    with pytest.raises(InvalidInputError, match=says):
        by_batchnorm(perceptron(), data, **QUICK)


def test_a_class_without_images_and_without_others():
    with pytest.raises(InvalidInputError, match="No image is of class 1"):
        by_batchnorm(perceptron(), (IMAGES[LABELS != 1], LABELS[LABELS != 1]), **QUICK)
    assert by_batchnorm(perceptron(), (IMAGES[LABELS != 1], LABELS[LABELS != 1]), classes=[0], **QUICK)
    with pytest.raises(InvalidInputError, match="another class than class 1"):
        by_batchnorm(perceptron(), (IMAGES, torch.ones_like(LABELS)), classes=[1], **QUICK)


def test_classes():
    with pytest.raises(InvalidInputError, match="no class 3"):
        by_batchnorm(perceptron(), (IMAGES, LABELS), classes=[3], **QUICK)
    with pytest.raises(InvalidInputError, match="names no classes"):
        by_batchnorm(perceptron(), (IMAGES, LABELS), classes=["cat"], **QUICK)
    with pytest.raises(InvalidInputError, match="empty"):
        by_batchnorm(perceptron(), (IMAGES, LABELS), classes=[], **QUICK)
    many = perceptron((5, 4, 21))
    with pytest.raises(InvalidInputError, match="21 classes"):
        by_batchnorm(many, (IMAGES, LABELS), **QUICK)
    assert by_batchnorm(many, (IMAGES, LABELS), classes=[0, 2, 2], **QUICK).per_class["0"].shape == (4, 2)


def test_fewer_images_than_a_batch_are_drawn_again():
    few = [0, 1, 2, 3]
    assert by_batchnorm(perceptron(), (IMAGES[few], LABELS[few]), classes=[0], steps=3, batch_size=64)


def test_layers_without_units():
    with pytest.raises(LayerNotFoundError, match="No units"):
        by_batchnorm(perceptron(), (IMAGES, LABELS), layers="1", **QUICK)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"init": "ones"}, "Did you mean: one"),
        ({"head": "sum"}, "log_odds, seed"),
        ({"init": "identity"}, "beta=True"),
        ({"l1": -0.1}, "l1"),
        ({"l2": np.nan}, "l2"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"steps": 0}, "steps"),
        ({"batch_size": 7}, "even"),
        ({"batch_size": 2}, "at least 4"),
        ({"random_state": -1}, "random_state"),
    ],
)
def test_options(options, says):
    with pytest.raises(InvalidInputError, match=says):
        BatchNormOptions(**options)


def test_unknown_variant():
    with pytest.raises(InvalidInputError, match="nobeta_gammaone_l1"):
        batchnorm_variants(perceptron(), (IMAGES, LABELS), names=["gamma"], **QUICK)


def test_a_loss_that_is_not_finite_names_class_and_step():
    images = IMAGES.clone()
    images[LABELS == 2] = torch.inf
    with pytest.raises(DivergedError, match=r"class 0 is not finite at step 1 of 4"):
        by_batchnorm(perceptron(), (images, LABELS), **QUICK)


def test_a_network_without_hidden_layers_has_the_pixels():
    model = nn.Sequential(nn.Linear(5, 3))
    assert list(by_batchnorm(model, (IMAGES, LABELS), **QUICK)) == ["input"]
    with pytest.raises(LayerNotFoundError, match="no units to scale"):
        by_batchnorm(model, (IMAGES, LABELS), inputs=False, **QUICK)


def test_a_network_that_runs_without_gradients():
    class Detached(nn.Linear):
        def forward(self, x):
            return super().forward(x).detach()

    with pytest.raises(InvalidInputError, match="without gradients"):
        by_batchnorm(nn.Sequential(nn.Linear(5, 4), nn.ReLU(), Detached(4, 3)), (IMAGES, LABELS), **QUICK)
