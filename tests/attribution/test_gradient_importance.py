"""Importance by gradient and by Taylor expansion: by hand, by loops of autograd, by Captum; bad input."""

import contextlib

import numpy as np
import pytest
import torch
from captum.attr import LayerGradientXActivation
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cnnvis.attribution import importance
from cnnvis.capture import record, switch_off
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError
from cnnvis.models import load

METHODS = ["gradient", "taylor"]


def tiny():
    """Two ReLU units u = (x, 2 y), scores z = (3 u_0 + u_1, -u_1)."""
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(inplace=True), nn.Linear(2, 2))
    with torch.no_grad():
        model[0].weight[:] = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
        model[2].weight[:] = torch.tensor([[3.0, 1.0], [0.0, -1.0]])
        for layer in (model[0], model[2]):
            layer.bias.zero_()
    return model


POINTS = torch.tensor([[1.0, 2.0], [2.0, 0.5], [-1.0, 3.0]])
LABELS = torch.tensor([0, 0, 1])


def network(n_classes=3):
    """Convolution, norm, in-place ReLU, a residual addition, pooling, a dense head behind a flattened map."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.bn = nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4)
            self.conv, self.pool = nn.Conv2d(4, 4, 3, padding=1), nn.MaxPool2d(4)
            self.act, self.fc = nn.ReLU(inplace=True), nn.Linear(16, n_classes)

        def forward(self, x):
            x = self.act(self.bn(self.stem(x)))
            x = x + self.conv(x)
            return self.fc(torch.flatten(self.pool(x), 1))

    torch.manual_seed(0)
    model = Net().train()
    model(torch.randn(20, 2, 8, 8))  # running statistics
    return model.eval()


def images(n=5):
    return torch.randn(n, 2, 8, 8, generator=torch.Generator().manual_seed(1)), torch.arange(n) % 3


def test_gradient_by_hand():
    # dz_0/dw of unit 0 is 3 x where it is on, of unit 1 it is (x, y); dz_1 of unit 1 is -(x, y), of unit 0 nothing.
    norms = np.array([[3 * 5**0.5, 5**0.5], [3 * 4.25**0.5, 4.25**0.5], [0, 10**0.5]])
    found = importance(tiny(), (POINTS, LABELS))
    assert found.method == "gradient"
    np.testing.assert_allclose(found["0"], norms.mean(0), rtol=1e-6)
    np.testing.assert_allclose(found.per_class["0"][:, 0], norms[:2].mean(0), rtol=1e-6)
    np.testing.assert_allclose(found.per_class["0"][:, 1], norms[2], rtol=1e-6)
    assert found.signed == {}
    head = importance(tiny(), (POINTS, LABELS), layers="2", target=1)  # dz_1/dw = (0, u): u = (1, 4), (2, 1), (0, 6)
    np.testing.assert_allclose(head["2"], [0, (17**0.5 + 5**0.5 + 6) / 3], rtol=1e-6)
    mean = importance(tiny(), (POINTS, LABELS), reduce="mean_first")
    np.testing.assert_allclose(mean["0"], [(9**2 + 7.5**2) ** 0.5 / 3, (4**2 + 0.5**2) ** 0.5 / 3], rtol=1e-6)
    assert mean.per_class is None


def test_scaling_and_taylor_by_hand():
    # w . dz/dw of unit 0 is 3 u_0, of unit 1 u_1 for class 0 and -u_1 for class 1; no bias, so Taylor is the same.
    products = np.array([[3, 4], [6, 1], [0, -6.0]])
    for method, options in (("gradient", {"measure": "scaling"}), ("taylor", {})):
        found = importance(tiny(), (POINTS, LABELS), method, layers="0", **options)
        np.testing.assert_allclose(found["0"], np.abs(products).mean(0), rtol=1e-6)
        np.testing.assert_allclose(found.signed["0"], products.mean(0), rtol=1e-6)
        np.testing.assert_allclose(found.per_class["0"].T, [np.abs(products[:2]).mean(0), [0, 6]], rtol=1e-6)
    mean = importance(tiny(), (POINTS, LABELS), layers="0", reduce="mean_first", measure="scaling")
    np.testing.assert_allclose(mean["0"], [3, 1 / 3], rtol=1e-6)
    np.testing.assert_allclose(mean.signed["0"], [3, -1 / 3], rtol=1e-6)


def test_scaling_a_filter_and_its_norm_away_leaves_the_product():
    model, data = network(), images()
    before = {
        measure: importance(model, data, layers="stem", measure=measure)["stem"] for measure in ("norm", "scaling")
    }
    with torch.no_grad():  # weights ten times as large, which the batch norm divides by
        for tensor in (model.stem.weight, model.stem.bias, model.bn.running_mean):
            tensor.mul_(10)
        model.bn.running_var *= 100
        model.bn.eps *= 100
    after = {
        measure: importance(model, data, layers="stem", measure=measure)["stem"] for measure in ("norm", "scaling")
    }
    np.testing.assert_allclose(after["norm"], before["norm"] / 10, rtol=1e-4)
    np.testing.assert_allclose(after["scaling"], before["scaling"], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("of", ["logit", "margin", "loss"])
@pytest.mark.parametrize("target", [None, 2])
def test_gradient_is_that_of_the_recorded_weights(of, target):
    model, (inputs, labels) = network(), images()
    goal = labels if target is None else target
    recording = record(model, inputs, ["stem", "conv", "fc"], target=goal, per_image=True, of=of)
    found = importance(model, (inputs, labels), target=target, of=of)
    mean = importance(model, (inputs, labels), target=target, of=of, reduce="mean_first")
    for layer, gradients in recording.weight_gradients.items():
        norms = np.linalg.norm(gradients.reshape(*gradients.shape[:2], -1), axis=2)
        np.testing.assert_allclose(found[layer], norms.mean(0), rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(found.per_class[layer][:, 1], norms[labels == 1].mean(0), rtol=1e-4, atol=1e-7)
        total = gradients.mean(0).reshape(gradients.shape[1], -1)
        np.testing.assert_allclose(mean[layer], np.linalg.norm(total, axis=1), rtol=1e-4, atol=1e-7)
    assert found.options["of"] == of
    assert found.options["target"] == target
    assert found.options["n_images"] == 5


def test_taylor_is_activation_times_gradient_where_it_is_read():
    model, (inputs, labels) = network(), images()
    found = importance(model, (inputs, labels), "taylor")
    assert found.options["sites"] == {"stem": "act", "conv": "add", "fc": "fc"}
    recording = record(model, inputs, ["act", "add"], target=labels)
    for layer, site in (("stem", "act"), ("conv", "add")):
        sums = (recording[site].activations * recording[site].gradients).sum((2, 3))
        np.testing.assert_allclose(found[layer], np.abs(sums).mean(0), rtol=1e-4)
        np.testing.assert_allclose(found.signed[layer], sums.mean(0), rtol=1e-4, atol=1e-7)


def test_taylor_is_what_captum_finds():
    model = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    inputs, labels = images()
    wanted = LayerGradientXActivation(model, model[1]).attribute(inputs, target=labels).sum((2, 3)).detach()
    found = importance(model, (inputs, labels), "taylor", layers="0")
    np.testing.assert_allclose(found["0"], wanted.abs().mean(0), rtol=1e-4, atol=1e-8)


def test_taylor_is_the_slope_of_scaling_a_unit_where_it_is_read():
    model, (inputs, labels) = network().double(), images()
    inputs, step = inputs.double(), 1e-6
    found = importance(model, (inputs, labels), "taylor", of="loss")
    for layer in ("stem", "conv", "fc"):
        losses = []
        for factor in (1 + step, 1 - step):
            with switch_off(model, {layer: [1]}, to=factor, example=inputs), torch.no_grad():
                losses.append(nn.functional.cross_entropy(model(inputs), labels).item())
        assert found.signed[layer][1] == pytest.approx((losses[0] - losses[1]) / (2 * step), rel=1e-5)


def test_taylor_of_channels_behind_a_flattened_map():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.fc = nn.Conv2d(2, 3, 3), nn.Linear(3 * 36, 3)

        def forward(self, x):
            return self.fc(torch.flatten(self.conv(x), 1).relu())

    model, (inputs, labels) = Net(), images()
    found = importance(model, (inputs, labels), "taylor", layers="conv")
    recording = record(model, inputs, "relu", target=labels)
    sums = (recording["relu"].activations * recording["relu"].gradients).reshape(5, 3, 36).sum(2)
    np.testing.assert_allclose(found["conv"], np.abs(sums).mean(0), rtol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_kinds_of_data(method):
    model, (inputs, labels) = network(), images()
    wanted = importance(model, (inputs, labels), method)
    batches = DataLoader(TensorDataset(inputs, labels), batch_size=2)
    steps = []
    for data in ((inputs.numpy(), labels.tolist()), batches, iter(batches), [(inputs, labels)]):
        found = importance(model, data, method, progress=lambda *done: steps.append(done))
        for layer in wanted:
            np.testing.assert_allclose(found[layer], wanted[layer], rtol=1e-4, atol=1e-7)
            np.testing.assert_allclose(found.per_class[layer], wanted.per_class[layer], rtol=1e-4, atol=1e-7)
    assert steps == [(5, 5), (2, 5), (4, 5), (5, 5), (2, 0), (4, 0), (5, 0), (5, 0)]
    plain = importance(model, inputs, method, target=1)
    assert plain.per_class is None
    np.testing.assert_array_equal(plain["fc"], importance(model, (inputs, labels), method, target=1)["fc"])


@pytest.mark.parametrize("method", METHODS)
def test_classes_without_images_score_0_and_are_named(method):
    inputs, _ = images()
    found = importance(network(4), (inputs, torch.tensor([0, 2, 2, 0, 0])), method)
    assert found.options["classes_without_images"] == (1, 3)
    assert not found.per_class["conv"][:, [1, 3]].any()
    assert found.per_class["conv"][:, [0, 2]].all()


@pytest.mark.parametrize("method", METHODS)
def test_names_of_classes(method):
    class Network:
        module, class_names = network(), ("cat", "dog", "cow")

    inputs, labels = images()
    found = importance(Network(), (inputs, labels), method, target="Dog")
    assert found.class_names == ("cat", "dog", "cow")
    assert found.options["target"] == 1
    with pytest.raises(InvalidInputError, match="Did you mean: cow"):
        importance(Network(), (inputs, labels), method, target="cew")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (None, {}, "no images"),
        (images()[0], {}, r"no labels.*target="),
        ([images()[0]], {}, r"no labels.*target="),
        ((images()[0], images()[1] + 1), {}, "no class 3: the network has 3"),
        ((images()[0], images()[1][:3]), {}, "3 labels for 5 images"),
        (images(), {"target": 3}, "no class 3"),
        ((images()[0], images()[1] + 1), {"target": 1}, "no class 3: the network has 3"),
        (images(), {"target": [0, 1, 2, 0, 1]}, "one class for all images"),
        (images(), {"of": "logits"}, "Did you mean: logit"),
    ],
)
def test_bad_data(method, data, options, message):
    with pytest.raises(InvalidInputError, match=message):
        importance(network(), data, method, **options)


def test_bad_options_of_gradient():
    with pytest.raises(InvalidInputError, match="Allowed: norm_first, mean_first"):
        importance(network(), images(), reduce="first")
    with pytest.raises(InvalidInputError, match="Allowed: norm, scaling"):
        importance(network(), images(), measure="l2")


@pytest.mark.parametrize(
    ("method", "options"), [("gradient", {}), ("gradient", {"reduce": "mean_first"}), ("taylor", {})]
)
def test_bad_networks(method, options):
    inputs, labels = images()
    with pytest.raises(LayerNotFoundError, match="'bn' in Net: it has no filters"):
        importance(network(), (inputs, labels), method, layers="bn", **options)
    with pytest.raises(InvalidInputError, match=r"scores \(N, K\)"):
        importance(nn.Sequential(nn.Conv2d(2, 3, 1)), (inputs, labels), method, **options)
    broken = network()
    with torch.no_grad():
        broken.conv.weight[0] = torch.nan
    with pytest.raises(InvalidInputError, match=r"Layer '(stem|conv)' has gradients that are NaN"):
        importance(broken, (inputs, labels), method, **options)


@pytest.mark.parametrize(
    ("method", "options"), [("gradient", {}), ("gradient", {"reduce": "mean_first"}), ("taylor", {})]
)
def test_the_model_comes_back_as_it_was_after_an_error(method, options):
    model, (inputs, labels) = network().train(), images()
    model.stem.weight.requires_grad_(False)
    model.fc.bias.grad = torch.ones(3)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    loader = DataLoader(TensorDataset(inputs), batch_size=2)
    for data, fails in (((inputs, labels), False), ((inputs, labels + 1), True), (loader, True)):
        with pytest.raises(InvalidInputError) if fails else contextlib.nullcontext():
            importance(model, data, method, **options)
        assert model.training
        assert [name for name, p in model.named_parameters() if not p.requires_grad] == ["stem.weight"]
        assert [name for name, p in model.named_parameters() if p.grad is not None] == ["fc.bias"]
        assert torch.equal(model.fc.bias.grad, torch.ones(3))
        assert all(not m._forward_hooks and not m._forward_pre_hooks for m in model.modules())
        assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
        assert torch._C._len_torch_function_stack() == 0


@pytest.mark.parametrize("method", METHODS)
def test_image_files_and_several_inputs(method, sample_image):
    network = load("fashion-cnn@0")
    found = importance(network, [str(sample_image)], method, target="Shirt", layers="conv1")
    wanted = importance(network, network.preprocess(sample_image), method, target="Shirt", layers="conv1")
    np.testing.assert_array_equal(found["conv1"], wanted["conv1"])
    labelled = importance(network, ([str(sample_image)], [6]), method, layers="conv1")
    np.testing.assert_array_equal(labelled["conv1"], wanted["conv1"])

    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 3)

        def forward(self, left, right):
            return self.fc(torch.cat([left, right], 1)) ** 2

    model, left, right, labels = Two(), torch.rand(5, 2), torch.rand(5, 2), torch.tensor([0, 1, 2, 0, 1])
    pairs = importance(model, ((left, right), labels), method)
    loader = importance(model, DataLoader(TensorDataset(left, right, labels), batch_size=2), method)
    named = importance(model, ({"left": left, "right": right}, labels), method)
    for other in (loader, named):
        np.testing.assert_allclose(other["fc"], pairs["fc"], rtol=1e-5)


def test_large_images_are_run_a_few_at_a_time():
    seen = []
    inputs = torch.zeros(1, 3, 512, 512).expand(5, -1, -1, -1)
    model = nn.Sequential(nn.Conv2d(3, 2, 1, stride=64), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    importance(model, (inputs, torch.zeros(5, dtype=torch.long)), progress=lambda *done: seen.append(done))
    assert seen == [(2, 5), (4, 5), (5, 5)]
