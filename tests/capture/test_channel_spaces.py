import numpy as np
import pytest
import space_nets as nets
import torch
from capture_nets import IMAGES, Dense, Lstm, Residual, Twice, Unet, Vit
from torch import nn
from torch.nn import functional

import cnnvis
from cnnvis.capture import channel_spaces, switch_off, trace
from cnnvis.core import Read
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError


def found(model, *example):
    """Return (layers, reads as strings) of each space, and the spaces."""
    spaces = channel_spaces(model, example or torch.rand(IMAGES))
    return {space.name: (space.layers, [_short(read) for read in space.reads]) for space in spaces}, spaces


def _short(read):
    start = f"[{read.start}]" if read.start else ""
    return read.value + start + (f"/{read.block}" if read.block > 1 else "")


def check(model, expected, *example):
    shown, spaces = found(model, *example)
    assert shown == {name: (tuple(layers.split()), reads.split()) for name, (layers, reads) in expected.items()}
    return spaces


def test_a_chain_is_read_behind_norm_activation_and_pooling():
    spaces = check(
        nets.Vgg(),
        {
            "x": ("", "x"),
            "conv1": ("conv1", "pool"),
            "conv2": ("conv2", "flatten/4"),
            "fc1": ("fc1", "sigmoid"),
            "fc2": ("fc2", "fc2"),
        },
    )
    assert [space.size for space in spaces] == [3, 4, 6, 7, 5]
    assert {layer: site.value for layer, site in spaces.sites.items()} == {
        "conv1": "relu",
        "conv2": "relu_1",
        "fc1": "sigmoid",
        "fc2": "fc2",
        "x": "x",
    }
    assert [space.name for space in spaces if space.is_output] == ["fc2"]
    assert [space.name for space in spaces.hidden] == ["conv1", "conv2", "fc1"]
    assert not any(space.obstacle for space in spaces)


def test_a_residual_stream_is_one_space_of_all_that_add_to_it():
    spaces = check(
        Residual(),
        {"image": ("", "image"), "conv1": ("conv1 conv2", "relu flatten"), "fc": ("fc", "fc")},
    )
    assert spaces.sites["conv1"].value == "relu"  # two consumers: the next convolution and the addition
    assert spaces.sites["conv2"].value == "relu_op"
    assert spaces.of("conv2") is spaces.of("conv1")


def test_a_stream_before_activations_is_read_behind_each_readers_own():
    spaces = check(
        nets.PreActivation(),
        {
            "x": ("", "x"),
            "stem": ("stem blocks.0.conv2 blocks.1.conv2", "relu relu_2 mean"),
            "blocks.0.conv1": ("blocks.0.conv1", "relu_1"),
            "blocks.1.conv1": ("blocks.1.conv1", "relu_3"),
            "fc": ("fc", "fc"),
        },
    )
    assert spaces.sites["stem"].value == "stem"
    assert spaces.sites["blocks.0.conv2"].value == "add"
    assert spaces.sites["blocks.0.conv1"].value == "relu_1"


def test_concatenations_lay_spaces_side_by_side():
    check(
        nets.DenseNet(),
        {
            "x": ("", "x"),
            "stem": ("stem", "relu relu_1"),
            "layer": ("layer", "relu_1[4]"),
            "transition": ("transition", "flatten"),
            "fc": ("fc", "fc"),
        },
    )
    spaces = check(
        Unet(),
        {
            "x": ("", "x"),
            "down.0": ("down.0", "pool cat"),
            "middle": ("middle", "silu"),
            "up": ("up", "cat[4]"),
            "out": ("out", "out"),
        },
    )
    assert spaces.sites["down.0"].value == "down.1"
    assert spaces.sites["up"].value == "up"


def test_a_gate_shares_the_space_of_what_it_gates():
    spaces = check(
        nets.SqueezeExcite(),
        {
            "x": ("", "x"),
            "expand": ("expand depthwise excite", "mean mul"),
            "squeeze": ("squeeze", "relu"),
            "project": ("project", "mean_1"),
            "fc": ("fc", "fc"),
        },
    )
    assert spaces.sites["expand"].value == "act"
    assert spaces.sites["depthwise"].value == "act_1"
    assert spaces.sites["excite"].value == "sigmoid"  # a reshape ends the way


def test_grouped_convolutions_read_and_open():
    spaces = check(
        nets.Grouped(),
        {
            "x": ("", "x"),
            "stem": ("stem", "stem"),
            "grouped": ("grouped", "grouped"),
            "doubling": ("doubling", "mean"),
            "fc": ("fc", "fc"),
        },
    )
    assert [space.groups for space in spaces] == [1, 2, 6, 6, 1]
    # a depthwise convolution of two spaces at once belongs to neither
    assert found(Dense())[0]["stem"] == (("stem",), ["stem", "cat_1", "cat_1[8]"])


def test_several_outputs_each_have_their_classes():
    spaces = check(
        nets.TwoHeads(),
        {"x": ("", "x"), "body": ("body", "relu"), "classes": ("classes", "mean"), "boxes": ("boxes", "boxes")},
    )
    assert [space.name for space in spaces if space.is_output] == ["classes", "boxes"]


def test_calls_of_one_module_share_what_goes_in_and_what_comes_out():
    pair = torch.rand(IMAGES), torch.rand(IMAGES)
    check(
        nets.SharedBody(),
        {"a": ("", "a b"), "body": ("body body_1", "amax amax_1"), "left": ("left right", "add")},
        *pair,
    )
    spaces = found(Twice())[1]  # its output is its input
    assert spaces.of("conv").layers == ("conv", "conv_1")
    assert "network's input x" in spaces.of("conv").obstacle


def test_two_modules_with_one_weight_are_one():
    model = nn.Sequential(nn.Linear(12, 6), nn.ReLU(), nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 6), nn.Linear(6, 3))
    model[4].weight = model[2].weight
    check(model, {"0": ("0 2 4", "1 3 4"), "5": ("5", "5"), "input": ("", "input")}, torch.rand(2, 12))
    clash = nn.Sequential(nn.Linear(12, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 3))
    clash[4].weight.data = clash[2].weight.data[:3]  # same memory, other size
    assert channel_spaces(clash, torch.rand(2, 12)).of("2").obstacle == "2 and 4 share weights"


def test_units_of_a_flattened_input_are_its_pixels():
    spaces = check(
        nets.perceptron(),
        {"0": ("", "0"), "1": ("1", "2"), "3": ("3", "4"), "5": ("5", "5")},
        torch.rand(2, 3, 2, 2),
    )
    assert spaces.of("0").size == 12
    assert spaces.sites["0"] == Read("0")


@pytest.mark.parametrize(
    ("model", "layer", "obstacle"),
    [
        (nets.Shuffled, "conv", "view .* not followed"),
        (nets.Shuffled, "grow", "norm .GroupNorm. makes each channel depend"),
        (nets.SpatialGate, "conv", "mean .* not followed"),
        (nets.SpatialGate, "gate", "spreads it over all channels"),
        (nets.SpatialGate, "other", "numbers of its own per channel"),
        (Vit, "patch", "cat joins them with numbers of its own"),
        (Vit, "own.qkv", "own.reshape .* not followed"),
    ],
)
def test_obstacles(model, layer, obstacle):
    space = channel_spaces(model(), torch.rand(IMAGES)).of(layer)
    with pytest.raises(AssertionError, match=obstacle):
        raise AssertionError(space.obstacle)


def test_tokens_have_their_channels_last():
    spaces = channel_spaces(Vit(), torch.rand(IMAGES))
    assert spaces.of("patch").layers == ("patch", "own.proj")
    assert {(read.value, read.axis) for read in spaces.of("patch").reads} == {("norm", 2), ("add", 2), ("getitem", 1)}
    assert spaces.sites["own.qkv"] == Read("own.qkv", axis=2)


def test_what_is_not_known_reads_and_obstructs():
    model = Lstm()
    spaces = channel_spaces(model, torch.rand(2, 7, 4))
    assert "lstm (LSTM)" in spaces.of("x").obstacle
    assert spaces.of("fc").is_output


def test_a_norm_of_everything_reads_everything():
    class Normed(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.fc = nn.Conv2d(3, 4, 1), nn.Linear(4, 5)

        def forward(self, x):
            x = self.conv(x)
            return self.fc((x / x.norm()).mean((2, 3)))

    space = channel_spaces(Normed(), torch.rand(IMAGES)).of("conv")
    assert [read.value for read in space.reads] == ["conv", "mean"]
    assert "conv gives is used" in space.obstacle


class Means(nn.Module):
    """Means over axes of equal size: which one is the channels' cannot be told from shapes."""

    def __init__(self, axes):
        super().__init__()
        self.conv, self.axes, self.fc = nn.Conv2d(3, 8, 1), axes, nn.Linear(8, 5)

    def forward(self, x):
        return self.fc(self.conv(x).mean(self.axes))


@pytest.mark.parametrize(("axes", "kept"), [((2, 3), True), ((1, 3), False), ((1, 2), False)])
def test_means_are_told_apart_by_their_values(axes, kept):
    space = channel_spaces(Means(axes), torch.rand(IMAGES)).of("conv")
    assert [read.value for read in space.reads] == ["mean" if kept else "conv"]
    assert (space.obstacle == "") == kept


class Between(nn.Module):
    """An operation between a convolution of 8 channels and one that reads what comes out."""

    def __init__(self, operation, n_channels=8):
        super().__init__()
        self.conv, self.operation, self.after = nn.Conv2d(3, 8, 1), operation, nn.Conv2d(n_channels, 2, 1)

    def forward(self, x):
        return self.after(self.operation(self.conv(x)))


KEEPING = {
    "pad": lambda x: functional.pad(x, (1, 1)),
    "ZeroPad2d": nn.ZeroPad2d(1),
    "ReflectionPad2d": nn.ReflectionPad2d(1),
    "interpolate": lambda x: functional.interpolate(x, scale_factor=2),
    "Upsample": nn.Upsample(scale_factor=2),
    "strided": lambda x: x[:, :, ::2, 1:],
    "one column": lambda x: x[:, :, 0].unsqueeze(2),
    "there and back": lambda x: x.permute(0, 2, 3, 1).permute(0, 3, 1, 2),
    "channels last": lambda x: x.contiguous(memory_format=torch.channels_last).reshape(-1, 8, 64).unsqueeze(3),
    "flat positions": lambda x: nn.Unflatten(2, (8, 8))(nn.Flatten(2)(x)),
    "maximum": lambda x: x.flatten(2).max(2)[0].view(-1, 8, 1, 1),
    "mean": lambda x: x.mean((2, 3), keepdim=True).expand(-1, -1, 4, 4),
    "pool": nn.MaxPool2d(2),
    "lp_pool": lambda x: functional.lp_pool2d(x, 2, 2),
    "prelu": nn.PReLU(8),
    "instance norm": nn.InstanceNorm2d(8, affine=True),
    "gate of itself": lambda x: x * x.sigmoid() + 0.5 * x.abs().clamp(max=3.0),
    "blend": lambda x: torch.where(x > 0, x, torch.maximum(0.1 * x, x.square())),
    "dropout": nn.Dropout2d(),
}
MIXING = {
    "flip": lambda x: x.flip(1),
    "roll": lambda x: x.roll(1, 1),
    "pick": lambda x: x[:, [1, 0, 2, 3, 4, 5, 6, 7]],
    "softmax": lambda x: x.softmax(1),
    "cumsum": lambda x: x.cumsum(1),
    "layer norm": nn.LayerNorm((8, 8, 8)),
    "local response norm": nn.LocalResponseNorm(3),
    "shuffle": nn.ChannelShuffle(2),
    "pixels": lambda x: functional.pixel_unshuffle(functional.pixel_shuffle(x, 2), 2),
    "transposed": lambda x: x.transpose(1, 2),
    "regrouped": lambda x: x.view(-1, 4, 16, 8).reshape(-1, 8, 8, 8)[:, :, :, :],
    "batched": lambda x: x.reshape(-1, 4, 8, 8).reshape(-1, 8, 8, 8),
    "written": lambda x: torch.zeros_like(x).index_copy(1, torch.arange(8), x),
    "matmul": lambda x: torch.einsum("nchw,cd->ndhw", x, torch.eye(8)),
    "own numbers": lambda x: x + torch.arange(8.0).view(8, 1, 1),
}


@pytest.mark.parametrize("name", KEEPING)
def test_what_keeps_channels(name):
    model, images = nets.made_interesting(Between(KEEPING[name])), torch.rand(IMAGES) - 0.5
    spaces = channel_spaces(model, images)
    space = spaces.of("conv")
    assert (space.obstacle, len(space.reads), space.reads[0].block) == ("", 1, 1)
    with torch.no_grad(), switch_off(model, {"conv": [3]}, spaces=spaces):
        expected = model(images)
    with torch.no_grad():
        model.after.weight[:, 3] = 0
        torch.testing.assert_close(model(images), expected)


@pytest.mark.parametrize("name", MIXING)
def test_what_obstructs(name):
    assert channel_spaces(Between(MIXING[name]), torch.rand(IMAGES)).of("conv").obstacle


def test_exported_programs(tmp_path):
    model = nets.made_interesting(nets.Vgg())
    torch.export.save(torch.export.export(model, (torch.zeros(1, 3, 8, 8),)), tmp_path / "p.pt2")
    spaces = channel_spaces(cnnvis.models.load(tmp_path / "p.pt2"), torch.rand(1, 3, 8, 8))
    assert [space.layers for space in spaces] == [(), ("conv1",), ("conv2",), ("fc1",), ("fc2",)]
    assert spaces.of("conv2").reads[0].block == 4


def test_efficientnet():
    network = cnnvis.models.load("efficientnet-lite0")
    spaces = channel_spaces(network)
    assert sorted(spaces.names) == sorted(trace(network).units.layers)
    assert not any(space.obstacle for space in spaces)
    stream = spaces.of("_blocks.1._project_conv")
    assert stream.layers == ("_blocks.1._project_conv", "_blocks.2._project_conv")
    assert [read.value for read in stream.reads] == ["_blocks.1._bn2", "_blocks.2.add"]
    assert spaces.sites["_blocks.1._expand_conv"].value == "_blocks.1._swish"
    assert spaces.of("_fc").is_output


REMOVABLE = [Residual, Unet, nets.Vgg, nets.PreActivation, nets.DenseNet, nets.SqueezeExcite]
REMOVABLE += [nets.Grouped, nets.TwoHeads]


@pytest.mark.parametrize("kind", REMOVABLE)
def test_what_an_unread_channel_holds_does_not_matter(kind):
    """Filters of a channel that is off may hold anything, NaN too: it is as if they were not there."""
    model, images = nets.made_interesting(kind()), torch.rand(IMAGES) - 0.5
    spaces = channel_spaces(model, images)
    modules = dict(model.named_modules())
    for space in spaces.hidden:
        channel = space.size - 1
        with torch.no_grad(), switch_off(model, {space.name: [channel]}, spaces=spaces):
            before = _outputs(model(images))
            kept = {layer: modules[layer].weight.detach().clone() for layer in space.layers}
            for layer in space.layers:
                weight = modules[layer].weight
                transposed = isinstance(modules[layer], nn.ConvTranspose2d)
                (weight[:, channel] if transposed else weight[channel]).fill_(torch.nan)
            after = _outputs(model(images))
            for layer, weight in kept.items():
                modules[layer].weight.copy_(weight)
        assert after.isfinite().all(), space.name
        torch.testing.assert_close(after, before, rtol=0, atol=0)
        with torch.no_grad():
            assert not torch.equal(_outputs(model(images)), before), space.name  # it was of use


def _outputs(output):
    tensors = [output] if isinstance(output, torch.Tensor) else [output["classes"], *output["boxes"]]
    return torch.cat([tensor.flatten() for tensor in tensors])


def test_zero_where_it_is_read_is_a_smaller_network():
    """By hand: filter 1 of conv1 and filters 2 and 5 of conv2 cut out, with all that belongs to them."""
    model, images = nets.made_interesting(nets.Vgg()), torch.rand(IMAGES) - 0.5
    one, two = np.delete(np.arange(4), 1), np.delete(np.arange(6), [2, 5])
    flat_entries = Read("flatten", block=4).entries(two)

    def norm(x, bn, keep):
        return functional.batch_norm(x, bn.running_mean[keep], bn.running_var[keep], bn.weight[keep], bn.bias[keep])

    with torch.no_grad():
        x = functional.conv2d(images, model.conv1.weight[one], model.conv1.bias[one], padding=1)
        x = functional.max_pool2d(norm(x, model.bn1, one).relu(), 2)
        x = functional.conv2d(x, model.conv2.weight[two][:, one], model.conv2.bias[two], padding=1)
        x = functional.max_pool2d(norm(x, model.bn2, two).relu(), 2).flatten(1)
        x = functional.linear(x, model.fc1.weight[:, flat_entries], model.fc1.bias).sigmoid()
        smaller = model.fc2(x)
        with switch_off(model, {"conv1": [1], "conv2": [2, 5]}, example=images):
            torch.testing.assert_close(model(images), smaller)


def test_the_model_comes_back_as_it_was_and_needs_an_example():
    model = Residual()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    channel_spaces(model, torch.rand(IMAGES))
    assert model.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    with pytest.raises(InvalidInputError, match="channel_spaces needs an example input for Residual"):
        channel_spaces(model)
    with pytest.raises(LayerNotFoundError, match="Did you mean: conv"):
        channel_spaces(model, torch.rand(IMAGES)).of("conv3")
