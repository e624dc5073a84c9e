"""Links of random networks against experiment: change one unit, hold all others, and see which layers notice."""

from contextlib import suppress

import numpy as np
import pytest
import torch
from connection_oracle import changed_links, programs
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from cnnvis import connect
from cnnvis.capture import trace
from cnnvis.core.errors import InvalidInputError

EXAMPLE = torch.randn(1, 2, 4, 4, dtype=torch.double, generator=torch.Generator().manual_seed(0))


def pairs(edges):
    return set(zip(edges.source.tolist(), edges.target.tolist(), strict=True))


def check(model):
    edges = connect(model, example=EXAMPLE)
    assert pairs(edges) == changed_links(model, EXAMPLE)
    assert len(pairs(edges)) == len(edges)
    assert edges.notes == ()
    with suppress(InvalidInputError):  # a graph does not say what a chunk takes; where it knows all, it is right
        by_graph = connect(trace(model, EXAMPLE))
        assert by_graph.notes or pairs(by_graph) == pairs(edges)


@settings(max_examples=12)
@given(programs())
def test_links_are_what_a_change_of_one_unit_reaches(model):
    check(model)


class Between(nn.Module):
    """An operation between a convolution of 4 channels of 4 x 4 and a dense layer that reads every entry."""

    def __init__(self, operation):
        super().__init__()
        self.conv, self.operation = nn.Conv2d(2, 4, 3, padding=1), operation
        self.fc = nn.Linear(operation(torch.zeros(1, 4, 4, 4)).numel(), 3)
        self.after = nn.Conv1d(operation(torch.zeros(1, 4, 4, 4)).shape[1], 3, 1)

    def forward(self, x):
        x = self.operation(self.conv(x))
        return self.fc(x.flatten(1)) + self.after(x.flatten(2)).mean(2)


def written(x):
    """The channels in another order, one of them a constant, by assignment."""
    result = torch.zeros_like(x)
    result[:, :3] = x[:, [2, 0, 1]]
    result[:, 3] = 0.5
    return result


def changed_in_place(x):
    x = x.clone()
    x += 1
    return functional.relu(x, inplace=True) - 0.1 * x.sin_()


OPERATIONS = {
    "flip": lambda x: x.flip(1),
    "roll": lambda x: x.roll(1, 1),
    "pick": lambda x: x[:, [3, 1]],
    "index_select": lambda x: x.index_select(1, torch.tensor([0, 0, 2])),
    "split": lambda x: x.split([1, 3], 1)[1],
    "unbind and stack": lambda x: torch.stack(x.unbind(1)[:3], 1),
    "pixel shuffle": lambda x: functional.pixel_shuffle(x, 2),
    "pixel unshuffle": nn.PixelUnshuffle(2),
    "channel shuffle": nn.ChannelShuffle(2),
    "unfold": lambda x: functional.unfold(x, 2, stride=2)[..., None],
    "repeat": lambda x: x.repeat(1, 2, 1, 1),
    "expand": lambda x: x.mean((2, 3), keepdim=True).expand(-1, -1, 2, 2),
    "written": written,
    "in place": changed_in_place,
    "pad": lambda x: functional.pad(x, (1, 0, 0, 0, 0, 2), value=3.0),
    "reflect": lambda x: functional.pad(x, (1, 1, 0, 0), mode="reflect"),
    "ReplicationPad2d": nn.ReplicationPad2d(1),
    "upsample": nn.Upsample(scale_factor=2, mode="bilinear"),
    "max over positions": lambda x: x.flatten(2).max(2)[0].view(-1, 4, 1, 1),
    "mean of channels": lambda x: x.mean(1, keepdim=True),
    "sum of halves": lambda x: x.view(-1, 2, 2, 4, 4).sum(1),
    "largest channel": lambda x: x.amax(dim=1, keepdim=True),
    "gate by another": lambda x: x[:, :2] * torch.sigmoid(x[:, 2:]),
    "channels as rows": lambda x: x.transpose(1, 2),
    "rows and channels as one": lambda x: x.reshape(len(x), 8, 8, 1),
    "there and back": lambda x: x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2),
    "tokens": lambda x: x.flatten(2).transpose(1, 2)[..., None],
    "with a constant": lambda x: torch.cat([torch.ones(1, 1, 4, 4, dtype=x.dtype), x], 1),
    "beside itself": lambda x: torch.hstack([x, x.abs()]),
    "blend": lambda x: torch.where(x > 0, x, torch.maximum(0.1 * x, x.square())),
    "prelu": nn.PReLU(4),
    "instance norm": nn.InstanceNorm2d(4),
    "dropout": nn.Dropout(),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_hand_on_what_they_do(name):
    torch.manual_seed(1)
    model = Between(OPERATIONS[name]).double().eval()
    edges = connect(model, example=EXAMPLE)
    assert edges.notes == ()
    assert pairs(edges) == changed_links(model, EXAMPLE)


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("cumsum", lambda x: x.cumsum(1)),
        ("einsum", lambda x: torch.einsum("nchw,cd->ndhw", x, torch.eye(4, dtype=x.dtype))),
        ("fold", lambda x: functional.fold(functional.unfold(x, 2), 4, 2)),
        ("sort", lambda x: x.sort(1)[0]),
    ],
)
def test_what_is_not_followed_is_named(name, operation):
    with torch.no_grad():
        model = Between(lambda x: operation(x) if x.dtype is torch.double else x).double().eval()
        edges = connect(model, example=EXAMPLE)
    assert edges.notes == (f"Not followed, so no links lead through: {name} ({name}).",)
    assert set(edges.units.layer_of(edges.target)) == {edges.units.index("conv")}


@pytest.mark.slow
@settings(max_examples=300)
@given(programs())
def test_links_are_what_a_change_of_one_unit_reaches_at_length(model):
    check(model)


@settings(max_examples=12)
@given(programs(), st.data())
def test_a_kernel_of_zeros_is_a_link_of_weight_zero_and_reaches_nothing(model, data):
    units = trace(model, EXAMPLE).units
    layer = data.draw(st.sampled_from(units.layers[units.n_inputs :]))
    weight = model.get_submodule(layer).weight
    one, two = (data.draw(st.integers(0, size - 1)) for size in weight.shape[:2])
    before = connect(model, example=EXAMPLE)
    with torch.no_grad():
        weight[one, two] = 0
    after = connect(model, example=EXAMPLE)
    assert pairs(before) == pairs(after)  # the link is there, but weighs nothing
    is_reached = after.weight > 0
    reached = set(zip(after.source[is_reached].tolist(), after.target[is_reached].tolist(), strict=True))
    assert reached == changed_links(model, EXAMPLE)
    is_of_layer = after.units.layer_of(after.target) == after.units.index(layer)
    assert np.array_equal(before.weight[~is_of_layer], after.weight[~is_of_layer])
