"""VGG-16 with batch norm for Fashion-MNIST: its shape at any width, and what comes along."""

import pytest
import torch
from torch import nn

from cnnvis.core.errors import InvalidInputError
from cnnvis.models import labelled_images, load
from cnnvis.models.vgg import VGG

CHANNELS = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]


def _convolutions(module):
    return [part for part in module.features if isinstance(part, nn.Conv2d)]


@pytest.mark.parametrize(("width", "n_channels"), [(1, 4224), (0.5, 2112), (0.125, 528)])
def test_thirteen_convolutions_share_the_width(width, n_channels):
    channels = [part.out_channels for part in _convolutions(VGG(width))]
    assert channels == [int(width * full) for full in CHANNELS]
    assert sum(channels) == n_channels


def test_the_least_width_leaves_a_channel_everywhere():
    module = VGG(0.001)
    assert {part.out_channels for part in _convolutions(module)} == {1}
    assert module(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


@pytest.mark.parametrize("width", [0, -0.5, float("nan"), float("inf")])
def test_a_width_that_is_none_is_refused(width):
    with pytest.raises(InvalidInputError, match="width of a VGG"):
        VGG(width)


def test_layers_are_named_as_usual_and_halve_the_picture_five_times():
    module, sides = VGG(0.125).eval(), []
    for part in module.features:
        part.register_forward_hook(lambda part, _, out: sides.append(out.shape[-1]))
    assert module(torch.zeros(1, 1, 28, 28)).shape == (1, 10)
    at = [0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40]
    assert [int(name) for name, part in module.features.named_children() if isinstance(part, nn.Conv2d)] == at
    assert [sides[index] for index in at] == [32, 32, 16, 16, 8, 8, 8, 4, 4, 4, 2, 2, 2]
    assert sides[-1] == 1
    assert [type(part).__name__ for part in module.classifier] == ["Linear", "ReLU", "Linear"]


def test_pictures_are_framed_in_black():
    module = VGG(0.125)
    framed = module.pad(torch.ones(1, 1, 28, 28))[0, 0]
    assert framed.shape == (32, 32)
    assert framed.sum() == framed[2:30, 2:30].sum() == 28**2


def test_parameters_by_hand():
    inputs = [1, *CHANNELS]
    kernels = sum(9 * a * b for a, b in zip(inputs, CHANNELS, strict=False))
    head = 512 * 512 + 512 + 512 * 10 + 10
    assert load("vgg16-untrained").n_parameters == kernels + 2 * 4224 + head


def test_the_untrained_network_is_that_of_its_seed_and_carries_pictures_to_its_end():
    network = load("vgg16-untrained")
    assert network.sha256 == load("vgg16-untrained").sha256 != load("vgg16-untrained", random_state=1).sha256
    images = labelled_images("fashion-mnist", "test").images[:8]
    with torch.inference_mode():
        ends = network.module.features(network.module.pad(images))
    assert 0.05 < ends.std() < 5
