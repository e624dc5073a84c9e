"""What a layer did, in numbers: by hand, against torch itself, for modules of all kinds."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

import cnnvis
from cnnvis.capture.explaining import explain_layers
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError


def single(layer, channels=1, size=5, **named):
    """Return the operation of one layer on an image of 0, 1, 2, ..."""
    image = torch.arange(channels * size * size, dtype=torch.float32).reshape(1, channels, size, size)
    return cnnvis.explain(nn.Sequential(layer).eval(), image, "0", **named)


def assert_every_unit_holds(operation, rtol=2e-5):
    """Check the working of every unit, or of 40 of many, against the value that the network computed."""
    places = list(np.ndindex(operation.shape))
    for channel, *position in places[:: max(len(places) // 40, 1)]:
        unit = operation.at(channel, tuple(position))
        assert unit.error <= rtol * (1 + abs(unit.value)), (unit.channel, unit.position)


class TestByHand:
    def test_a_convolution_at_the_corner(self):
        layer = nn.Conv2d(1, 1, 3, padding=1)
        with torch.no_grad():
            layer.weight.copy_(torch.arange(9.0).reshape(1, 1, 3, 3))
            layer.bias.fill_(0.5)
        working = single(layer).at(0, (0, 0)).working
        pad = np.nan
        np.testing.assert_array_equal(working.patch[0], [[pad, pad, pad], [pad, 0, 1], [pad, 5, 6]])
        np.testing.assert_array_equal(working.products[0], [[0, 0, 0], [0, 0, 5], [0, 35, 48]])
        np.testing.assert_array_equal(working.inside, [[0, 0, 0], [0, 1, 1], [0, 1, 1]])
        assert working.sums.tolist() == [88]
        assert working.result == 88.5
        assert [tap.tolist() for tap in working.taps] == [[-1, 0, 1], [-1, 0, 1]]

    def test_a_stride_and_a_dilation_move_the_patch(self):
        layer = nn.Conv2d(1, 1, 2, stride=2, dilation=2, bias=False)
        working = single(layer, size=6).at(0, (1, 0)).working
        np.testing.assert_array_equal(working.patch[0], [[12, 14], [24, 26]])

    def test_groups_read_their_own_channels(self):
        working = single(nn.Conv2d(4, 4, 1, groups=2), channels=4, size=2).at(3, (0, 1)).working
        assert working.channels.tolist() == [2, 3]
        assert working.patch.reshape(-1).tolist() == [9, 13]

    def test_max_pooling_says_which_pixel_won(self):
        image = torch.tensor([[1.0, 7, 0, 0], [3, 2, 0, 0], [0, 0, 5, 5], [0, 0, 5, 4]])[None, None]
        pool = cnnvis.explain(nn.Sequential(nn.MaxPool2d(2)), image, "0")
        assert pool.at(0, (0, 0)).working.winner == (0, 1)
        assert pool.at(0, (0, 0)).working.result == 7
        assert pool.at(0, (1, 1)).working.winner == (0, 0)  # the first of equal ones

    @pytest.mark.parametrize(("counted", "divisor"), [(True, 9), (False, 4)])
    def test_mean_pooling_counts_padding_or_not(self, counted, divisor):
        pool = single(nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=counted))
        working = pool.at(0, (0, 0)).working
        assert working.divisor == divisor
        assert working.result == pytest.approx((0 + 1 + 5 + 6) / divisor)

    def test_a_softmax(self):
        class Scores(nn.Module):
            def forward(self, x):
                return x.flatten(1)[:, :3]

        operation = cnnvis.explain(Scores(), torch.log(torch.tensor([[[[1.0, 2], [5, 0.5]]]])), "softmax")
        working = operation.at(1).working
        np.testing.assert_allclose(working.exponentials, [0.2, 0.4, 1], rtol=1e-6)
        np.testing.assert_allclose(working.shares, [1 / 8, 2 / 8, 5 / 8], rtol=1e-6)
        assert operation.at(1).value == pytest.approx(0.25)

    def test_batch_norm_with_the_numbers_of_its_channel(self):
        norm = nn.BatchNorm2d(2, eps=0.0)
        with torch.no_grad():
            norm.running_mean.copy_(torch.tensor([1.0, 2]))
            norm.running_var.copy_(torch.tensor([4.0, 16]))
            norm.weight.fill_(3)
            norm.bias.fill_(-1)
        working = single(norm, channels=2, size=2).at(1, (1, 1)).working
        assert (working.before, working.mean, working.deviation, working.scale, working.shift) == (7, 2, 4, 3, -1)
        assert working.result == 5 / 4 * 3 - 1


@pytest.mark.filterwarnings("ignore:Using padding='same'")  # torch says once that it pads by itself then
@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 3),
    st.sampled_from([1, 2, 3, (2, 3)]),
    st.integers(1, 3),
    st.sampled_from([0, 1, 2, "same", (1, 0)]),
    st.integers(1, 2),
    st.sampled_from(["zeros", "reflect", "replicate", "circular"]),
    st.integers(0, 2**16),
)
def test_convolutions_of_all_settings(groups, kernel, stride, padding, dilation, mode, seed):
    torch.manual_seed(seed)
    if padding == "same":
        stride = 1
    layer = nn.Conv2d(
        2 * groups, 4 * groups, kernel, stride, padding, dilation=dilation, groups=groups, padding_mode=mode
    )
    operation = cnnvis.explain(nn.Sequential(layer), torch.randn(1, 2 * groups, 8, 9), "0")
    assert operation.sources[0].values.shape == (2 * groups, 8, 9)  # before padding
    assert_every_unit_holds(operation)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 2), st.integers(1, 3), st.integers(1, 3), st.integers(0, 1), st.integers(1, 2), st.booleans())
def test_transposed_convolutions(groups, kernel, stride, padding, dilation, longer):
    torch.manual_seed(0)
    reach = dilation * (kernel - 1)
    layer = nn.ConvTranspose2d(
        2 * groups,
        4 * groups,
        kernel,
        stride,
        padding=min(padding, reach),
        output_padding=int(longer and max(stride, dilation) > 1),
        groups=groups,
        dilation=dilation,
    )
    assert_every_unit_holds(cnnvis.explain(nn.Sequential(layer), torch.randn(1, 2 * groups, 4, 5), "0"))


@pytest.mark.parametrize(
    "layer",
    [
        nn.MaxPool2d(3, stride=2, padding=1),
        nn.MaxPool2d(2, dilation=2, ceil_mode=True),
        nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True),
        nn.AvgPool2d((2, 3), ceil_mode=True, count_include_pad=False),
        nn.AvgPool2d(2, divisor_override=3),
        nn.AdaptiveAvgPool2d((3, 5)),
        nn.AdaptiveMaxPool2d(4),
        nn.AdaptiveAvgPool2d(1),
        nn.ReLU(inplace=True),
        nn.SiLU(),
        nn.PReLU(6),
        nn.BatchNorm2d(6, affine=False),
        nn.Softmax(dim=1),
        nn.LogSoftmax(dim=1),
    ],
    ids=repr,
)
def test_layers_without_kernels(layer):
    operation = cnnvis.explain(nn.Sequential(nn.Conv2d(6, 6, 1), layer).eval(), torch.randn(1, 6, 7, 8), "1")
    assert operation.rule is not None
    assert operation.sources[0].name == "0"
    assert_every_unit_holds(operation)


def test_in_one_and_three_dimensions_and_on_tokens():
    torch.manual_seed(0)
    for layer, shape in (
        (nn.Conv1d(2, 3, 4, padding=2), (1, 2, 9)),
        (nn.Conv3d(2, 3, (1, 2, 3)), (1, 2, 3, 4, 5)),
        (nn.MaxPool1d(2), (1, 3, 8)),
        (nn.Linear(5, 4), (1, 5)),
        (nn.Linear(5, 4), (1, 3, 5)),
    ):
        operation = cnnvis.explain(nn.Sequential(layer), torch.randn(shape), "0")
        assert operation.rule is not None, layer
        assert_every_unit_holds(operation)


class Block(nn.Module):
    """Functional operations of all kinds, in place where torch can."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        first = functional.relu_(self.conv(x))
        gated = first * first.mean((2, 3), keepdim=True)
        gated += first
        both = torch.cat([gated, first], 1)
        return self.fc(functional.adaptive_avg_pool2d(both, 1).flatten(1))


@pytest.mark.parametrize(
    ("layer", "sources"),
    [
        ("conv", ["x"]),
        ("relu", ["conv"]),
        ("mean", ["relu"]),
        ("mul", ["relu", "mean"]),
        ("add", ["mul", "relu"]),
        ("cat", ["add", "relu"]),
        ("adaptive_avg_pool2d", ["cat"]),
        ("fc", ["adaptive_avg_pool2d"]),
    ],
)
def test_operations_between_layers(layer, sources):
    torch.manual_seed(0)
    model, image = Block(), torch.randn(1, 3, 5, 5)
    operation = cnnvis.explain(model, image, layer)
    assert [source.name for source in operation.sources] == sources
    assert operation.rule is not None
    assert_every_unit_holds(operation)


def test_what_follows_and_whether_it_sees_the_class_names():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(18, 2)).eval()
    network = cnnvis.models.Network(net, example=torch.randn(1, 1, 5, 5), class_names=("cat", "dog"))
    operation = cnnvis.explain(network, None, "0")
    assert [behind.name for behind in operation.following] == ["1", "2"]
    values = cnnvis.record(network, network.example, ["1", "2"])
    name, kind, value = operation.at(1, (2, 0)).following[1]
    assert (name, kind, value) == ("2", "ReLU", values["2"].activations[0, 1, 2, 0])
    assert operation.class_names == ()
    dense = cnnvis.explain(network, None, "4")
    assert dense.class_names == ("cat", "dog")
    assert dense.sources[0].name == "2"  # the maps before the flatten
    assert dense.sources[0].values.shape == (2, 3, 3)
    assert_every_unit_holds(dense)


def test_what_was_read_is_what_it_was_then_though_it_was_changed_in_place_later():
    class Careless(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(2, 2, 3, padding=1)

        def forward(self, x):
            x = x * 1.0
            made = self.conv(x)
            x.add_(made)
            return x.relu_()

    torch.manual_seed(0)
    image = torch.randn(1, 2, 5, 5)
    operation = cnnvis.explain(Careless(), image, "conv")
    np.testing.assert_array_equal(operation.sources[0].values, image[0])
    assert_every_unit_holds(operation)


def test_several_layers_at_once():
    network = cnnvis.models.load("fashion-cnn")
    found = explain_layers(network, None, ["conv2", "softmax", "pool1"])
    assert list(found) == ["conv2", "softmax", "pool1"]
    for layer, operation in found.items():
        alone = cnnvis.explain(network, None, layer)
        np.testing.assert_array_equal(operation.output.values, alone.output.values)
        assert operation.at().value == alone.at().value
        assert_every_unit_holds(operation)


def test_a_layer_of_ones_own_is_explained_by_what_it_convolves():
    class Same(nn.Conv2d):
        def forward(self, x):
            return functional.conv2d(functional.pad(x, (0, 1, 0, 1)), 2 * self.weight, self.bias)

    operation = cnnvis.explain(nn.Sequential(Same(2, 3, 2)), torch.randn(1, 2, 4, 4), "0")
    assert operation.at(0, (3, 3)).working.inside.tolist() == [[True, False], [False, False]]
    assert_every_unit_holds(operation)


def test_a_layer_that_does_more_has_no_rule_but_its_values():
    class More(nn.Conv2d):
        def forward(self, x):
            return functional.conv2d(x, self.weight, self.bias) + 1

    operation = cnnvis.explain(nn.Sequential(More(2, 3, 2)), torch.randn(1, 2, 4, 4), "0")
    assert operation.rule is None
    assert "not known" in operation.note
    unit = operation.at(2, (1, 1))
    assert unit.working is None
    assert np.isnan(unit.error)
    flat = cnnvis.explain(nn.Sequential(nn.Flatten()), torch.randn(1, 2, 4, 4), "0")
    assert "hands on" in flat.note


def test_exported_programs(tmp_path):
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32, 4)).eval()
    torch.export.save(torch.export.export(net, (torch.zeros(1, 3, 6, 6),)), tmp_path / "p.pt2")
    network = cnnvis.models.load(tmp_path / "p.pt2")
    graph = cnnvis.trace(network)
    for layer in graph.layers[1:]:
        if layer.role in ("convolution", "dense"):
            operation = cnnvis.explain(network, torch.randn(1, 3, 6, 6), layer.name)
            assert operation.rule is not None
            assert_every_unit_holds(operation)


def test_the_model_comes_back_as_it_was():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU()).train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    image = torch.randn(1, 1, 6, 6)
    kept = image.clone()
    state = torch.random.get_rng_state()
    cnnvis.explain(net, image, "0")
    assert net.training
    assert torch.equal(image, kept)
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())


class TestBadInput:
    def test_a_layer_that_is_not_there(self):
        with pytest.raises(LayerNotFoundError, match="conv1"):
            cnnvis.explain(cnnvis.models.load("fashion-cnn"), None, "conv11")

    def test_an_input(self):
        with pytest.raises(InvalidInputError, match="nothing computes it"):
            cnnvis.explain(nn.Sequential(nn.ReLU()), torch.ones(1, 2), "input")

    def test_a_softmax_of_maps(self):
        with pytest.raises(InvalidInputError, match="class scores"):
            cnnvis.explain(nn.Sequential(nn.ReLU()), torch.ones(1, 2, 3, 3), "softmax")

    def test_units_that_are_not_there(self):
        operation = single(nn.Conv2d(1, 2, 3))
        with pytest.raises(InvalidInputError, match="no channel 2"):
            operation.at(2, (0, 0))
        with pytest.raises(InvalidInputError, match="3 x 3"):
            operation.at(0, (0, 3))
        with pytest.raises(InvalidInputError, match=r"position \(1,\)"):
            operation.at(0, (1,))

    def test_nan_in_the_image_is_shown_not_hidden(self):
        image = torch.zeros(1, 1, 3, 3)
        image[0, 0, 1, 1] = float("nan")
        operation = cnnvis.explain(nn.Sequential(nn.Conv2d(1, 1, 3)), image, "0")
        unit = operation.at(0)
        assert np.isnan(unit.value)
        assert np.isnan(unit.working.result)
