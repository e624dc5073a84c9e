import typing

import numpy as np
import pytest
import torch
from torch import nn

from cnnvis.attribution import ImportanceMethod, ImportanceMethodName, activation_of_recording, importance
from cnnvis.attribution.methods import METHODS
from cnnvis.capture import record
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError


def tiny():
    """Two filters 1 x 1 with weights (1, -2) and (0, 3), ReLU, and a dense layer 2 -> 1."""
    net = nn.Sequential()
    net.add_module("conv", nn.Conv2d(2, 2, 1, bias=True))
    net.add_module("relu", nn.ReLU(inplace=True))
    net.add_module("pool", nn.AdaptiveAvgPool2d(1))
    net.add_module("flat", nn.Flatten())
    net.add_module("fc", nn.Linear(2, 1))
    with torch.no_grad():
        net.conv.weight[:] = torch.tensor([[1.0, -2.0], [0.0, 3.0]])[..., None, None]
        net.conv.bias[:] = torch.tensor([0.0, 100.0])
        net.fc.weight[:] = torch.tensor([[-4.0, 3.0]])
    return net.train()


IMAGES = torch.tensor([[[[1.0, 2.0]], [[1.0, 0.0]]], [[[0.0, 0.0]], [[0.0, 1.0]]]])  # (2, 2, 1, 2)
# filter 0 gives -1, 2 and 0, -2; filter 1 gives 103, 100 and 100, 103


def test_every_name_is_registered_once():
    assert set(METHODS) == set(ImportanceMethod)
    assert list(typing.get_args(ImportanceMethodName)) == [method.value for method in ImportanceMethod]


@pytest.mark.parametrize(("norm", "conv", "fc"), [("l1", [3, 3], [7]), ("l2", [5**0.5, 3], [5])])
def test_weight_norms_by_hand(norm, conv, fc):
    found = importance(tiny(), method="weight", norm=norm)
    assert list(found) == ["conv", "fc"]
    np.testing.assert_allclose(found["conv"], conv)
    np.testing.assert_allclose(found["fc"], fc)
    assert found.options["norm"] == norm


def test_activation_by_hand():
    found = importance(tiny(), IMAGES, "activation", layers=["conv", "relu"])
    np.testing.assert_allclose(found["conv"], [1.25, 101.5])  # before the in-place ReLU
    np.testing.assert_allclose(found["relu"], [0.5, 101.5])


def test_activation_of_what_is_recorded_already_by_hand():
    found = activation_of_recording(record(tiny(), IMAGES, ["conv", "relu"]))
    np.testing.assert_allclose(found["conv"], [1.25, 101.5])
    np.testing.assert_allclose(found["relu"], [0.5, 101.5])
    assert found.method == "activation"


@pytest.mark.parametrize("transposed", [nn.ConvTranspose2d, nn.ConvTranspose1d])
def test_transposed_convolutions_count_output_channels(transposed):
    layer = transposed(4, 6, 3, groups=2)
    with torch.no_grad():
        for channel in range(6):  # output channel c is column c % 3 of the weights of group c // 3
            layer.weight[2 * (channel // 3) : 2 * (channel // 3) + 2, channel % 3] = channel
    taps = 2 * layer.weight[0, 0].numel()
    np.testing.assert_allclose(importance(nn.Sequential(layer), method="weight")["0"], taps * np.arange(6.0))


def test_depthwise_and_half_precision():
    layer = nn.Conv2d(3, 6, 3, groups=3).half()
    found = importance(nn.Sequential(layer), method="weight")["0"]
    assert found.shape == (6,)
    np.testing.assert_allclose(found, layer.weight.detach().double().abs().sum((1, 2, 3)).numpy())


def batches_of(data):
    dataset = torch.utils.data.TensorDataset(*data)
    return torch.utils.data.DataLoader(dataset, batch_size=1)


@pytest.mark.parametrize("make", [lambda x, y: (x, y), lambda x, y: x.numpy(), lambda x, y: batches_of((x, y))])
def test_all_kinds_of_data_give_the_same(make):
    labels = torch.zeros(2, dtype=torch.long)
    found = importance(tiny(), make(IMAGES, labels), "activation", layers="conv")
    np.testing.assert_allclose(found["conv"], [1.25, 101.5])


def test_progress_counts_images():
    seen = []
    importance(tiny(), IMAGES.repeat(150, 1, 1, 1), "activation", progress=lambda *done: seen.append(done))
    assert seen == [(256, 300), (300, 300)]


def test_missing_values_are_left_out():
    images = IMAGES.clone()
    images[0, 1, 0, 0] = float("nan")  # makes both channels NaN there
    found = importance(tiny(), images, "activation", layers="conv")
    np.testing.assert_allclose(found["conv"], [4 / 3, 101])
    dead = importance(tiny(), torch.full((1, 2, 1, 2), float("nan")), "activation", layers="conv")
    assert dead["conv"].tolist() == [0, 0]


def test_globs_and_order_of_the_network():
    assert list(importance(tiny(), method="weight", layers=["f*", "conv"])) == ["conv", "fc"]
    assert list(importance(tiny(), IMAGES, "activation", layers="*c*")) == ["conv", "fc"]


@pytest.mark.parametrize(("method", "data"), [("weight", None), ("activation", IMAGES)])
def test_unknown_layer_lists_near_matches(method, data):
    with pytest.raises(LayerNotFoundError, match="Did you mean: conv"):
        importance(tiny(), data, method, layers="convv")


def test_refusals():
    with pytest.raises(InvalidInputError, match=r"Unknown importance method 'wieght'\. Did you mean: weight"):
        importance(tiny(), method="wieght")
    with pytest.raises(InvalidInputError, match="norm must be one of l1, l2"):
        importance(tiny(), method="weight", norm="l3")
    with pytest.raises(InvalidInputError, match="no images"):
        importance(tiny(), method="activation")
    with pytest.raises(InvalidInputError, match="zero images"):
        importance(tiny(), IMAGES[:0], "activation")
    broken = tiny()
    with torch.no_grad():
        broken.conv.weight[0] = float("nan")
    with pytest.raises(InvalidInputError, match="importance of 'conv' holds 1 values"):
        importance(broken, method="weight")


# "batchnorm" needs a network with classes, and has a test of its own
@pytest.mark.parametrize("method", [method for method in ImportanceMethod if method != ImportanceMethod.BATCHNORM])
def test_the_model_comes_back_as_it_was(method):
    net = tiny()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    images = IMAGES.clone()
    importance(net, (images, torch.zeros(2, dtype=torch.long)), method)
    assert net.training
    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in net.modules())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in net.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    assert torch.equal(images, IMAGES)
