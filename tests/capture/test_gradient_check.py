"""The check of gradients: it holds where gradients are right, and fails where they are wrong."""

import math

import numpy as np
import pytest
import torch
from capture_nets import IMAGES, Residual, Vit
from torch import nn
from torch.nn import functional

from cnnvis.capture import GradientCheck, check_gradients
from cnnvis.capture.gradient_check import STEPS
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError
from cnnvis.models import Network


def smooth():
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(4, 4, 2), nn.GELU(), nn.Flatten(), nn.Linear(16, 5)
    )


def cornered():
    torch.manual_seed(1)
    return nn.Sequential(
        *(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2)),
        *(nn.Conv2d(4, 6, 2), nn.BatchNorm2d(6), nn.ReLU6(), nn.Flatten(), nn.Linear(24, 5)),
    )


@pytest.mark.parametrize("of", ["logit", "margin", "loss"])
def test_it_holds_on_a_smooth_network(of):
    found = check_gradients(smooth(), torch.rand(IMAGES), [1, 4], of=of)
    assert found.n_checked == 30
    assert found.n_excluded == 0
    assert found.max_error < 1e-7
    assert found.median_error < 1e-8
    assert found.step == STEPS[0]


@pytest.mark.parametrize("make", [cornered, Residual, Vit])
def test_it_holds_where_there_are_norms_and_corners(make):
    found = check_gradients(make(), torch.rand(IMAGES), 2, n_weights=8)
    assert found.n_checked >= 20
    assert found.max_error < 1e-5
    assert found.median_error < 1e-7


class Wrong(torch.autograd.Function):
    """tanh with a derivative that is 1 % too large."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.tanh()

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * 1.01 * (1 - x.tanh() ** 2)


class Tanh(nn.Module):
    def forward(self, x):
        return Wrong.apply(x)


def test_a_wrong_gradient_is_caught():
    model = nn.Sequential(nn.Linear(4, 4), Tanh(), nn.Linear(4, 3))
    found = check_gradients(model, torch.rand(2, 4), 0, "0")
    assert found.max_error == pytest.approx(1 - 1 / 1.01, rel=1e-4)
    assert check_gradients(model, torch.rand(2, 4), 0, "2").max_error < 1e-7


def one_weight(function, value=0.0):
    """f(w) = function(w), its one weight at `value`."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.part = nn.Linear(1, 1, bias=False)
            nn.init.constant_(self.part.weight, value)

        def forward(self, x):
            return function(self.part(x))

    return Net()


CORNERS = {
    "relu": functional.relu,
    "relu in place": functional.relu_,
    "leaky": lambda x: functional.leaky_relu(x, 0.1),
    "abs": torch.abs,
    "clamp": lambda x: x.clamp(min=0),
    "clamp in place": lambda x: (x * 1).clamp_(max=0),
    "maximum": lambda x: torch.maximum(x, torch.zeros_like(x)),
    "max": lambda x: torch.cat([x, -x], 1).max(1, keepdim=True).values,
    "amax": lambda x: torch.cat([x, -x], 1).amax(1, keepdim=True),
    "pool": lambda x: functional.max_pool1d(torch.cat([x, -x], 1), 2),
    "sort": lambda x: torch.cat([x, -x], 1).sort(1).values[:, :1],
    "mask": lambda x: x * (x > 0),
    "where": lambda x: torch.where(x < 0, -x, 2 * x),
    "hardtanh": lambda x: functional.hardtanh(x + 1),
    "hardswish": lambda x: functional.hardswish(x - 3),
}


@pytest.mark.parametrize("kind", CORNERS)
def test_a_weight_on_a_corner_is_left_out(kind):
    found = check_gradients(one_weight(CORNERS[kind]), torch.ones(1, 1), 0)
    assert (found.n_checked, found.n_excluded) == (0, 1)
    assert math.isnan(found.max_error)


@pytest.mark.parametrize(("value", "step"), [(3e-6, 1e-6), (3e-7, 1e-7), (0.1, 1e-5)])
def test_next_to_a_corner_the_step_shrinks(value, step):
    found = check_gradients(one_weight(torch.relu, value), torch.ones(1, 1), 0)
    assert (found.n_checked, found.n_excluded, found.step) == (1, 0, step)
    assert found.max_error < 1e-8


def test_smooth_operations_have_no_corners():
    for function in (torch.tanh, functional.silu, functional.elu, functional.softplus, lambda x: x.sort(1).values):
        assert check_gradients(one_weight(function, 0.3), torch.ones(1, 1), 0).n_checked == 1


def test_the_model_is_untouched_and_the_same_seed_gives_the_same():
    model = cornered().train()
    model[0].weight.requires_grad_(False)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state = torch.get_rng_state()
    images = torch.rand(IMAGES, generator=torch.Generator().manual_seed(0))
    first = check_gradients(model, images, 0, random_state=3)
    assert first == check_gradients(model, images, 0, random_state=3)
    assert first != check_gradients(model, images, 0, random_state=4)
    assert torch.equal(torch.get_rng_state(), state)
    assert model.training
    assert not model[0].weight.requires_grad
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_a_network_with_names():
    network = Network(Residual(), example=torch.rand(1, 3, 8, 8), class_names=tuple("abcde"))
    assert check_gradients(network, torch.rand(IMAGES), "c", "conv1", n_weights=3).n_checked == 3


def test_bad_input():
    images = torch.rand(IMAGES)
    with pytest.raises(InvalidInputError, match="n_weights"):
        check_gradients(Residual(), images, 0, n_weights=0)
    with pytest.raises(InvalidInputError, match="no class 9"):
        check_gradients(Residual(), images, 9)
    with pytest.raises(LayerNotFoundError, match="Did you mean"):
        check_gradients(Residual(), images, 0, "conv5")
    with pytest.raises(InvalidInputError, match="No layer of Residual among 'relu' has a weight"):
        check_gradients(Residual(), images, 0, "relu")


def test_captions():
    check = GradientCheck(2.5e-8, 3e-10, 40, 2, 1e-5)
    assert str(check) == check.caption
    assert "at most 2.5e-08, median 3.0e-10, 40 weights (2 left out, where a ReLU or maximum switches)" in check.caption
    assert "none left out" in GradientCheck(1e-8, 1e-9, 4, 0, 1e-5).caption
    assert "not checked" in GradientCheck(np.nan, np.nan, 0, 3, 1e-5).caption
    with pytest.raises(InvalidInputError, match="counts from 0"):
        GradientCheck(0.0, 0.0, -1, 0, 1e-5)
