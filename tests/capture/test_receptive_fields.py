"""Which pixels of the input a value depends on: by hand, and against gradients of networks with positive weights."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import cnnvis
from cnnvis.capture import receptive_fields, scaled_probabilities
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError


def test_two_convolutions_and_a_pooling_by_hand():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(2, 1, 3))
    image = torch.zeros(1, 1, 14, 12)
    fields = receptive_fields(net, image, ["3", "0"])
    first, last = fields["0"], fields["3"]
    assert first.at((0, 0)) == (0, 0, 3, 3)
    assert first.at((11, 9)) == (11, 9, 14, 12)
    # 3 pooled pixels are 6 of the first layer's, which see 8 of the image
    assert last.at((0, 0)) == (0, 0, 8, 8)
    assert last.at((1, 2)) == (2, 4, 10, 12)


def test_padding_cuts_the_box_and_dilation_widens_it():
    net = nn.Sequential(nn.Conv2d(1, 1, 3, padding=2, dilation=2))
    fields = receptive_fields(net, torch.zeros(1, 1, 9, 9), "0")["0"]
    assert fields.at((4, 4)) == (2, 2, 7, 7)
    assert fields.at((0, 8)) == (0, 6, 3, 9)


def test_a_layer_without_maps_sees_what_reaches_it():
    net = nn.Sequential(nn.Conv2d(1, 2, 3, stride=3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3))
    fields = receptive_fields(net, torch.zeros(1, 1, 8, 8), "3")["3"]
    assert fields.at(()) == (0, 0, 6, 6)  # the stride leaves two rows and columns over


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(0, 2)), min_size=1, max_size=3))
def test_like_the_gradients_of_positive_weights(layers):
    parts = [nn.Conv2d(1, 1, kernel, stride, min(pad, kernel - 1)) for kernel, stride, pad in layers]
    for part in parts:
        nn.init.constant_(part.weight, 1.0)
        nn.init.constant_(part.bias, 1.0)
    net = nn.Sequential(*parts)
    image = torch.ones(1, 1, 20, 17, requires_grad=True)
    output, last = net(image), str(len(parts) - 1)
    fields = receptive_fields(net, image.detach(), last)[last]
    for row, column in {
        (0, 0),
        (output.shape[2] // 2, output.shape[3] // 2),
        (output.shape[2] - 1, output.shape[3] - 1),
    }:
        (gradient,) = torch.autograd.grad(output[0, 0, row, column], image, retain_graph=True)
        rows, columns = np.nonzero(gradient[0, 0].numpy())
        expected = (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)
        assert fields.at((row, column)) == expected


def test_weights_of_zero_and_closed_relus_are_seen_through():
    net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 1, 3, padding=1))
    for part in (net[0], net[2]):
        nn.init.zeros_(part.weight)
        nn.init.constant_(part.bias, -1.0)
    assert receptive_fields(net, torch.zeros(1, 1, 9, 9), "2")["2"].at((4, 4)) == (2, 2, 7, 7)


def test_fast_algorithms_do_not_spread_it():
    # 32 channels of 3 x 3 are what oneDNN and NNPACK do by Winograd, tile by tile
    net = nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.Conv2d(32, 32, 3, padding=1), nn.Conv2d(32, 32, 3, padding=1)
    )
    enabled = torch.backends.mkldnn.enabled
    fields = receptive_fields(net, torch.zeros(1, 3, 32, 32), "2")["2"]
    assert torch.backends.mkldnn.enabled == enabled
    assert fields.at((16, 16)) == (13, 13, 20, 20)


def test_a_network_that_catches_everything_is_stopped_all_the_same():
    class Careful(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 3)

        def forward(self, x):
            try:
                return self.conv(x)
            except Exception:  # noqa: BLE001 - as such networks do
                return x

    assert receptive_fields(Careful(), torch.zeros(1, 1, 5, 5), "conv")["conv"].at((1, 1)) == (1, 1, 4, 4)


def test_bad_input():
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    with pytest.raises(InvalidInputError, match=r"images \(1, C, H, W\)"):
        receptive_fields(net, torch.zeros(1, 4), "1")
    with pytest.raises(LayerNotFoundError):
        receptive_fields(net, torch.zeros(1, 1, 2, 2), "2")
    fields = receptive_fields(nn.Sequential(nn.Conv2d(1, 1, 3)), torch.zeros(1, 1, 5, 5), "0")["0"]
    with pytest.raises(InvalidInputError, match="3 x 3 positions"):
        fields.at((3, 0))


def test_probabilities_while_a_channel_is_scaled():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(27, 4))
    image = torch.randn(1, 1, 5, 5)
    found = scaled_probabilities(net, image, "0", 1, (0.0, 1.0, 2.5))
    with torch.no_grad():
        for factor, row in zip((0.0, 1.0, 2.5), found, strict=True):
            maps = net[0](image)
            maps[:, 1] *= factor
            expected = torch.softmax(net[3](net[1](maps).flatten(1)), 1)[0]
            np.testing.assert_allclose(row, expected, rtol=1e-5)
    with pytest.raises(InvalidInputError, match="no channel 3"):
        scaled_probabilities(net, image, "0", 3, (0.0,))
    with pytest.raises(InvalidInputError, match="no class scores"):
        scaled_probabilities(nn.Sequential(nn.Conv2d(1, 3, 3)), image, "0", 0, (0.0,))


def test_a_real_network():
    network = cnnvis.models.load("fashion-cnn")
    fields = receptive_fields(network, None, "conv2")["conv2"]
    assert fields.at((7, 7)) == (11, 11, 19, 19)  # 3 x 3 of pooled pixels are 6 x 6, which see 8 x 8
