"""Signs of links, by hand and against the weights themselves."""

import numpy as np
import pytest
import torch
from torch import nn

from cnnvis.attribution import connect, link_signs
from cnnvis.core.errors import InvalidInputError


def signs_by_pair(model, example):
    edges = connect(model, example=example)
    signs = link_signs(model, edges, example=example)
    pairs = zip(edges.source.tolist(), edges.target.tolist(), strict=True)
    return edges.units, dict(zip(pairs, signs.tolist(), strict=True))


def test_of_a_dense_layer_they_are_those_of_the_weights():
    model = nn.Sequential(nn.Linear(3, 2))
    model[0].weight.data = torch.tensor([[1.0, -2.0, 0.0], [-1.0, 5.0, 3.0]])
    _, signs = signs_by_pair(model, torch.zeros(1, 3))
    assert signs == {(0, 3): 1, (0, 4): -1, (1, 3): -1, (1, 4): 1, (2, 3): 0, (2, 4): 1}


def test_of_a_kernel_the_sum_counts():
    model = nn.Sequential(nn.Conv2d(1, 2, 2))
    model[0].weight.data = torch.tensor([[[[4.0, -1.0], [-1.0, -1.0]]], [[[3.0, -1.0], [-1.0, -2.0]]]])
    _, signs = signs_by_pair(model, torch.zeros(1, 1, 4, 4))
    assert signs == {(0, 1): 1, (0, 2): -1}


def test_of_a_flattened_channel_all_its_entries_count():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 9, 4))
    units, signs = signs_by_pair(model, torch.zeros(1, 1, 4, 4))
    sums = model[3].weight.detach().double().reshape(4, 3, 9).sum(dim=2).numpy()
    for channel in range(3):
        for score in range(4):
            assert signs[units.id("0", channel), units.id("3", score)] == np.sign(sums[score, channel])


@pytest.mark.parametrize("groups", [2, 4])
def test_of_grouped_convolutions_each_has_its_own_entries(groups):
    torch.manual_seed(1)
    model = nn.Sequential(nn.Conv2d(1, 4, 1), nn.Conv2d(4, 8, 3, groups=groups, padding=1))
    units, signs = signs_by_pair(model, torch.zeros(1, 1, 4, 4))
    weight, found = model[1].weight.detach().sum(dim=(2, 3)).numpy(), 0
    per_in, per_out = 4 // groups, 8 // groups
    for target in range(8):
        for entry in range(per_in):
            source = target // per_out * per_in + entry
            assert signs[units.id("0", source), units.id("1", target)] == np.sign(weight[target, entry])
            found += 1
    assert sum(source in range(units.offsets[1], units.offsets[1] + 4) for source, _ in signs) == found


def test_links_of_another_network_are_refused():
    example = torch.zeros(1, 3)
    edges = connect(nn.Sequential(nn.Linear(3, 2)), example=example)
    with pytest.raises(InvalidInputError, match="not between the units of this network"):
        link_signs(nn.Sequential(nn.Linear(3, 4)), edges, example=example)
