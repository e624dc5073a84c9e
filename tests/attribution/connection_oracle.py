"""Random networks, and by experiment: which units of which layers change when one unit is changed."""

from itertools import product

import torch
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from cnnvis.capture import trace
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.tracer import Tracer
from cnnvis.core.unit_layers import input_units


class Program(nn.Module):
    """A network as a list of steps, each applied to values that were made before; all maps are 4 x 4."""

    def __init__(self, steps, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.steps = []
        self.layers = nn.ModuleList()
        sizes = [2]
        for kind, *places in steps:
            one, two = (place % len(sizes) for place in places)
            size = self._planned(kind, sizes[one], sizes[two])
            if size is not None:
                self.steps.append((kind, one, two, len(self.layers) - 1))
                sizes.append(size)
        self.head = nn.Linear(sizes[-1] * 16, 3)

    def _planned(self, kind, size, other):
        """Return the channels of the result, None where the step does not fit; make the layer that it needs."""
        if kind in LAYERS:
            layer = LAYERS[kind](size)
            self.layers.append(layer)
            return size if kind in ("norm", "depthwise") else layer.out_channels
        if kind in ("add", "gate") and size != other:
            return None
        if kind in ("half", "shuffle") and size % 2:
            return None
        return {"cat": size + other, "half": size // 2, "pad": size + 2}.get(kind, size)

    def forward(self, x):
        values = [x]
        for kind, one, two, layer in self.steps:
            x = values[one]
            values.append(self.layers[layer](x) if kind in LAYERS else STEPS[kind](x, values[two]))
        return self.head(values[-1].flatten(1))


def _norm(size):
    norm = nn.BatchNorm2d(size)
    norm.running_mean.normal_()
    return norm


LAYERS = {
    "conv": lambda size: nn.Conv2d(size, 4, 3, padding=1),
    "grouped": lambda size: nn.Conv2d(size, size * 2, 1, groups=size // 2 if size % 2 == 0 else 1),
    "depthwise": lambda size: nn.Conv2d(size, size, 3, padding=1, groups=size),
    "transposed": lambda size: nn.ConvTranspose2d(size, 2 * size, 1, groups=2 if size % 2 == 0 else 1),
    "norm": _norm,
}
STEPS = {
    "relu": lambda x, _: functional.leaky_relu(x, 0.1),
    "pool": lambda x, _: functional.avg_pool2d(x, 3, 1, 1),
    "add": lambda x, y: x + 0.5 * y,
    "gate": lambda x, y: x * torch.sigmoid(y.mean((2, 3), keepdim=True)),
    "spatial gate": lambda x, y: x * torch.sigmoid(y.mean(1, keepdim=True)),
    "cat": lambda x, y: torch.cat([x, y], 1),
    "half": lambda x, _: x.chunk(2, 1)[1].contiguous(),
    "shuffle": lambda x, _: x.view(len(x), 2, -1, 4, 4).transpose(1, 2).reshape(x.shape),
    "flip": lambda x, _: x.flip(1),
    "pad": lambda x, _: functional.pad(x, (0, 0, 0, 0, 1, 1)),
}


@st.composite
def programs(draw):
    """A random network with a few layers."""
    step = st.tuples(st.sampled_from([*LAYERS, *STEPS]), st.integers(0, 5), st.integers(0, 5))
    recent = draw(st.lists(step, min_size=2, max_size=9))
    # most steps go on from the last value, so that networks get deep
    steps = [(kind, -1 if one > 2 else one, two) for kind, one, two in recent]
    return Program(steps, draw(st.integers(0, 99))).double().eval()


def changed_links(model, example):
    """Return {(source unit, target unit)}: changing the source alone, all others held, changes what the target gives.

    Every value that holds units is what it was before, so that a change reaches only the next layers.
    """
    graph = trace(model, example)
    units = graph.units
    holders = {name: name for name in units.layers[units.n_inputs :]}
    for entry in input_units(graph):
        is_whole = entry.size == graph[entry.base].channels
        holders |= dict.fromkeys((entry.base,) if is_whole else entry.values, entry.name)
    before = _given(model, example, holders)
    found = set()
    for unit, sign in product(range(len(units)), (1, -1)):  # a unit that an activation cuts off shows on one side only
        layer, channel = units.split(unit)
        held = {
            name: _changed(value, units.sizes[units.index(layer)], channel, sign) if holders[name] == layer else value
            for name, value in before.items()
        }
        for name, value in _given(model, example, holders, held).items():
            if name in units.layers[units.n_inputs :]:
                moved = (value - before[name]).abs().reshape(*value.shape[:2], -1).amax((0, 2))
                found |= {(unit, units.id(name, int(target))) for target in torch.nonzero(moved > 1e-9).flatten()}
    return found


def _given(model, example, holders, held=None):
    """Return what each holder gives; with `held`, that takes the place of its value."""
    given = {}

    def listener(call):
        if call.is_block or call.name not in holders:
            return None
        given[call.name] = call.values[0].tensor.clone()
        return None if held is None else held[call.name].clone()

    with torch.no_grad(), Tracer(ModuleTree(model), listener):
        model(example)
    return given


def _changed(value, size, channel, sign):
    """Return (N, C, *S) with one unit changed everywhere: a channel, or a block of entries."""
    changed = value.clone()
    blocks = changed.view(len(value), size, -1)
    noise = torch.randn(blocks[:, channel].shape, generator=torch.Generator().manual_seed(channel))
    blocks[:, channel] += sign * 10 * (noise + noise.sign())  # of 10 at least
    return changed
