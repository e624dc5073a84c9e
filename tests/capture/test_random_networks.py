"""Networks drawn at random from convolutions, sums, concatenations, dropouts and in-place operations."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from cnnvis.capture import channel_spaces, record, switch_off, trace

KINDS = ["conv", "drop", "relu", "add", "iadd", "cat"]
STEPS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 99), st.integers(0, 99)),
    min_size=1,
    max_size=10,
)


class Drawn(nn.Module):
    """Runs the steps; notes names, links and values as it means to have them, without looking at any trace."""

    def __init__(self, steps):
        super().__init__()
        self.plan, channels, fixed = [], [3], {0}
        self.body = nn.ModuleDict()
        for number, (kind, first, second) in enumerate(steps):
            a = first % len(channels)
            partners = [i for i, n in enumerate(channels) if kind == "cat" or n == channels[a]]
            b = partners[second % len(partners)]
            if kind == "conv":
                self.body[f"conv{number}"] = nn.Conv2d(channels[a], 2, 3, padding=1)
            if kind == "drop":
                self.body[f"drop{number}"] = nn.Dropout()
                fixed |= {a, len(channels)}  # in eval mode two names for one tensor: not to be changed in place
            in_place = kind in ("relu", "iadd") and a not in fixed
            self.plan.append((kind, number, a, b, in_place))
            if not in_place:
                channels.append({"conv": 2, "cat": channels[a] + channels[b]}.get(kind, channels[a]))

    def forward(self, image):
        self.links, self.values, counts = set(), {}, {}
        pool, sources = [image], ["image"]
        for kind, number, a, b, in_place in self.plan:
            inputs = [a, b] if kind in ("add", "iadd", "cat") else [a]
            name = f"body.{kind}{number}"
            if kind not in ("conv", "drop"):
                base = kind.removeprefix("i")
                counts[base] = counts.get(base, -1) + 1
                name = f"{base}_{counts[base]}" if counts[base] else base
            self.links |= {(sources[i], name) for i in inputs}
            result = self.run(kind, number, [pool[i] for i in inputs], in_place)
            self.values[name] = result.clone().numpy()
            if in_place:
                sources[a] = name
            else:
                pool.append(result)
                sources.append(name)
        return pool[-1]

    def run(self, kind, number, tensors, in_place):
        if kind in ("conv", "drop"):
            return self.body[f"{kind}{number}"](tensors[0])
        if kind == "relu":
            return functional.relu(tensors[0], inplace=in_place)
        if kind == "cat":
            return torch.cat(tensors, 1)
        one, other = tensors
        if in_place:
            one += other
            return one
        return one + other


@settings(max_examples=60)
@given(steps=STEPS)
def test_links_and_values_are_as_constructed(steps):
    torch.manual_seed(0)
    model, images = Drawn(steps).eval(), torch.rand(2, 3, 4, 4) - 0.5
    with torch.no_grad():
        model(images.clone())
    links, values = model.links, model.values
    graph = trace(model, images)
    assert {(link.source, link.target) for link in graph.links} == links
    assert graph.names == ("image", *values)
    recording = record(model, images, list(values))
    for name, expected in values.items():
        np.testing.assert_array_equal(recording[name].activations, expected)
        assert graph[name].shape == expected.shape[1:]


@settings(max_examples=60)
@given(steps=STEPS)
def test_nothing_of_a_unit_that_is_off_arrives(steps):
    """The filter of a unit that is off may hold NaN, and the output is that of a network without it."""
    torch.manual_seed(0)
    model, images = Drawn(steps).eval(), torch.rand(2, 3, 4, 4) - 0.5
    spaces = channel_spaces(model, images)
    for space in spaces:
        if not space.layers or space.obstacle:
            continue
        with torch.no_grad(), switch_off(model, {space.name: [1]}, spaces=spaces):
            off = model(images.clone())
            filters = [model.get_submodule(layer).weight[1] for layer in space.layers]
            kept = [weight.clone() for weight in filters]
            for weight in filters:
                weight.fill_(torch.nan)
            broken = model(images.clone())
            for weight, before in zip(filters, kept, strict=True):
                weight.copy_(before)
        assert torch.equal(off, broken)
