"""Where scales are put in: the value of a module or an operation, an input, a part of an axis, tokens."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from cnnvis.attribution._scale_sites import Site, SiteNetwork, sites_of
from cnnvis.attribution.batchnorm import by_batchnorm
from cnnvis.capture.inputs import as_call
from cnnvis.capture.spaces import channel_spaces
from cnnvis.core import Read
from cnnvis.core.errors import InvalidInputError


class Concat(nn.Module):
    def __init__(self):
        super().__init__()
        self.left = nn.Conv2d(2, 3, 1)
        self.right = nn.Conv2d(2, 4, 1)
        self.fc = nn.Linear(7 * 4, 3)

    def parts(self, x):
        return functional.relu(self.left(x)), functional.relu(self.right(x))

    def forward(self, x):
        return self.fc(torch.cat(self.parts(x), 1).flatten(1))


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(5, 4)
        self.act = nn.GELU()
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        return self.head(self.act(self.embed(x))).mean(1)


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = nn.Linear(5, 4), nn.Linear(4, 4), nn.Linear(4, 3)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.last(self.act(self.second(self.act(self.first(x)))))


def network(model, sites, images):
    return SiteNetwork(model, sites, as_call(model, images))


def run(model, sites, images, visit):
    found = network(model, sites, images)
    with found.opened():
        return found.run(as_call(model, images), visit).float()


def scale(factors):
    """Return the visitor that multiplies the units of site i by factors[i]."""
    return lambda number, values: values * factors[number].double()[:, None]


def test_a_part_of_a_concatenated_and_flattened_axis():
    model, images = Concat(), torch.randn(4, 2, 2, 2)
    factors = [torch.tensor([2.0, 0.0, -1.0]), torch.tensor([1.0, 5.0, 0.0, 3.0])]
    left, right = model.parts(images)
    both = [part * factor[:, None, None] for part, factor in zip((left, right), factors, strict=True)]
    expected = model.fc(torch.cat(both, 1).flatten(1))
    in_cat = [Site(Read("cat"), 3, ("left",)), Site(Read("cat", 3), 4, ("right",))]
    flat = [Site(Read("flatten", 0, 4), 3, ("left",)), Site(Read("flatten", 12, 4), 4, ("right",))]
    for sites in (in_cat, flat):
        torch.testing.assert_close(run(model, sites, images, scale(factors)), expected)
    only_right = run(model, in_cat[1:], images, scale(factors[1:]))
    torch.testing.assert_close(only_right, model.fc(torch.cat([left, both[1]], 1).flatten(1)))


def test_tokens_have_their_channels_last():
    model, tokens = Tokens(), torch.randn(6, 7, 5)
    spaces = channel_spaces(model, tokens)
    (site,) = sites_of(spaces, ["embed"])
    factor = torch.tensor([2.0, 0.0, -1.0, 1.0])
    seen = []

    def visit(number, values):
        seen.append(values.shape)
        return scale([factor])(number, values)

    expected = model.head(model.act(model.embed(tokens)) * factor).mean(1)
    torch.testing.assert_close(run(model, [site], tokens, visit), expected)
    assert seen == [(6, 4, 7)]


def test_one_call_of_a_module_that_is_called_twice():
    model, images = Twice(), torch.randn(6, 5)
    factor = torch.tensor([2.0, 0.0, -1.0, 1.0])
    expected = model.last(model.act(model.second(model.act(model.first(images)) * factor)))
    sites = sites_of(channel_spaces(model, images), ["first"])
    torch.testing.assert_close(run(model, sites, images, scale([factor])), expected)


def test_the_input_itself():
    model, images = nn.Sequential(nn.Linear(5, 3)), torch.randn(6, 5)
    factor = torch.arange(5.0)
    sites = sites_of(channel_spaces(model, images), ["input"])
    torch.testing.assert_close(run(model, sites, images, scale([factor])), model(images * factor))


def test_layers_that_are_read_in_the_same_place_share_a_site():
    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = nn.Linear(5, 4), nn.Linear(5, 4), nn.Linear(4, 3)

        def forward(self, x):
            return self.c(functional.relu(self.a(x) + self.b(x)))

    model, images = Sum(), torch.randn(30, 5)
    (site,) = sites_of(channel_spaces(model, images), ["a", "b"])
    assert site.layers == ("a", "b")
    found = by_batchnorm(model, (images, torch.arange(30) % 3), steps=5, batch_size=8)
    assert found["a"].tolist() == found["b"].tolist()


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (nn.Sequential(nn.Linear(5, 1)), "single output"),
        (nn.Sequential(nn.Unflatten(1, (1, 5)), nn.Conv1d(1, 2, 1)), r"\(2, 2, 5\)"),
        (nn.LSTM(5, 3, batch_first=True), "tuple"),
    ],
)
def test_a_network_without_class_logits(model, says):
    with pytest.raises(InvalidInputError, match=says):
        network(model, [], torch.randn(2, 5) if not isinstance(model, nn.LSTM) else torch.randn(2, 4, 5))
