"""Gradients of filters image by image, against a loop of autograd over single images."""

import numpy as np
import pytest
import torch
from capture_nets import Attention, Residual, Vit
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional
from torch.nn.modules.conv import _ConvNd
from torch.nn.utils import parametrizations

from cnnvis.capture import weight_uses
from cnnvis.capture.filter_gradients import FilterGradients
from cnnvis.capture.filters import filter_layers
from cnnvis.capture.inputs import as_call
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.state import differentiating
from cnnvis.capture.targets import Quantity
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError


def filters_of(layer, weights):
    """Output channel first, one row each: by hand for transposed convolutions."""
    if "Transpose" not in type(layer).__name__:
        return weights.flatten(1)
    per_group = weights.shape[0] // layer.groups
    rows = [
        weights[group * per_group : (group + 1) * per_group, channel]
        for group in range(layer.groups)
        for channel in range(weights.shape[1])
    ]
    return torch.stack(rows).flatten(1)


def by_loop(model, inputs, classes):
    """Norms, products (N, C) and the sum of gradients, by layer, from one backward pass per image."""
    layers = {name: part for name, part in model.named_modules() if isinstance(part, nn.Linear | _ConvNd)}
    norms, products, sums = ({name: [] for name in layers} for _ in range(3))
    for image, label in zip(inputs, classes, strict=True):
        weights = [layer.weight for layer in layers.values()]
        found = torch.autograd.grad(model(image[None])[0, label], weights, allow_unused=True)
        for (name, layer), gradient in zip(layers.items(), found, strict=True):
            flat = filters_of(layer, torch.zeros_like(layer.weight) if gradient is None else gradient)
            norms[name].append(flat.norm(dim=1))
            products[name].append((flat * filters_of(layer, layer.weight.detach())).sum(1))
            sums[name].append(flat)
    stack = lambda rows: {name: torch.stack(row).detach() for name, row in rows.items()}  # noqa: E731
    return stack(norms), stack(products), {name: row.sum(0) for name, row in stack(sums).items()}


def compare(model, inputs, n_classes, *, rtol):
    model.eval()
    classes = np.arange(len(inputs)) % n_classes
    norms, products, sums = by_loop(model, inputs, classes)
    tree = ModuleTree(model)
    layers = filter_layers(tree)
    call = as_call(model, inputs)
    with differentiating(tree):
        gradients = FilterGradients(model, layers, Quantity.LOGIT)
        found = gradients.norms(call, classes), gradients.products(call, classes), gradients.sums(call, classes)
    assert set(layers) <= set(norms)
    for wanted, got in zip((norms, products, sums), found, strict=True):
        assert list(got) == list(layers)
        for name in layers:
            scale = float(wanted[name].abs().max())
            np.testing.assert_allclose(got[name], wanted[name], rtol=rtol, atol=rtol * scale + 1e-12, err_msg=name)
    return gradients


def head(n_channels, n_axes, n_classes=3):
    pool = {1: nn.AdaptiveAvgPool1d, 2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d}[n_axes]
    return nn.Tanh(), pool(2), nn.Flatten(), nn.Linear(n_channels * 2**n_axes, n_classes)


@st.composite
def convolutions(draw):
    n_axes = draw(st.integers(1, 3))
    is_transposed = draw(st.booleans())
    groups = draw(st.integers(1, 3))
    kind = {
        False: (nn.Conv1d, nn.Conv2d, nn.Conv3d),
        True: (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
    }[is_transposed][n_axes - 1]
    per_axis = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(n_axes))  # noqa: E731
    options = {"stride": per_axis(1, 3), "padding": per_axis(0, 2), "dilation": per_axis(1, 2), "groups": groups}
    if is_transposed:
        limits = [max(stride, step) for stride, step in zip(options["stride"], options["dilation"], strict=True)]
        options["output_padding"] = tuple(draw(st.integers(0, limit - 1)) for limit in limits)
        options["padding"] = tuple(draw(st.integers(0, 1)) for _ in range(n_axes))
    else:
        special = draw(st.sampled_from(["", "same", "valid", "circular"]))
        if special == "same":
            options |= {"padding": "same", "stride": 1}
        elif special == "valid":
            options["padding"] = "valid"
        elif special:
            options["padding_mode"] = special
    n_in, n_out = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    layer = kind(n_in, n_out, per_axis(1, 3), bias=draw(st.booleans()), **options)
    size = tuple(draw(st.integers(5, 6)) for _ in range(n_axes))
    return layer, torch.randn(3, n_in, *size, generator=torch.Generator().manual_seed(0)), head(n_out, n_axes)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@settings(max_examples=60)
@given(convolutions(), st.sampled_from([1, 10**4]))
def test_any_convolution(case, chunk):
    layer, images, rest = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weight_uses, "CHUNK", chunk)
        compare(nn.Sequential(layer, *rest).double(), images.double(), 3, rtol=1e-9)


class Shared(nn.Module):
    """A convolution and a dense layer called twice, a weight that two modules hold, one used by a function."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 3, padding=1)
        self.fc = nn.Linear(2, 2)
        self.tied = nn.Linear(2, 2)
        self.tied.weight = self.fc.weight
        self.free = nn.Linear(2, 3)

    def forward(self, x):
        x = self.conv(self.conv(x).tanh()).mean((2, 3))
        x = self.tied(self.fc(self.fc(x)).tanh())
        return functional.linear(x, self.free.weight)


class Tokens(nn.Module):
    """Dense layers on (N, T, C), on (T, N, C), and on rows of all tokens of all images."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c, self.d = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 3)

    def forward(self, x):
        x = self.a(x).tanh()
        x = self.b(x.transpose(0, 1)).tanh().transpose(0, 1)
        x = self.c(x.reshape(-1, 4)).tanh().reshape(x.shape)
        return self.d(x.mean(1))


class Otherwise(nn.Module):
    """Weights used in ways that no rule knows: standardised, multiplied, inside attention."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.dense = nn.Linear(4, 4)
        self.mha = nn.MultiheadAttention(4, 2, batch_first=True)
        self.normed = parametrizations.weight_norm(nn.Linear(4, 4))
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        x = functional.conv2d(x, self.conv.weight - self.conv.weight.mean((1, 2, 3), keepdim=True))
        x = x.flatten(2).transpose(1, 2) @ self.dense.weight.t()
        x, _ = self.mha(x, x, x)
        return self.fc(self.normed(self.normed(x).mean(1)))


class Padded(nn.Conv2d):
    """Pads by itself, as layers of EfficientNet do."""

    def forward(self, x):
        return functional.conv2d(functional.pad(x, (0, 1, 0, 1)), self.weight, self.bias, self.stride)

    @classmethod
    def net(cls):
        return nn.Sequential(cls(2, 4, 3, stride=2), *head(4, 2))


CASES = {
    "shared": (Shared, (4, 2, 5, 5)),
    "tokens": (Tokens, (5, 5, 4)),
    "perceptron": (lambda: nn.Sequential(nn.Linear(4, 5), nn.ReLU(inplace=True), nn.Linear(5, 3)), (4, 4)),
    "residual": (Residual, (4, 3, 8, 8)),
    "vit": (Vit, (3, 3, 8, 8)),
    "padded": (Padded.net, (3, 2, 6, 6)),
}


class First(nn.Module):
    """One layer is never called."""

    def __init__(self):
        super().__init__()
        self.used, self.unused = nn.Linear(4, 3), nn.Linear(4, 4)

    def forward(self, x):
        return self.used(x)


CASES["unused"] = (First, (3, 4))


@pytest.mark.parametrize("n_images", [1, None])
@pytest.mark.parametrize("kind", CASES)
def test_kinds_of_networks(kind, n_images):
    make, shape = CASES[kind]
    compare(make().double(), torch.randn(shape).double()[:n_images], 3, rtol=1e-8)


def test_weights_that_are_used_otherwise_are_run_image_by_image():
    model, images = Otherwise().double(), torch.randn(3, 3, 4, 4).double()
    classes = np.array([0, 1, 2])
    tree = ModuleTree(model)
    layers = filter_layers(tree)
    assert list(layers) == ["conv", "dense", "normed", "fc"]  # attention is a layer by itself
    with differentiating(tree):
        found = FilterGradients(model, layers, Quantity.LOGIT).norms(as_call(model, images), classes)
        summed = FilterGradients(model, layers, Quantity.LOGIT).sums(as_call(model, images), classes)
    for name in ("conv", "dense", "fc"):
        each = [torch.autograd.grad(model(images[n : n + 1])[0, n], layers[name].weight)[0] for n in range(3)]
        wanted = torch.stack([gradient.flatten(1).norm(dim=1) for gradient in each])
        np.testing.assert_allclose(found[name], wanted, rtol=1e-8)
        np.testing.assert_allclose(summed[name], sum(each).flatten(1), rtol=1e-8, atol=1e-12)
    weight = model.normed.weight.detach().clone().requires_grad_()
    plain = nn.Linear(4, 4).double()
    del plain._parameters["weight"]
    plain.weight, plain.bias = weight, model.normed.bias
    model.normed = plain
    each = [torch.autograd.grad(model(images[n : n + 1])[0, n], weight)[0].norm(dim=1) for n in range(3)]
    np.testing.assert_allclose(found["normed"], torch.stack(each), rtol=1e-8)


def test_convolutions_are_not_run_image_by_image(monkeypatch):
    monkeypatch.setattr(FilterGradients, "sums", None)
    cases = [
        (Residual(), (4, 3, 8, 8)),
        (Attended(), (3, 5, 4)),
        (Shared(), (4, 2, 5, 5)),
        (Padded.net(), (3, 2, 6, 6)),
    ]
    for model, shape in cases:
        tree = ModuleTree(model)
        gradients = FilterGradients(model, filter_layers(tree), Quantity.LOGIT)
        call = as_call(model, torch.randn(shape))
        with differentiating(tree):
            assert gradients.norms(call, np.zeros(shape[0], int))
            assert gradients.products(call, np.zeros(shape[0], int))


class Attended(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention, self.fc = Attention(4), nn.Linear(4, 3)

    def forward(self, x):
        return self.fc(self.attention(x).mean(1))


def test_values_changed_later_are_noticed():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 3)

        def forward(self, x):
            y = self.fc(x)
            x.mul_(2)
            return y

    model = Net()
    tree = ModuleTree(model)
    with differentiating(tree), pytest.raises(InvalidInputError, match="modified by an inplace"):
        FilterGradients(model, filter_layers(tree), Quantity.LOGIT).norms(
            as_call(model, torch.rand(2, 4)), np.zeros(2, int)
        )


def test_parts_without_gradients_are_an_error():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.fc = nn.Linear(4, 4), nn.Linear(4, 3)

        def forward(self, x):
            with torch.no_grad():
                x = self.body(x)
            return self.fc(x)

    model = Net()
    tree = ModuleTree(model)
    gradients = FilterGradients(model, filter_layers(tree), Quantity.LOGIT)
    for method in (gradients.norms, gradients.products, gradients.sums):
        with differentiating(tree), pytest.raises(InvalidInputError, match="'body' has no gradient"):
            method(as_call(model, torch.rand(2, 4)), np.zeros(2, int))


def test_layers_with_filters():
    tree = ModuleTree(Residual())
    assert list(filter_layers(tree)) == ["conv1", "conv2", "fc"]
    assert list(filter_layers(tree, ["f*", "conv2"])) == ["conv2", "fc"]
    with pytest.raises(LayerNotFoundError, match=r"'bn' in Residual: it has no filters"):
        filter_layers(tree, "bn")
    with pytest.raises(LayerNotFoundError, match=r"is no layer\. Did you mean: conv"):
        filter_layers(tree, "conv3")
    with pytest.raises(LayerNotFoundError, match="no convolution and no dense layer"):
        filter_layers(ModuleTree(nn.Sequential(nn.ReLU())))
