"""How the shipped networks were trained: the recipes give them again, and the script writes what it says."""

import json
import runpy
from pathlib import Path

import pytest
import torch

from cnnvis.core.errors import InvalidInputError
from cnnvis.models import LabelledImages, labelled_images, load
from cnnvis.training import accuracy, recipes, train_cnn, train_perceptron, untrained_perceptron


def _few(name, part, count):
    data = labelled_images(name, part)
    return LabelledImages(data.images[:count], data.labels[:count], data.class_names, data.names[:count])


@pytest.fixture(scope="module")
def digits():
    return _few("mnist", "train", 200)


def test_the_recipe_begins_with_the_shipped_untrained_network(digits):
    first = {}
    train_perceptron(digits, on_epoch=lambda epoch, module: first.setdefault("fc1", module.fc1.weight.detach().clone()))
    assert torch.equal(first["fc1"], load("mnist-mlp-untrained").module.fc1.weight)


@pytest.mark.parametrize("seed", [0, 3])
def test_the_untrained_network_is_what_training_begins_with(digits, seed):
    first = {}
    train_perceptron(
        digits,
        random_state=seed,
        on_epoch=lambda _, module: first.setdefault("fc2", module.fc2.weight.detach().clone()),
    )
    network = untrained_perceptron(random_state=seed)
    assert torch.equal(first["fc2"], network.module.fc2.weight)
    assert (network.weights, network.module.training) == ("random", False)
    assert (network.sha256 == load("mnist-mlp-untrained").sha256) == (seed == 0)


def test_a_seed_gives_its_network_and_leaves_the_global_state(digits):
    torch.manual_seed(3)
    state = torch.get_rng_state()
    one, same, other = (train_perceptron(digits, random_state=seed) for seed in (1, 1, 2))
    assert one.sha256 == same.sha256 != other.sha256
    assert torch.equal(torch.get_rng_state(), state)
    assert (one.name, one.weights, one.module.training) == ("perceptron, seed 1", "trained", False)


def test_a_few_digits_are_learnt(digits):
    network = train_perceptron(digits)
    assert accuracy(network.module, (digits.images, digits.labels)) > 0.8


def test_no_images_are_not_all_images():
    with pytest.raises(InvalidInputError, match="0 inputs"):
        train_perceptron(_few("mnist", "train", 0))


def test_l1_takes_weights_away(digits):
    plain, sparse = (train_perceptron(digits, l1=l1).module.fc1.weight for l1 in (0.0, recipes.L1))
    assert (plain == 0).sum() == 0
    assert (sparse == 0).float().mean() > 0.1


def test_the_convolutional_network_learns_a_few_clothes():
    clothes = _few("fashion-mnist", "selection", 600)
    epochs = []
    network = train_cnn(clothes, on_epoch=lambda epoch, module: epochs.append(epoch))
    assert epochs == list(range(11))
    assert network.name == "small CNN, seed 0"
    assert accuracy(network.module, (clothes.images, clothes.labels)) > 0.7


def test_the_recipe_gives_the_shipped_perceptron_again():
    test = labelled_images("mnist", "test")
    for name, l1 in (("mnist-mlp", 0.0), ("mnist-mlp-l1", recipes.L1)):
        shipped, again = load(name).module, train_perceptron(l1=l1).module
        right = [accuracy(module, (test.images, test.labels)) for module in (shipped, again)]
        assert right[0] == pytest.approx(right[1], abs=0.01)


def test_the_script_writes_checkpoints_with_their_cards(tmp_path, monkeypatch, capsys):
    small = {part: _few("mnist", part, 100) for part in ("train", "test")}
    script = runpy.run_path(str(Path(__file__).parents[2] / "pipelines" / "train_networks.py"))
    monkeypatch.setitem(script["train_networks"].__globals__, "labelled_images", lambda name, part: small[part])
    script["train_networks"](out=tmp_path, quiet=True)
    cards = {card["name"]: card for card in json.loads((tmp_path / "manifest.json").read_text())["files"]}
    assert set(cards) == {
        f"networks/{name}.safetensors" for name in ("mnist-mlp", "mnist-mlp-l1", "mnist-mlp-untrained")
    }
    card = cards["networks/mnist-mlp.safetensors"]
    assert (card["epoch"], card["random_state"], card["trained_on"]) == (20, 0, "mnist train, 100 images")
    module = load("mnist-mlp", weights=tmp_path / "networks" / "mnist-mlp.safetensors").module
    right = accuracy(module, (small["test"].images, small["test"].labels))
    assert card["accuracy"] == {"mnist test, 100 images": right}
    assert f"mnist-mlp.safetensors: {right:.2%} right of mnist test, 100 images" in capsys.readouterr().out
