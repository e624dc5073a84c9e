import math

import numpy as np
import pytest
import space_nets as nets
import torch
from capture_nets import IMAGES, Residual, Vit
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from cnnvis.capture import Masking, channel_spaces, intervene, read_means, record, switch_off
from cnnvis.core import ChannelSpace, ChannelSpaces, Read
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, LayerNotRunError


@pytest.fixture
def images():
    return torch.rand(IMAGES) - 0.5


def two_layers():
    """Units 2 x_0 and x_0 + x_1 + 1, ReLU, sums."""
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    with torch.no_grad():
        model[0].weight[:], model[0].bias[:] = torch.tensor([[2.0, 0.0], [1.0, 1.0]]), torch.tensor([0.0, 1.0])
        model[2].weight[:], model[2].bias[:] = torch.tensor([[1.0, 10.0]]), torch.tensor([0.5])
    return model.eval()


POINTS = torch.tensor([[1.0, 2.0], [-3.0, 0.0]])  # hidden: (2, 4) and (0, 0)


@pytest.mark.parametrize(
    ("to", "expected"),
    [("zero", [2.5, 0.5]), ("mean", [22.5, 20.5]), (0.5, [22.5, 0.5]), (3, [122.5, 0.5])],
)
def test_what_takes_the_place_of_a_unit(to, expected):
    model = two_layers()
    with switch_off(model, {"0": [1]}, example=POINTS, to=to, data=POINTS), torch.no_grad():
        assert model(POINTS)[:, 0].tolist() == expected
    assert model(POINTS)[:, 0].tolist() == [42.5, 0.5]


def test_numbers_and_masks_name_the_same_units():
    model = two_layers()
    for units in ([1], np.array([1]), np.array([False, True]), torch.tensor([1]).numpy(), (1,)):
        with switch_off(model, {"0": units}, example=POINTS), torch.no_grad():
            assert model(POINTS)[:, 0].tolist() == [2.5, 0.5]
    for nothing in ({}, {"0": []}, {"0": np.zeros(2, bool)}):
        with switch_off(model, nothing, example=POINTS), torch.no_grad():
            assert model(POINTS)[:, 0].tolist() == [42.5, 0.5]


def test_a_stream_is_off_after_the_addition_too(images):
    model = nets.made_interesting(Residual())
    with torch.no_grad(), switch_off(model, {"conv2": [1]}, example=images):
        seen, output = record(model, images, ["*", "flatten"]), model(images)
        relu = model.bn(model.conv1(images)).clamp(min=0)
        relu[:, 1] = 0
        pooled = (model.conv2(relu) + relu).clamp(min=0).mean((2, 3))
        pooled[:, 1] = 0
        torch.testing.assert_close(output, model.fc(pooled))
    assert seen["bn"].activations[:, 1].any()
    assert not seen["relu"].activations[:, 1].any()
    assert seen["add"].activations[:, 1].any()  # nobody reads it there
    assert not seen["flatten"].activations[:, 1].any()


def test_inputs_by_name_and_by_pixel(images):
    model = Residual().eval()
    dark = images.clone()
    dark[:, 2] = 0
    with torch.no_grad():
        expected = model(dark)
        with switch_off(model, {"image": [2]}, example=images):
            torch.testing.assert_close(model(images), expected)
    assert images[:, 2].any()
    model, pictures = nets.perceptron(), torch.rand(2, 3, 2, 2)
    dark = pictures.clone()
    dark[:, 1, 1, 0] = 0
    with torch.no_grad(), switch_off(model, {"0": [6]}, example=pictures):
        masked = model(pictures)
    torch.testing.assert_close(masked, model(dark))


def test_inputs_are_changed_by_interventions_too(images):
    model = Residual().eval()
    with torch.no_grad():
        expected = model(images * torch.tensor([1.0, 2.0, 1.0]).view(3, 1, 1))
        with intervene(model, {"image": {1: 2.0}}):
            torch.testing.assert_close(model(images), expected)


def test_tokens():
    model, images = Vit().eval(), torch.rand(IMAGES)
    with torch.no_grad(), switch_off(model, {"patch": [4]}, example=images):
        seen = record(model, images, ["norm", "own.qkv", "patch"])
    assert not seen["norm"].activations[:, 4].any()
    assert seen["norm"].activations[:, 3].all()
    assert seen["patch"].activations[:, 4].all()


def test_means_are_those_of_the_whole_network(images):
    model = nets.made_interesting(nets.Vgg())
    spaces = channel_spaces(model, images)
    means = read_means(model, images, spaces, layers=["conv2", "fc1"])
    assert list(means) == [Read("flatten", block=4), Read("sigmoid")]
    with torch.no_grad():
        seen = record(model, images, ["pool_1", "sigmoid"])
    np.testing.assert_allclose(means[Read("flatten", block=4)], seen["pool_1"].activations.mean((0, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(means[Read("sigmoid")], seen["sigmoid"].activations.mean(0), rtol=1e-5)
    with torch.no_grad(), switch_off(model, {"conv2": [1]}, spaces=spaces, to="mean", data=images):
        flat = record(model, images, "flatten")["flatten"].activations
    np.testing.assert_allclose(flat[:, 4:8], means[Read("flatten", block=4)][1], rtol=1e-5)
    assert np.unique(flat[:, 8:]).size > 1


def test_gradients_and_training(images):
    model = nets.made_interesting(nets.Vgg()).train()
    with switch_off(model, {"conv1": [0]}, example=images):
        model(images).square().sum().backward()
    assert not model.conv1.weight.grad[0].any()
    assert not model.conv2.weight.grad[:, 0].any()
    assert model.conv2.weight.grad[:, 1:].any()
    assert model.training


@given(st.lists(st.booleans(), min_size=4, max_size=4), st.lists(st.booleans(), min_size=6, max_size=6))
@settings(max_examples=15)
def test_masks_are_exchanged_without_a_trace(first, second):
    torch.manual_seed(0)
    model, images = nets.made_interesting(nets.PreActivation()), torch.rand(IMAGES) - 0.5
    spaces = channel_spaces(model, images)
    kept = {"stem": np.array(first), "blocks.1.conv1": np.array(second)}
    off = {name: np.flatnonzero(~mask) for name, mask in kept.items()}
    with torch.no_grad():
        whole = model(images)
        with Masking(model, spaces) as masking:
            assert torch.equal(model(images), whole)
            masking.keep({"blocks.0.conv1": np.zeros(6, bool)})
            model(images)
            masking.keep(kept)
            masked = model(images)
            masking.keep({})
            assert torch.equal(model(images), whole)
        with switch_off(model, off, spaces=spaces):
            assert torch.equal(model(images), masked)


def test_two_layers_of_one_space_add_up():
    model, images = nets.made_interesting(nets.PreActivation()), torch.rand(IMAGES)
    with torch.no_grad():
        with switch_off(model, {"stem": [0, 1]}, example=images):
            expected = model(images)
        with switch_off(model, {"stem": [0], "blocks.0.conv2": [1]}, example=images):
            assert torch.equal(model(images), expected)


def test_modules_alone_need_no_trace():
    model = nets.perceptron()
    with Masking(model, channel_spaces(model, torch.rand(1, 12))) as masking:
        hooked = [name for name, module in model.named_modules() if module._forward_hooks]
        assert hooked == ["", "2", "4"]
        masking.keep({"1": np.zeros(6, bool)})
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_nan_is_gone_and_so_are_hooks_after_an_error(images):
    model = nets.made_interesting(nets.Vgg())
    with torch.no_grad():
        model.conv1.weight[2] = math.nan
        with switch_off(model, {"conv1": [2]}, example=images):
            assert model(images).isfinite().all()
        with pytest.raises(ArithmeticError), switch_off(model, {"conv1": [2]}, example=images):
            raise ArithmeticError
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


@pytest.mark.parametrize(
    ("units", "options", "error", "message"),
    [
        ({"conv1": [4]}, {}, InvalidInputError, "'conv1' has 4 units.*no unit 4"),
        ({"conv1": [-1]}, {}, InvalidInputError, "no unit -1"),
        ({"conv1": [0.5]}, {}, InvalidInputError, "by their numbers or as .4,. bool, got .1,. float64"),
        ({"conv1": [True, False]}, {}, InvalidInputError, "got .2,. bool"),
        ({"bn1": [0]}, {}, LayerNotFoundError, "No channels of 'bn1'"),
        ({"conv1": [0]}, {"to": "one"}, InvalidInputError, '"zero", "mean" or a factor, got \'one\''),
        ({"conv1": [0]}, {"to": "mean"}, InvalidInputError, "pass the images"),
        ({"conv1": [0]}, {"to": math.nan}, InvalidInputError, "must be finite"),
        ({"conv1": [0]}, {"example": None}, InvalidInputError, "needs an example input"),
    ],
)
def test_bad_units(images, units, options, error, message):
    with pytest.raises(error, match=message), switch_off(nets.Vgg(), units, **({"example": images} | options)):
        pass


def test_bad_masks_and_foreign_spaces(images):
    model = nets.Vgg().eval()
    spaces = channel_spaces(model, images)
    with Masking(model, spaces, layers=["conv1"]) as masking:
        with pytest.raises(LayerNotFoundError, match=r"'conv2' is not among the layers chosen.*conv1"):
            masking.keep({"conv2": np.ones(6, bool)})
        with pytest.raises(InvalidInputError, match=r"mask of 'conv1' must be \(4,\) bool.*got \(4,\) float64"):
            masking.keep({"conv1": np.ones(4)})
    for read, error, message in (
        (Read("nowhere"), LayerNotRunError, "'nowhere', which this forward pass did not reach"),
        (Read("relu", start=2), InvalidInputError, "'relu' has 4 entries along axis 1.*up to entry 5"),
    ):
        foreign = ChannelSpaces((ChannelSpace(("conv1",), 4, (read,)),))
        with Masking(model, foreign) as masking:
            masking.keep({"conv1": np.zeros(4, bool)})
            with pytest.raises(error, match=message):
                model(images)
