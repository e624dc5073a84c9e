"""Gradients of a class: by hand, by plain autograd, by Captum; and what bad input gets."""

import gc
import weakref

import numpy as np
import pytest
import torch
from captum.attr import LayerGradientXActivation
from capture_nets import IMAGES, Attention, Residual, Siamese, Twice
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations
from torch.utils.data import DataLoader

from cnnvis import load, save
from cnnvis.capture import open_store, record
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError


def tiny():
    """One filter (2, -1) on two 1x1 inputs, in-place ReLU, two classes: z = (3 r, -r + 1)."""
    net = nn.Sequential()
    net.add_module("conv", nn.Conv2d(2, 1, 1, bias=False))
    net.add_module("relu", nn.ReLU(inplace=True))
    net.add_module("flat", nn.Flatten())
    net.add_module("fc", nn.Linear(1, 2))
    with torch.no_grad():
        net.conv.weight[:] = torch.tensor([2.0, -1.0])[None, :, None, None]
        net.fc.weight[:] = torch.tensor([[3.0], [-1.0]])
        net.fc.bias[:] = torch.tensor([0.0, 1.0])
    return net


TWO = torch.tensor([[1.0, 1.0], [1.0, 5.0]])[..., None, None]  # the filter gives 1 and -3


def scored(body, n_channels, n_classes=3):
    """Return a network of maps with a head that gives class scores."""
    return nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(n_channels, n_classes))


class Net:
    """What a Network is to `record`: a module with names for its classes."""

    def __init__(self, module, class_names):
        self.module, self.class_names = module, class_names


def test_by_hand():
    recording = record(tiny(), TWO, target=0)
    assert recording.target == 0
    np.testing.assert_array_equal(recording["relu"].gradients.ravel(), [3, 3])
    np.testing.assert_array_equal(recording["conv"].gradients.ravel(), [3, 0])  # before the in-place ReLU
    np.testing.assert_array_equal(recording["fc"].gradients, [[1, 0], [1, 0]])
    assert list(recording.weight_gradients) == ["conv", "fc"]
    np.testing.assert_array_equal(recording.weight_gradients["conv"].ravel(), [1.5, 1.5])  # (3 (1, 1) + 0) / 2
    np.testing.assert_array_equal(recording.weight_gradients["fc"], [[0.5], [0]])
    each = record(tiny(), TWO, "conv", target=[0, 1], per_image=True)
    np.testing.assert_array_equal(each.weight_gradients["conv"].reshape(2, 2), [[3, 3], [0, 0]])
    assert each.target.tolist() == [0, 1]


@pytest.mark.parametrize("of", ["logit", "margin", "loss"])
def test_quantities_of_a_class(of):
    model, images = Residual().eval(), torch.rand(IMAGES)
    scores = model(images)
    values = {
        "logit": scores[:, 2],
        "margin": scores[:, 2] - torch.cat([scores[:, :2], scores[:, 3:]], 1).exp().sum(1).log(),
        "loss": -scores.softmax(1)[:, 2].log(),
    }
    (wanted,) = torch.autograd.grad(values[of].mean(), model.conv1.weight)
    found = record(model, images, "conv1", target=2, of=of)
    np.testing.assert_allclose(found.weight_gradients["conv1"], wanted, rtol=1e-4, atol=1e-7)
    assert dict(found.provenance.notes) == {"gradient of": of, "target": "2"}


def test_activation_gradients_are_those_of_a_network_without_in_place_operations():
    model, images = Residual().eval(), torch.rand(IMAGES) - 0.5
    values = {"conv1": model.conv1(images)}
    values["bn"] = model.bn(values["conv1"])
    values["relu"] = values["bn"].clamp(min=0)
    values["conv2"] = model.conv2(values["relu"])
    values["add"] = values["conv2"] + values["relu"]
    values["relu_op"] = values["add"].clamp(min=0)
    logit = model.fc(values["relu_op"].mean((2, 3)))[:, 1].sum()
    wanted = dict(zip(values, torch.autograd.grad(logit, list(values.values())), strict=True))
    recording = record(model, images, target=1)
    for name, gradient in wanted.items():
        np.testing.assert_allclose(recording[name].gradients, gradient, rtol=1e-4, atol=1e-7, err_msg=name)
        assert recording[name].gradients.any()


def test_the_same_as_captum():
    model, images = scored(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2)), 4).eval(), torch.rand(IMAGES)
    wanted = LayerGradientXActivation(model, model[0][0]).attribute(images, target=2)
    maps = record(model, images, "0.0", target=2)["0.0"]
    np.testing.assert_allclose(maps.activations * maps.gradients, wanted.detach(), rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("layers", [None, ["conv1", "conv2"]])
@pytest.mark.parametrize("target", [3, [0, 1, 2, 3, 4], torch.tensor([4, 4, 0, 1, 1]), np.array([0, 0, 0, 0, 1])])
def test_batches_and_single_images_give_the_same(layers, target):
    model, images = Residual(), torch.rand(5, 3, 8, 8)
    whole = record(model, images, layers, target=target)
    parts = record(model, images, layers, target=target, batch_size=2)
    each = record(model, DataLoader(images, batch_size=2), layers, target=target, per_image=True)
    for name in whole:
        for other in (parts, each):
            np.testing.assert_allclose(other[name].gradients, whole[name].gradients, rtol=1e-3, atol=1e-6)
    assert list(whole.weight_gradients) == [name for name in ("conv1", "bn", "conv2", "fc") if name in whole]
    for name, gradient in whole.weight_gradients.items():
        np.testing.assert_allclose(parts.weight_gradients[name], gradient, rtol=1e-3, atol=1e-6)
        assert each.weight_gradients[name].shape == (5, *gradient.shape)
        np.testing.assert_allclose(each.weight_gradients[name].mean(0), gradient, rtol=1e-3, atol=1e-6)
    classes = np.broadcast_to(target, 5)
    alone = record(model, images[3:4], layers, target=int(classes[3]))
    np.testing.assert_allclose(each.weight_gradients["conv1"][3], alone.weight_gradients["conv1"], rtol=1e-4)


def test_a_module_called_twice_has_one_weight_gradient():
    model, images = scored(Twice(), 3).eval(), torch.rand(IMAGES)
    (wanted,) = torch.autograd.grad(model(images)[:, 0].mean(), model[0].conv.weight)
    recording = record(model, images, target=0)
    np.testing.assert_allclose(recording.weight_gradients["0.conv"], wanted, rtol=1e-4, atol=1e-7)
    assert not np.array_equal(recording["0.conv"].gradients, recording["0.conv_1"].gradients)
    only = record(model, images, "0.conv_1", target=0)
    np.testing.assert_array_equal(only.weight_gradients["0.conv"], recording.weight_gradients["0.conv"])


@pytest.mark.parametrize("norm", [nn.utils.weight_norm, parametrizations.weight_norm])
def test_weights_that_are_computed(norm):
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.part = norm(nn.Linear(4, 4))

        def forward(self, x):
            return self.part(self.part(x).tanh())

    model, inputs = Both(), torch.rand(3, 4)
    weight, bias = model.part.weight.detach().clone().requires_grad_(), model.part.bias
    scores = functional.linear(functional.linear(inputs, weight, bias).tanh(), weight, bias)
    (wanted,) = torch.autograd.grad(scores[:, 1].mean(), weight)
    for batch_size in (1, 3):
        found = record(model, inputs, target=1, batch_size=batch_size)
        np.testing.assert_allclose(found.weight_gradients["part"], wanted, rtol=1e-4, atol=1e-7)


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(7, 4, sparse=True)
        self.attention = Attention(4)
        self.head = nn.Linear(4, 3)

    def forward(self, words):
        return self.head(self.attention(self.embedding(words)).mean(1))


def test_whole_numbers_as_inputs_and_tokens():
    model, words = Words(), torch.tensor([[0, 1, 2], [3, 3, 6]])
    found = record(model, words, target=2)
    plain = model.embedding(words).detach().requires_grad_()
    (wanted,) = torch.autograd.grad(model.head(model.attention(plain).mean(1))[:, 2].sum(), plain)
    np.testing.assert_allclose(found["embedding"].gradients, wanted.transpose(1, 2), rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(found.weight_gradients["embedding"][6], wanted[1, 2] / 2, rtol=1e-4)
    assert not found.weight_gradients["embedding"][4:6].any()


def test_layers_before_any_weight_and_layers_that_do_not_matter():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.side = nn.Conv2d(3, 2, 1)
            self.head = nn.Linear(3, 2)

        def forward(self, x):
            x *= 2
            self.side(x)
            mask = (x > 0.5).float()
            return self.head((x * mask).mean((2, 3)))

    model, images = Net(), torch.rand(IMAGES)
    before = images.clone()
    found = record(model, images, target=0)
    assert torch.equal(images, before)
    assert found["mul"].gradients.any()
    assert not found["side"].gradients.any()
    assert not found.weight_gradients["side"].any()
    assert not found["gt"].gradients.any()


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_the_mode_of_the_caller_and_frozen_parameters_do_not_matter(mode):
    model, images = Residual(), torch.rand(IMAGES)
    wanted = record(model, images, target=1)
    model.requires_grad_(False)
    model.conv2.bias.grad = torch.ones(4)
    with mode():
        found = record(model, images.clone(), target=1)
    for name in wanted:
        np.testing.assert_array_equal(found[name].gradients, wanted[name].gradients)
    for name, gradient in wanted.weight_gradients.items():
        np.testing.assert_array_equal(found.weight_gradients[name], gradient)
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert torch.equal(model.conv2.bias.grad, torch.ones(4))
    assert all(parameter.grad is None for name, parameter in model.named_parameters() if name != "conv2.bias")


def test_no_graph_is_kept_alive():
    model, kept = Residual(), []

    class Probe:
        pass

    def plant(module, args, output):
        output.grad_fn.metadata["probe"] = probe = Probe()  # lives as long as the node of the graph
        kept.append(weakref.ref(probe))

    model.conv2.register_forward_hook(plant)
    recording = record(model, torch.rand(IMAGES), target=1)
    gc.collect()
    assert recording["conv1"].gradients.any()
    assert [reference() for reference in kept] == [None]


@pytest.mark.parametrize("per_image", [False, True])
@pytest.mark.parametrize("where", ["store", "disk", "safetensors"])
def test_gradients_on_disk(tmp_path, where, per_image):
    model, images = (
        nn.Sequential(nn.ConvTranspose2d(3, 4, 3, groups=1), nn.Flatten(), nn.Linear(400, 3)),
        torch.rand(IMAGES),
    )
    options = {"target": [1, 2], "per_image": per_image, "names": ["a", "b"]}
    wanted = record(model, images, **options)
    if where == "store":
        record(model, images, store=tmp_path / "run", **options)
        found = open_store(tmp_path / "run")
    elif where == "disk":
        found = record(model, images, memory_budget=0, **options)
    else:
        found = load(save(wanted, tmp_path / "run.safetensors"))
    assert found.layers == wanted.layers
    for name in wanted:
        np.testing.assert_array_equal(found[name].activations, wanted[name].activations)
        np.testing.assert_array_equal(found[name].gradients, wanted[name].gradients)
    assert list(found.weight_gradients) == list(wanted.weight_gradients) == ["0", "2"]
    for name, gradient in wanted.weight_gradients.items():
        assert found.weight_gradients[name].dtype == gradient.dtype == np.float32
        np.testing.assert_array_equal(found.weight_gradients[name], gradient)
    assert found.target.tolist() == [1, 2]
    assert found.transposed == {"0": 1}
    assert found.per_image is per_image
    assert found.provenance == wanted.provenance


def test_the_budget_counts_gradients(caplog):
    values = 4 * 4 * 8 * 8 * 4
    with caplog.at_level("INFO", logger="cnnvis.capture"):
        record(Residual(), torch.rand(4, 3, 8, 8), "conv1", target=0, batch_size=2, memory_budget=2 * values)
    assert caplog.messages == ["Recording 1 layers of 4 images: 8.2 kB in memory (budget 8.2 kB), 0 B on disk"]


def test_classes_by_name():
    network = Net(Residual(), ("cat", "dog", "cow", "hen", "Ankle boot"))
    images = torch.rand(IMAGES)
    assert record(network, images, "conv1", target="ankle boot").target == 4
    assert dict(record(network, images, "conv1", target="dog").provenance.notes)["target"] == "dog (1)"
    with pytest.raises(InvalidInputError, match=r"no class 'dgo'.*Did you mean: dog"):
        record(network, images, "conv1", target="dgo")
    with pytest.raises(InvalidInputError, match=r"no class 7.*0 to 4"):
        record(network, images, "conv1", target=[1, 7])


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (5, r"no class 5: the network has 5, 0 to 4"),
        (-1, r"no class"),
        (1.5, r"no class"),
        (True, r"no class"),
        ("dog", r"names no classes"),
        ([0, 1, 2], r"3 classes for 2 images"),
        ([0], r"1 classes for 2 images"),
        ([0, 9], r"no class 9"),
        ([0, -1], r"from 0, got -1"),
        ([0.0, 1.0], r"whole numbers.*float64"),
        (torch.tensor([[0, 1]]), r"whole numbers.*shape \(1, 2\)"),
    ],
)
@pytest.mark.parametrize("count", ["known", "unknown"])
def test_wrong_targets(target, message, count):
    images = torch.rand(IMAGES)
    with pytest.raises(InvalidInputError, match=message):
        record(Residual(), images if count == "known" else iter([images]), "conv1", target=target)


class Plain(nn.Module):
    """A convolution whose scores are spoilt by a function."""

    def __init__(self, spoil):
        super().__init__()
        self.conv, self.spoil = nn.Conv2d(3, 4, 1), spoil

    def forward(self, x):
        return self.spoil(self.conv(x))


def without_gradients(maps):
    with torch.no_grad():
        return (maps * 2).mean((2, 3))


@pytest.mark.parametrize(
    ("spoil", "of", "message"),
    [
        (lambda maps: maps, "logit", r"tensor of shape \(2, 4, 8, 8\) for 2 images.*scores \(N, K\)"),
        (lambda maps: (maps.mean((2, 3)),), "logit", "returns tuple"),
        (lambda maps: maps.mean((2, 3)).detach(), "logit", "cannot be differentiated"),
        (lambda maps: maps.mean((2, 3)).round().long(), "logit", "cannot be differentiated"),
        (without_gradients, "logit", "'mul' has no gradient"),
        (lambda maps: maps.mean((1, 2, 3))[:, None], "margin", "gives one score"),
        (
            lambda maps: maps.sigmoid().mul_(2).exp().add_(maps).square_().mean((2, 3)),
            "logit",
            "modified by an inplace",
        ),
        (lambda maps: maps.mean((2, 3)), "logits", "Did you mean: logit"),
    ],
)
def test_networks_that_cannot_be_differentiated(spoil, of, message):
    with pytest.raises(InvalidInputError, match=message):
        record(Plain(spoil), torch.rand(IMAGES), target=0, of=of)


def test_weights_made_in_inference_mode_and_inputs_made_there():
    with torch.inference_mode():
        model, images = Residual(), torch.rand(IMAGES)
    assert record(Residual(), images, "conv1", target=0)["conv1"].gradients.any()
    with pytest.raises(InvalidInputError, match="inference_mode"):
        record(model, images, target=0)


def test_wrong_layers_with_a_target():
    with pytest.raises(LayerNotFoundError, match="Did you mean: conv"):
        record(Residual(), torch.rand(IMAGES), "conv3", target=0)
    with pytest.raises(InvalidInputError, match="returns list"):
        record(Siamese(), (torch.rand(IMAGES), [torch.rand(IMAGES)]), "body", target=0)
