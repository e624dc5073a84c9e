"""The small networks that come with cnnvis: how good they are on images they never saw, and their checkpoints."""

import json

import pytest
import torch

from cnnvis.core.errors import ModelNotFoundError
from cnnvis.models import bundled_names, data_path, labelled_images, load
from cnnvis.models.architectures import perceptron, small_cnn
from cnnvis.models.bundled import FASHION_EPOCHS
from cnnvis.training import accuracy

EPOCHS = range(FASHION_EPOCHS + 1)
PERCEPTRONS = ("mnist-mlp", "mnist-mlp-l1", "mnist-mlp-untrained")


def _right(name, data_set, part):
    data = labelled_images(data_set, part)
    return accuracy(load(name).module, (data.images, data.labels))


def _cards():
    listed = json.loads(data_path("manifest.json").read_text(encoding="utf-8"))["files"]
    small = tuple(f"networks/{name}" for name in ("fashion-cnn", *PERCEPTRONS))
    return {entry["name"].split("/")[1]: entry for entry in listed if entry["name"].startswith(small)}


# ------------------------------------------------------------------------------------------------ what they are


def test_the_main_names_are_listed():
    large = {"efficientnet-lite0", "vgg16-fashion", "vgg16-untrained"}
    assert set(bundled_names()) == {"fashion-cnn", *large, *PERCEPTRONS}


@pytest.mark.parametrize("name", PERCEPTRONS)
def test_the_perceptrons_are_784_81_49_10(name):
    network = load(name)
    layers = dict(network.module.named_children())
    assert list(layers) == ["flatten", "fc1", "relu1", "fc2", "relu2", "fc3"]
    assert [tuple(layers[layer].weight.shape) for layer in ("fc1", "fc2", "fc3")] == [(81, 784), (49, 81), (10, 49)]
    assert network.class_names == tuple("0123456789")
    assert network.n_parameters == 784 * 81 + 81 + 81 * 49 + 49 + 49 * 10 + 10


def test_the_convolutional_network_has_blocks_of_16_32_and_64():
    network = load("fashion-cnn")
    blocks = [f"{layer}{number}" for number in (1, 2, 3) for layer in ("conv", "bn", "relu", "pool")]
    assert list(dict(network.module.named_children())) == [*blocks, "flatten", "fc"]
    assert [network.module.get_submodule(f"conv{number}").out_channels for number in (1, 2, 3)] == [16, 32, 64]
    assert network.n_parameters == 9 * (16 + 16 * 32 + 32 * 64) + 2 * (16 + 32 + 64) + 576 * 10 + 10
    assert network.class_names[6] == "Shirt"


@pytest.mark.parametrize("name", [*PERCEPTRONS, "fashion-cnn"])
def test_they_take_a_grey_photo_and_look_at_layers_they_have(name):
    network = load(name)
    assert network.preprocess("coffee").shape == (1, 1, 28, 28)
    assert all(network.module.get_submodule(layer) for layer in network.default_layers)
    assert not network.module.training


def test_sizes_of_the_architectures_may_be_chosen():
    assert perceptron((784, 5, 3))(torch.zeros(2, 1, 28, 28)).shape == (2, 3)
    assert small_cnn((4, 6), n_classes=3)(torch.zeros(2, 1, 28, 28)).shape == (2, 3)


# ------------------------------------------------------------------------------------------------ how good they are


@pytest.mark.parametrize(
    ("name", "at_least", "at_most"),
    [("mnist-mlp", 0.92, 0.95), ("mnist-mlp-l1", 0.90, 0.93), ("mnist-mlp-untrained", 0.05, 0.15)],
)
def test_accuracy_on_digits_they_never_saw(name, at_least, at_most):
    assert at_least <= _right(name, "mnist", "test") <= at_most


def test_accuracy_on_clothes_it_never_saw():
    assert _right("fashion-cnn", "fashion-mnist", "test") >= 0.905
    assert _right("fashion-cnn", "fashion-mnist", "selection") >= 0.905
    assert _right("fashion-cnn", "fashion-mnist", "importance") >= 0.905


def test_most_weights_of_the_perceptron_trained_with_l1_are_exactly_0():
    def zeros(name):
        weights = [p.detach().flatten() for p in load(name).module.parameters() if p.ndim == 2]
        return float((torch.cat(weights) == 0).float().mean())

    assert zeros("mnist-mlp-l1") == pytest.approx(0.739, abs=0.005)
    assert zeros("mnist-mlp") == 0


def test_the_trained_perceptrons_began_with_the_untrained_one():
    # Pixels at the corner are black in every digit: their weights never moved.
    first, last = (load(name).module.fc1.weight[:, 0] for name in ("mnist-mlp-untrained", "mnist-mlp"))
    assert torch.equal(first, last)


# ------------------------------------------------------------------------------------------------ checkpoints by epoch


def test_every_epoch_can_be_loaded_and_they_differ():
    networks = [load(f"fashion-cnn@{epoch}") for epoch in EPOCHS]
    assert [network.name for network in networks] == [f"fashion-cnn@{epoch}" for epoch in EPOCHS]
    assert [network.weights for network in networks] == ["random", *["trained"] * FASHION_EPOCHS]
    assert len({network.sha256 for network in networks}) == len(networks)
    assert networks[-1].sha256 == load("fashion-cnn").sha256
    assert load("Fashion_CNN@3").sha256 == networks[3].sha256


def test_accuracy_rises_with_the_epochs():
    found = [_right(f"fashion-cnn@{epoch}", "fashion-mnist", "selection") for epoch in (0, 1, 10)]
    assert found[0] < 0.2 < 0.85 < found[1] < found[2]


@pytest.mark.parametrize(
    "name", ["fashion-cnn@11", "fashion-cnn@-1", "fashion-cnn@", "fashion-cnn@last", "fashion-cnn@03", "mnist-mlp@3"]
)
def test_a_wrong_epoch_lists_the_epochs(name):
    with pytest.raises(ModelNotFoundError, match=rf"no checkpoint '{name}'.*fashion-cnn@EPOCH with 0, 1, .*, 10\."):
        load(name)


@pytest.mark.parametrize("name", ["fashion-cn", "nist-mlp", "fashion-cn@3"])
def test_a_misspelt_name_lists_near_matches(name):
    with pytest.raises(ModelNotFoundError, match=r"Did you mean: .*(fashion-cnn|mnist-mlp)"):
        load(name)


# ------------------------------------------------------------------------------------------------ model cards


def test_every_checkpoint_has_its_card():
    cards = _cards()
    assert len(cards) == len(PERCEPTRONS) + len(EPOCHS)
    for card in cards.values():
        assert card["origin"] == "pipelines/train_networks.py"
        assert card["random_state"] == 0
        assert card["epoch"] in range(21)
        assert card["trained_on"] in {"mnist train, 7,000 images", "fashion-mnist train, 58,000 images"}


@pytest.mark.parametrize("name", PERCEPTRONS)
def test_the_card_tells_the_accuracy(name):
    said = _cards()[f"{name}.safetensors"]["accuracy"]["mnist test, 2,000 images"]
    assert _right(name, "mnist", "test") == pytest.approx(said, abs=0.0006)


@pytest.mark.parametrize("epoch", [0, 5, 10])
def test_the_card_of_an_epoch_tells_the_accuracy(epoch):
    said = _cards()[f"fashion-cnn-{epoch:02d}.safetensors"]["accuracy"]["fashion-mnist selection, 1,000 images"]
    assert _right(f"fashion-cnn@{epoch}", "fashion-mnist", "selection") == pytest.approx(said, abs=0.0011)
