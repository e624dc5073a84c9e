"""Links of networks by hand: weights, order, what is passed and what is joined."""

import capture_nets
import numpy as np
import pytest
import space_nets
import torch
from torch import nn
from torch.nn import functional

import cnnvis
from cnnvis import connect
from cnnvis.attribution import link_importance
from cnnvis.capture import trace
from cnnvis.core.errors import InvalidInputError

IMAGES = torch.rand(2, 3, 8, 8)


def links(edges):
    """Return {(source, target): weight} with units as "layer/channel"."""
    names = [f"{layer}/{channel}" for layer, channel in map(edges.units.split, range(len(edges.units)))]
    found = zip(edges.source, edges.target, edges.weight, strict=True)
    return {(names[source], names[target]): weight for source, target, weight in found}


def joined_layers(edges):
    """Return {(source layer, target layer)}, in order of the links."""
    pairs = zip(edges.layer, edges.units.layer_of(edges.target), strict=True)
    return [(edges.units.layers[one], edges.units.layers[two]) for one, two in dict.fromkeys(pairs)]


def mlp():
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    with torch.no_grad():
        net[0].weight[:] = torch.tensor([[1.0, -4.0], [2.0, 0.0], [0.0, 3.0]])
        net[2].weight[:] = torch.tensor([[2.0, 1.0, 0.0], [-1.0, 0.0, 0.5]])
    return net


def test_a_perceptron():
    edges = connect(mlp(), example=torch.ones(1, 2))
    assert edges.units.layers == ("input", "0", "2")
    assert edges.source.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 4]
    assert edges.target.tolist() == [2, 3, 4, 2, 3, 4, 5, 6, 5, 6, 5, 6]
    assert edges.weight.tolist() == [0.25, 0.5, 0, 1, 0, 0.75, 1, 0.5, 0.5, 0, 0, 0.25]
    assert edges.layer.tolist() == [0] * 6 + [1] * 6
    assert edges.caption == "edges 12 of 12, weight kept 100.0 %"
    assert edges.notes == ()


def test_kernels_and_blocks_count_by_their_norm():
    net = nn.Sequential(nn.Conv2d(1, 2, 2), nn.MaxPool2d(1), nn.Flatten(), nn.Linear(8, 1))
    with torch.no_grad():
        net[0].weight[:] = torch.tensor([[3.0, 4.0, 0.0, 0.0], [0.0, 0.0, 10.0, 0.0]]).view(2, 1, 2, 2)
        net[3].weight[:] = torch.tensor([[1.0, 1, 1, 1, 2, 2, 2, 2]])
    found = links(connect(net, example=torch.rand(1, 1, 3, 3)))
    assert found == {("input/0", "0/0"): 0.5, ("input/0", "0/1"): 1, ("0/0", "3/0"): 0.5, ("0/1", "3/0"): 1}


@pytest.mark.parametrize("n_axes", [1, 3])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("kind", ["Conv", "ConvTranspose"])
def test_convolutions_of_any_kind(kind, groups, n_axes):
    layer = getattr(nn, f"{kind}{n_axes}d")(4, 6, 2, groups=groups)
    weight = layer.weight.detach().double()
    found = links(connect(nn.Sequential(layer), example=torch.rand(1, 4, *[3] * n_axes)))
    norms = {}
    for source in range(4):
        for target in range(6):
            if source // (4 // groups) == target // (6 // groups):
                place = (target, source % (4 // groups)) if kind == "Conv" else (source, target % (6 // groups))
                norms[f"input/{source}", f"0/{target}"] = float(weight[place].norm())
    assert found == pytest.approx({pair: norm / max(norms.values()) for pair, norm in norms.items()})


def test_links_of_a_residual_stream_come_from_all_that_were_added():
    edges = connect(space_nets.PreActivation(), example=IMAGES)
    assert joined_layers(edges) == [
        ("x", "stem"),
        ("stem", "blocks.0.conv1"),
        ("blocks.0.conv1", "blocks.0.conv2"),
        ("stem", "blocks.1.conv1"),
        ("blocks.0.conv2", "blocks.1.conv1"),
        ("blocks.1.conv1", "blocks.1.conv2"),
        ("stem", "fc"),
        ("blocks.0.conv2", "fc"),
        ("blocks.1.conv2", "fc"),
    ]
    found = links(edges)
    for target in range(6):
        for channel in range(4):
            one = found[f"stem/{channel}", f"blocks.1.conv1/{target}"]
            assert one == found[f"blocks.0.conv2/{channel}", f"blocks.1.conv1/{target}"]


class SecondHalf(nn.Module):
    """cat([x, x + f(x)]): f's last layer is only in the second half, although it shares a space with the first."""

    def __init__(self):
        super().__init__()
        self.stem, self.f, self.out = nn.Conv2d(3, 2, 1), nn.Conv2d(2, 2, 1), nn.Conv2d(4, 1, 1)
        with torch.no_grad():
            self.out.weight[:] = torch.tensor([1.0, 2, 4, 8]).view(1, 4, 1, 1)

    def forward(self, x):
        x = self.stem(x)
        return self.out(torch.cat([x, x + self.f(x)], 1))


def test_a_read_sees_only_its_ancestors():
    found = links(connect(SecondHalf(), example=IMAGES))
    to_out = {source: weight for (source, target), weight in found.items() if target == "out/0"}
    top = np.hypot(2, 8)
    expected = {"stem/0": np.hypot(1, 4) / top, "stem/1": 1, "f/0": 4 / top, "f/1": 8 / top}
    assert to_out == pytest.approx(expected)


def test_depthwise_grouped_and_shuffled():
    edges = connect(space_nets.Grouped(), example=IMAGES)
    found = set(links(edges))
    assert {pair for pair in found if pair[1].startswith("grouped")} == {
        (f"stem/{source}", f"grouped/{target}")
        for target in range(6)
        for source in range(4)
        if source // 2 == target // 3
    }
    assert {pair for pair in found if pair[1].startswith("doubling")} == {
        (f"grouped/{channel // 2}", f"doubling/{channel}") for channel in range(12)
    }
    found = set(links(connect(space_nets.Shuffled(), example=IMAGES)))
    assert {source for source, target in found if target.startswith("grow")} == {"conv/0", "conv/2"}


def test_gates_link_what_they_multiply():
    assert ("excite", "project") in joined_layers(connect(space_nets.SqueezeExcite(), example=IMAGES))
    found = set(links(connect(space_nets.SpatialGate(), example=IMAGES)))
    assert {source for source, target in found if target == "gate/0"} == {f"conv/{channel}" for channel in range(8)}
    assert ("gate/0", "other/5") in found


def test_a_module_called_twice_is_two_layers():
    edges = connect(capture_nets.Twice(), example=IMAGES)
    assert joined_layers(edges) == [("x", "conv"), ("conv", "conv_1")]
    first, second = edges.weight[:9], edges.weight[9:]
    assert np.array_equal(first, second)


def test_several_inputs():
    edges = connect(space_nets.SharedBody(), example=(IMAGES, IMAGES))
    assert joined_layers(edges) == [("a", "body"), ("b", "body_1"), ("body", "left"), ("body_1", "right")]


def test_functional_layers():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.tensor([[[[2.0]], [[1.0]], [[0.0]]]]))

        def forward(self, x):
            return functional.conv2d(x, self.weight)

    assert list(links(connect(Net(), example=IMAGES)).values()) == [1, 0.5, 0]


class MixedTokens(nn.Module):
    """A mixer: one dense layer over tokens, one over channels."""

    def __init__(self):
        super().__init__()
        self.patch, self.tokens, self.channels = nn.Conv2d(3, 2, 4, stride=4), nn.Linear(4, 4), nn.Linear(2, 3)

    def forward(self, x):
        x = self.patch(x).flatten(2)
        x = x + self.tokens(x)
        return self.channels(x.transpose(1, 2)).mean(1)


def test_layers_that_mix_positions_are_linked_with_all_channels():
    edges = connect(MixedTokens(), example=IMAGES)
    assert len(edges) == 3 * 2 + 2 * 4 + (2 + 4) * 3
    assert edges.notes == ()
    token = links(edges)["patch/0", "tokens/1"]
    assert token == links(edges)["patch/1", "tokens/1"]  # every token holds both


def test_attention_is_left_out_and_named():
    edges = connect(capture_nets.Vit(), example=IMAGES)
    (note,) = edges.notes
    named = "own.scaled_dot_product_attention (scaled_dot_product_attention), mha (MultiheadAttention)"
    assert note == f"Not followed, so no links lead through: {named}."
    # the class token, which the head reads, never was a patch: it is what the projection adds to it
    assert joined_layers(edges) == [("x", "patch"), ("patch", "own.qkv"), ("own.proj", "head")]


class Tokens(nn.Module):
    """A small vision transformer of torch's own layers; the head reads the mean of the tokens."""

    def __init__(self):
        super().__init__()
        self.patch, self.head = nn.Conv2d(3, 4, 4, 4), nn.Linear(4, 2)
        layer = nn.TransformerEncoderLayer(4, 2, 6, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)

    def forward(self, x):
        return self.head(self.encoder(self.patch(x).flatten(2).transpose(1, 2)).mean(1))


def test_a_transformer_is_drawn_without_its_attention():
    edges = connect(Tokens(), example=IMAGES)
    assert joined_layers(edges) == [
        ("x", "patch"),
        ("patch", "encoder.layers.0.linear1"),
        ("encoder.layers.0.linear1", "encoder.layers.0.linear2"),
        ("patch", "head"),
        ("encoder.layers.0.linear2", "head"),
    ]
    assert edges.notes == ("Not followed, so no links lead through: encoder.layers.0.self_attn (MultiheadAttention).",)


class Pairs(nn.Module):
    """Nothing but a layer that multiplies its inputs in pairs."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Bilinear(4, 4, 2)

    def forward(self, x):
        return self.fc(x, x)


def test_what_cannot_be_followed_at_all_is_an_error():
    with pytest.raises(InvalidInputError, match=r"the way is lost in fc \(Bilinear\)"):
        connect(Pairs(), example=torch.rand(1, 4))


def test_networks_without_links():
    assert connect(nn.ReLU(), example=IMAGES).caption == "edges 0 of 0, weight kept 100.0 %"
    one = connect(nn.Linear(1, 1), example=torch.rand(1, 1))
    assert (one.source.tolist(), one.target.tolist(), one.weight.tolist()) == ([0], [1], [1])
    dead = nn.Linear(2, 2)
    nn.init.zeros_(dead.weight)
    assert connect(dead, example=torch.rand(1, 2)).weight.tolist() == [0] * 4


def test_a_graph_alone_links_the_same_units_with_weight_one():
    for model in (capture_nets.Dense(), space_nets.PreActivation(), space_nets.SqueezeExcite(), space_nets.Vgg()):
        by_graph, edges = connect(trace(model, IMAGES)), connect(model, example=IMAGES)
        assert by_graph.units == edges.units
        assert np.array_equal(by_graph.source, edges.source)
        assert np.array_equal(by_graph.target, edges.target)
        assert np.array_equal(by_graph.weight, np.ones(len(edges)))
    shuffled = connect(trace(space_nets.Shuffled(), IMAGES))
    assert shuffled.notes == ("Not followed, so no links lead through: view (view).",)
    assert ("conv", "grow") not in joined_layers(shuffled)


@pytest.mark.parametrize("name", ["mnist-mlp", "fashion-cnn", "efficientnet-lite0"])
def test_bundled_networks(name):
    network = cnnvis.models.load(name)
    edges = connect(network)
    assert edges.units == trace(network).units
    order = np.lexsort((edges.target, edges.source, edges.units.layer_of(edges.target)))
    assert np.array_equal(order, np.arange(len(edges)))
    for layer in edges.units.layers[1:]:
        into = edges.weight[edges.units.layer_of(edges.target) == edges.units.index(layer)]
        assert into.max() == 1
    if name == "mnist-mlp":
        for layer, strengths in link_importance(network).items():
            into = edges.weight[edges.units.layer_of(edges.target) == edges.units.index(layer)]
            np.testing.assert_allclose(into, strengths.T.reshape(-1), rtol=1e-6)
        assert len(edges) == 67_963
