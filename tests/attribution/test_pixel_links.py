"""Links between pixels: by hand, and the sum of what they hand on is what the layer makes."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import cnnvis
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.pixel_links import PixelLinks

ALL = 10**6


def hand_made(**parts):
    """A 3 x 3 convolution with padding over one map of 4 x 4, one entry for each place of the window."""
    rows = np.array([[-1, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, -1]])
    places = np.stack(np.divmod(np.arange(9), 3), axis=1)
    given = {
        "source": 0,
        "target": 1,
        "maps": np.zeros((9, 2), int),
        "places": places,
        "weights": np.arange(9.0) - 4,
        "rows": rows,
        "columns": rows,
    }
    return PixelLinks(**(given | parts))


def test_the_window_at_the_corner_by_hand():
    lines = hand_made().at(np.array([[0, 0]]))
    assert lines.entry.tolist() == [4, 5, 7, 8]
    assert lines.source.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert lines.target.tolist() == [[0, 0]] * 4


def test_positions_are_shares_of_the_map():
    links = hand_made()
    assert links.position((0, 0)) == (0, 0)
    assert links.position((0.5, 0.99)) == (2, 3)
    assert links.position((1, 1)) == (3, 3)
    assert links.n_calculations == 9 * 16


def test_the_strongest_products_are_found():
    image = np.arange(16.0, dtype=np.float32).reshape(1, 4, 4)
    links = hand_made()
    every = links.at(np.stack(np.divmod(np.arange(16), 4), axis=1))
    strength = np.abs(links.values(every, image))
    chosen = links.strongest(20, image)
    assert len(chosen.entry) == 20
    kept = np.sort(np.abs(links.values(chosen, image)))
    # of the five strongest entries, which is what 20 lines leave room for at 16 positions
    among = np.isin(every.entry, np.argsort(-np.abs(links.weights), kind="stable")[:5])
    np.testing.assert_allclose(kept, np.sort(strength[among])[-20:])


def test_an_entry_outside_the_window_is_refused():
    with pytest.raises(InvalidInputError, match="outside the window"):
        hand_made(places=np.full((9, 2), 3))


def sums(maps, links):
    """Return for each map and pixel of the target the sum of what is handed on to it."""
    total = np.zeros(maps.values[links.target].shape)
    height, width = links.shape
    lines = links.at(np.stack(np.divmod(np.arange(height * width), width), axis=1))
    to = links.maps[lines.entry, 1]
    np.add.at(total, (to, lines.target[:, 0], lines.target[:, 1]), links.values(lines, maps.values[links.source]))
    return total


@settings(max_examples=15, deadline=None)
@given(
    st.integers(1, 2),
    st.integers(1, 3),
    st.integers(1, 2),
    st.integers(0, 2),
    st.integers(1, 2),
    st.sampled_from(["zeros", "reflect"]),
)
def test_all_lines_together_make_what_the_layer_makes(groups, kernel, stride, padding, dilation, mode):
    torch.manual_seed(0)
    layer = nn.Conv2d(
        2 * groups, 2 * groups, kernel, stride, padding, dilation=dilation, groups=groups, bias=False, padding_mode=mode
    )
    net = nn.Sequential(layer, nn.Flatten(), nn.LazyLinear(3, bias=False))
    image = torch.randn(1, 2 * groups, 7, 8)
    net(image)
    maps = cnnvis.network_maps(net, image, n_entries=ALL)
    assert [(maps.layers[links.source], maps.layers[links.target]) for links in maps.pixel_links] == [
        ("input", "0"),
        ("0", "2"),
    ]
    for links in maps.pixel_links:
        assert links.n_entries == len(links.weights)
        np.testing.assert_allclose(sums(maps, links), maps.values[links.target], atol=1e-4)


def test_layers_of_a_real_network_read_what_is_shown():
    network = cnnvis.models.load("fashion-cnn")
    maps = cnnvis.network_maps(network, n_entries=ALL)
    read = {maps.layers[links.target]: maps.layers[links.source] for links in maps.pixel_links}
    assert read["conv2"] == "pool1"
    assert read["pool2"] == "conv2"
    assert read["fc"] == "pool3"
    fc = next(links for links in maps.pixel_links if maps.layers[links.target] == "fc")
    bias = network.module.fc.bias.detach().numpy()
    np.testing.assert_allclose(sums(maps, fc)[:, 0, 0] + bias, maps.values[fc.target][:, 0, 0], rtol=1e-4)
    assert not any(links.weighted for links in maps.pixel_links if maps.layers[links.target].startswith("pool"))


def test_the_strongest_weights_are_kept_and_all_are_counted():
    network = cnnvis.models.load("fashion-cnn")
    maps = cnnvis.network_maps(network, n_entries=20)
    links = next(links for links in maps.pixel_links if maps.layers[links.target] == "conv3")
    weight = np.abs(network.module.conv3.weight.detach().numpy())
    assert links.n_entries == weight.size
    np.testing.assert_allclose(np.sort(np.abs(links.weights)), np.sort(weight.ravel())[-20:])
    assert cnnvis.network_maps(network, n_entries=0).pixel_links == ()


def test_a_layer_whose_rule_is_not_known_has_none_and_the_rest_has():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = nn.Conv2d(1, 2, 3)
            self.two = nn.Conv2d(2, 2, 3)

        def forward(self, x):
            x = torch.fft.ifft2(torch.fft.fft2(self.one(x))).real
            return self.two(x)

    maps = cnnvis.network_maps(Own(), torch.randn(1, 1, 8, 8))
    assert [maps.layers[links.target] for links in maps.pixel_links] == ["one"]
