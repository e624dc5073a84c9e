import math

import numpy as np
import pytest
import torch
from capture_nets import IMAGES, Lstm, Residual, Twice, Vit

from cnnvis.capture import intervene, record
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError


@pytest.fixture
def images():
    return torch.rand(IMAGES) - 0.5


def test_channels_are_scaled_and_all_that_follows_feels_it(images):
    model = Residual().eval()
    with torch.no_grad():
        plain = model.conv1(images)
        plain[:, 1] = 0
        plain[:, 3] *= 2
        relu = model.bn(plain).clamp(min=0)
        expected = model.fc((model.conv2(relu) + relu).clamp(min=0).mean((2, 3)))
        with intervene(model, {"conv1": {1: 0.0, 3: 2.0}}):
            torch.testing.assert_close(model(images), expected)
            np.testing.assert_array_equal(record(model, images, "conv1")["conv1"].activations, plain.numpy())


def test_it_is_over_after_the_block(images):
    model = Residual().eval()
    before = model(images)
    with intervene(model, {"conv1": {0: 0.0}}):
        assert not torch.equal(model(images), before)
    assert torch.equal(model(images), before)


def test_operations_and_second_calls(images):
    model = Residual().eval()
    with intervene(model, {"add": {0: 0.0}}):
        maps = record(model, images)
    assert not maps["add"].activations[:, 0].any()
    assert maps["add"].activations[:, 1:].any()
    assert maps["conv2"].activations[:, 0].any()
    model = Twice().eval()
    with intervene(model, {"conv_1": {2: 0.0}}):
        maps = record(model, images)
    assert maps["conv"].activations[:, 2].any()
    assert not maps["conv_1"].activations[:, 2].any()


def test_tokens_and_states():
    model, images = Vit().eval(), torch.rand(2, 3, 8, 8)
    with intervene(model, {"norm": {5: 0.0}, "own.proj": {0: 0.0}, "mha": {1: 0.0}}):
        maps = record(model, images, ["norm", "own", "mha"])
    assert not maps["norm"].activations[:, 5].any()
    assert maps["norm"].activations[:, :5].all()
    assert not maps["own"].activations[:, 0].any()
    assert maps["own"].activations[:, 1:].all()
    assert not maps["mha"].activations[:, 1].any()
    model, series = Lstm().eval(), torch.rand(2, 7, 4)
    with intervene(model, {"lstm": {0: 0.0}}):
        assert not record(model, series, "lstm")["lstm"].activations[:, 0].any()


def test_recording_inside_names_layers_as_outside(images):
    model = Twice().eval()
    plain = record(model, images)
    with intervene(model, {"relu_1": {0: 1.0}}):
        inside = record(model, images)
    assert inside.layers == plain.layers
    np.testing.assert_array_equal(inside["relu_2"].activations, plain["relu_2"].activations)


def test_gradients_flow_through_it(images):
    model = Residual().eval()
    with intervene(model, {"conv1": {0: 0.0}}):
        model(images).sum().backward()
    assert not model.conv1.weight.grad[0].any()
    assert model.conv1.weight.grad[1:].any()


def test_nan_in_a_channel_that_is_off_is_gone(images):
    model = Residual().eval()
    with torch.no_grad():
        model.conv1.weight[2] = math.nan
        with intervene(model, {"conv1": {2: 0.0}}):
            assert model(images).isfinite().all()


def test_no_factors_change_nothing(images):
    model = Residual().eval()
    before = model(images)
    with intervene(model, {}):
        assert torch.equal(model(images), before)


@pytest.mark.parametrize(
    ("factors", "error", "message"),
    [
        ({"conv1": {4: 0.0}}, InvalidInputError, "has 4 channels.*no channel 4"),
        ({"conv1": {-1: 0.0}}, InvalidInputError, "no channel -1"),
        ({"conv1": {0: math.nan}}, InvalidInputError, "must be finite"),
        ({"bn": {0: 0.0}}, InvalidInputError, "is a block of layers"),
        ({"conv9": {0: 0.0}}, LayerNotFoundError, "Did you mean: conv"),
    ],
)
def test_bad_input(images, factors, error, message):
    model = Residual().eval()

    model.bn = torch.nn.Sequential(model.bn)
    with pytest.raises(error, match=message), intervene(model, factors):
        model(images)


class HoldsOn(torch.nn.Module):
    """Changes tensors in place and goes on with its own name for them."""

    def forward(self, x):
        x = x * 1
        x.add_(1)
        x[:, 0] = 5.0
        return x + 0


@pytest.mark.parametrize("layer", ["add", "setitem"])
def test_what_was_changed_in_place_is_changed_for_its_holder(images, layer):
    model = HoldsOn()
    with torch.no_grad(), intervene(model, {layer: {1: 0.0}}):
        changed = model(images)
    assert not changed[:, 1].any()
    assert (changed[:, 0] == 5).all()
    torch.testing.assert_close(changed[:, 2], images[:, 2] + 1)


def test_activations_in_place_can_be_differentiated(images):
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.ReLU(inplace=True))
    plain = torch.autograd.grad(model(images)[:, 1].sum(), model[0].weight)[0]
    with intervene(model, {"1": {1: 2.0}}):
        doubled = torch.autograd.grad(model(images)[:, 1].sum(), model[0].weight)[0]
    torch.testing.assert_close(doubled, 2 * plain)
