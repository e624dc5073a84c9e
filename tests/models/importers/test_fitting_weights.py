"""Foreign weights in a torch module: the same numbers come out as by the definition with channels last."""

from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cnnvis.core.errors import CheckpointError, FileFormatError, InvalidInputError, MissingFileError
from cnnvis.models.importers import ForeignWeights
from cnnvis.models.importers._fitting import fill, read_names
from cnnvis.models.importers._flattening import read_flattened

RNG = np.random.default_rng(0)


def foreign(arrays, unread=None):
    shapes = {name: array.shape for name, array in arrays.items()}
    return ForeignWeights(Path("net.ckpt"), shapes, arrays.__getitem__, unread or {})


def random(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def filled(module, arrays, names, example):
    fill(module, (example,), foreign(arrays), names)
    with torch.no_grad():
        return module(example).numpy()


def test_a_convolution_is_that_of_channels_last():
    x, kernel = random(1, 5, 6, 3), random(2, 3, 3, 4)  # N H W C; H W in out
    expected = np.zeros((1, 4, 4, 4), np.float32)
    for row in range(4):
        for column in range(4):
            expected[0, :, row, column] = np.einsum("hwc,hwco->o", x[0, row : row + 2, column : column + 3], kernel)
    module = nn.Conv2d(3, 4, (2, 3), bias=False)
    got = filled(module, {"k": kernel}, {"k": "weight"}, torch.from_numpy(x.transpose(0, 3, 1, 2)))
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_a_depthwise_convolution_has_its_outputs_side_by_side_for_each_input():
    x, kernel = random(1, 3, 3, 2), random(3, 3, 2, 5)  # H W in multiplier
    expected = np.einsum("hwc,hwcm->cm", x[0], kernel).reshape(-1)
    module = nn.Conv2d(2, 10, 3, groups=2, bias=False)
    got = filled(module, {"k": kernel}, {"k": "weight"}, torch.from_numpy(x.transpose(0, 3, 1, 2)))
    np.testing.assert_allclose(got[0, :, 0, 0], expected, atol=1e-5)


def test_a_grouped_convolution_keeps_its_groups():
    x, kernel = random(1, 1, 1, 4), random(1, 1, 2, 6)  # two groups of two inputs and three outputs
    expected = np.concatenate([x[0, 0, 0, :2] @ kernel[0, 0, :, :3], x[0, 0, 0, 2:] @ kernel[0, 0, :, 3:]])
    module = nn.Conv2d(4, 6, 1, groups=2, bias=False)
    got = filled(module, {"k": kernel}, {"k": "weight"}, torch.from_numpy(x.transpose(0, 3, 1, 2)))
    np.testing.assert_allclose(got[0, :, 0, 0], expected, atol=1e-5)


def test_a_transposed_convolution_spreads_each_pixel():
    x, kernel = random(1, 2, 2, 3), random(2, 2, 4, 3)  # H W out in, as conv2d_transpose has it
    expected = np.zeros((4, 4, 4), np.float32)
    for row in range(2):
        for column in range(2):
            patch = np.einsum("c,hwoc->ohw", x[0, row, column], kernel)
            expected[:, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2] = patch
    module = nn.ConvTranspose2d(3, 4, 2, 2, bias=False)
    got = filled(module, {"k": kernel}, {"k": "weight"}, torch.from_numpy(x.transpose(0, 3, 1, 2)))
    np.testing.assert_allclose(got[0], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("axes", "layer"), [((3, 2, 4), nn.Conv1d(2, 4, 3)), ((3, 1, 2, 2, 4), nn.Conv3d(2, 4, (3, 1, 2)))]
)
def test_convolutions_in_one_and_three_dimensions(axes, layer):
    kernel = random(*axes)
    example = torch.zeros(1, 2, *(4 for _ in axes[:-2]))
    filled(layer, {"k": kernel, "b": random(4)}, {"k": "weight", "b": "bias"}, example)
    assert torch.equal(layer.weight[1, 0], torch.from_numpy(kernel[..., 0, 1].copy()))


class Method(nn.Module):
    """Flattens in one of many ways, and goes on to a norm and a dense layer."""

    def __init__(self, flatten):
        super().__init__()
        self.flatten, self.norm, self.fc = flatten, nn.BatchNorm1d(12), nn.Linear(12, 5)

    def forward(self, x):
        return self.fc(nn.functional.dropout(torch.relu(self.norm(self.flatten(x))), training=False))


@pytest.mark.parametrize(
    "flatten",
    [
        nn.Flatten(),
        lambda x: torch.flatten(x, 1),
        lambda x: x.view(x.size(0), -1),
        lambda x: torch.reshape(torch.relu(x), (-1, 12)),
        lambda x: x.permute(0, 2, 3, 1).flatten(1),
        lambda x: torch.relu(x.movedim(1, 3)).reshape(len(x), -1),
    ],
)
def test_dense_layers_behind_maps_read_rows_columns_channels(flatten):
    x, kernel = np.abs(random(1, 2, 2, 3)), random(12, 5)
    arrays = {"k": kernel, "b": random(5), "g": random(12), "o": random(12), "m": random(12), "v": np.abs(random(12))}
    scaled = (x.reshape(-1) - arrays["m"]) / np.sqrt(arrays["v"] + 1e-5) * arrays["g"] + arrays["o"]
    expected = np.maximum(scaled, 0) @ kernel + arrays["b"]
    names = {"k": "fc.weight", "b": "fc.bias", "g": "norm.weight", "o": "norm.bias", "m": "norm.running_mean"}
    module = Method(flatten).eval()
    got = filled(module, arrays, names | {"v": "norm.running_var"}, torch.from_numpy(x.transpose(0, 3, 1, 2).copy()))
    np.testing.assert_allclose(got[0], expected, rtol=1e-4, atol=1e-5)


def test_only_what_reads_maps_of_several_pixels_is_reordered():
    pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    assert read_flattened(pooled, (torch.zeros(1, 3, 4, 4),)) == {}
    dense = nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.ReLU(), nn.Linear(4, 2))
    assert read_flattened(dense, (torch.zeros(1, 3, 2, 2),)) == {"1.weight": (3, 2, 2), "1.bias": (3, 2, 2)}


def test_a_network_that_cannot_run_says_so():
    with pytest.raises(InvalidInputError, match="cannot be run with its example input"):
        fill(nn.Linear(2, 2), (torch.zeros(1, 3),), foreign({}), {})


def small():
    layers = OrderedDict(conv=nn.Conv2d(1, 2, 3), flat=nn.Flatten(), fc=nn.Linear(8, 3))
    return nn.Sequential(layers), torch.zeros(1, 1, 4, 4)


FITTING = {"k": random(3, 3, 1, 2), "b": random(2), "w": random(8, 3), "c": random(3)}
NAMES = {"k": "conv.weight", "b": "conv.bias", "w": "fc.weight", "c": "fc.bias"}


@pytest.mark.parametrize(
    ("arrays", "names", "lines"),
    [
        (
            {},
            NAMES | {"kernel": "conv.weight", "k": "conv.w"},
            ["1 not in the file:\n  kernel", "not in the network:\n  conv.w (near: conv.weight"],
        ),
        (
            {},
            {"k": "conv.weight"},
            ["3 of the network without a source:\n  conv.bias  2\n  fc.weight  3x8\n  fc.bias  3"],
        ),
        ({"k": random(3, 3, 2, 2)}, NAMES, ["k: 3x3x2x2 in the file, 2x2x3x3 as conv.weight, which is 2x1x3x3"]),
        ({"w": random(9, 3), "b": random(2, 1)}, NAMES, ["w: 9x3 in the file, 3x9 as fc.weight", "b: 2x1 in the file"]),
        ({"k": np.float32(1)}, NAMES, ["k: scalar in the file, scalar as conv.weight"]),
    ],
)
def test_everything_that_does_not_fit_is_named_and_nothing_changes(arrays, names, lines):
    module, example = small()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    with pytest.raises(CheckpointError) as caught:
        fill(module, (example,), foreign(FITTING | arrays), names)
    for line in lines:
        assert line in str(caught.value)
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


def test_a_tensor_with_two_names_needs_one_source():
    module = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))
    module[1].weight = module[0].weight
    fill(module, (torch.zeros(1, 3),), foreign({"w": FITTING["w"][:3]}), {"w": "0.weight"})
    np.testing.assert_array_equal(module[1].weight.detach().numpy(), FITTING["w"][:3].T)


def test_what_is_left_out_is_told_by_its_kind():
    module, example = small()
    others = {"k/Adam": random(1), "beta1_power": random(1), "optimizer/slot/0": random(1), "old/kernel": random(1)}
    others["k/ExponentialMovingAverage"] = random(1)  # may be what the user wants
    assert fill(module, (example,), foreign(FITTING | others, {"graph": "text"}), NAMES) == [
        "3 kept by the optimizer: k/Adam, beta1_power, optimizer/slot/0.",
        "2 without a name in the map: old/kernel, k/ExponentialMovingAverage.",
        "1 that are no numbers: graph (text).",
    ]


def test_integers_and_double_precision_become_what_the_network_has():
    module, example = small()
    arrays = {
        name: (array * 4).astype(kind)
        for (name, array), kind in zip(FITTING.items(), ("f8", "i8", "f2", ">f4"), strict=True)
    }
    fill(module, (example,), foreign(arrays), NAMES)
    assert module.fc.bias.dtype == torch.float32
    np.testing.assert_array_equal(module.fc.bias.detach().numpy(), arrays["c"].astype(np.float32))
    np.testing.assert_array_equal(module.conv.bias.detach().numpy(), arrays["b"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"a": "b", "c": "b"}', "names of the network twice: b"),
        ('{"a": "b", "a": "c"}', "names of the file twice: a"),
        ('{"a": 1}', "must map names to names"),
        ('["a"]', "must map names to names"),
        ('{"a": {"b": "c"}}', "must map names to names"),
        ('{"a": "b"', r"map\.json is no JSON"),
        (b"\xff\xfe{", r"map\.json is no JSON"),
    ],
)
def test_a_map_that_is_none_is_refused(content, message, tmp_path):
    path = tmp_path / "map.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(FileFormatError, match=message):
        read_names(path)


def test_a_map_is_a_file_or_a_mapping(tmp_path):
    (tmp_path / "map.json").write_text('{"k": "conv.weight"}')
    assert read_names(tmp_path / "map.json") == read_names({"k": "conv.weight"}) == {"k": "conv.weight"}
    with pytest.raises(MissingFileError, match="no map of names"):
        read_names(tmp_path / "none.json")
