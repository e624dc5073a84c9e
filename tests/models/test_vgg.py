"""VGG-16 with batch norm for Fashion-MNIST: its shape at any width, and what comes along."""

import json
import time

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from cnnvis.core.errors import InvalidInputError
from cnnvis.models import data_path, labelled_images, load
from cnnvis.models.vgg import VGG
from cnnvis.training import accuracy

FILE = "networks/vgg16-fashion-0.5.safetensors"
CHANNELS = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]


@pytest.fixture(scope="module")
def shipped():
    return load("vgg16-fashion")


@pytest.fixture(scope="module")
def card():
    listed = json.loads(data_path("manifest.json").read_text(encoding="utf-8"))["files"]
    return next(entry for entry in listed if entry["name"] == FILE)


def _convolutions(module):
    return [part for part in module.features if isinstance(part, nn.Conv2d)]


# ------------------------------------------------------------------------------------------------ the architecture


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


# ------------------------------------------------------------------------------------------------ what comes along


def test_the_untrained_network_is_that_of_its_seed_and_carries_pictures_to_its_end():
    network = load("vgg16-untrained")
    assert network.sha256 == load("vgg16-untrained").sha256 != load("vgg16-untrained", random_state=1).sha256
    images = labelled_images("fashion-mnist", "test").images[:8]
    with torch.inference_mode():
        ends = network.module.features(network.module.pad(images))
    assert 0.05 < ends.std() < 5


def test_the_shipped_network_has_half_the_channels(shipped):
    assert sum(part.out_channels for part in _convolutions(shipped.module)) == 2112
    assert (shipped.dtype, shipped.weights, shipped.class_names[9]) == (torch.float32, "trained", "Ankle boot")
    assert all(shipped.module.get_submodule(layer) for layer in shipped.default_layers)


def test_it_is_stored_in_half_precision_and_loads_in_a_moment():
    stored = {tensor.dtype for tensor in load_file(data_path(FILE)).values()}
    assert stored == {torch.float16, torch.int64}  # int64 counts batches
    assert data_path(FILE).stat().st_size < 8_000_000
    begin = time.process_time()
    load("vgg16-fashion")
    assert time.process_time() - begin < 1.0  # measured: 0.1 s


def test_accuracy_on_clothes_it_never_saw(shipped, card):
    assert accuracy(shipped.module, labelled_images("fashion-mnist", "test").pair) >= 0.925
    said = card["accuracy"]["fashion-mnist selection, 1,000 images"]
    assert accuracy(shipped.module, labelled_images("fashion-mnist", "selection").pair) == pytest.approx(said, abs=2e-3)


def test_the_card_says_how_it_was_trained_and_what_half_precision_costs(card):
    assert (card["width"], card["epoch"], card["random_state"], card["threads"]) == (0.5, 10, 0, 1)
    assert card["origin"] == "pipelines/train_vgg16.py --width 0.5 --epochs 10 --seed 0"
    assert card["trained_on"] == "fashion-mnist train, 58,000 images"
    key = "fashion-mnist test, 10,000 images"
    assert card["accuracy"][key] >= 0.925
    assert card["accuracy"][key] >= card["accuracy_float32"][key] - 0.001


def test_a_picture_reaches_it_by_either_door(shipped):
    image = labelled_images("fashion-mnist", "test").images[:1]
    grey = (image[0, 0] * 255).round().to(torch.uint8).numpy()
    assert torch.equal(shipped.preprocess(grey), image)
    assert shipped.preprocess(np.stack([grey] * 3, axis=-1)).shape == (1, 1, 28, 28)
    assert shipped.predict(grey, k=1)[0].name == "Ankle boot"
