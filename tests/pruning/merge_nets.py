"""Networks in which channels say the same, because they were made to."""

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from cnnvis.capture import channel_spaces, trace


def plant(model, example, layer, kept, merged):
    """Make channel `merged` of the channel space of `layer` an exact copy of `kept`, in all layers that share it."""
    graph, space = trace(model, example), channel_spaces(model, example).of(layer)
    for place in space.held:
        node = graph[place.value]
        if node.module is None:
            continue
        part = model.get_submodule(node.module)
        source, target = (torch.from_numpy(place.entries([channel])) for channel in (kept, merged))
        for tensor in (*part.parameters(recurse=False), *part.buffers(recurse=False)):
            if isinstance(part, _ConvTransposeNd) and tensor is part.weight:
                tensor.data[:, target] = tensor.data[:, source]
            elif isinstance(part, _ConvNd | nn.Linear) or tensor.shape == (node.channels,):
                tensor.data[target] = tensor.data[source]
    return model


def by_channel(network):
    """Return a network that gives class scores: the means over all positions of what `network` gives."""
    return nn.Sequential(*network, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def two_layers(padding, *, scale=1.0, shift=0.0, seed=0):
    """Return two convolutions, 1 -> 3 -> 2 channels; channel 2 of the first is scale * channel 0 + shift."""
    torch_state = torch.Generator().manual_seed(seed)
    first = nn.Conv2d(1, 3, 3, padding=0, dtype=torch.float64)
    second = nn.Conv2d(3, 2, 3, padding=padding, bias=False, dtype=torch.float64)
    for tensor in (*first.parameters(), *second.parameters()):
        tensor.data.normal_(generator=torch_state)
    first.weight.data[2] = scale * first.weight.data[0]
    first.bias.data[2] = scale * first.bias.data[0] + shift
    return [first, second]


def shifted_twins(seed=0):
    """Return a network whose channels 0 and 1 see the same picture two columns apart: alike on average, not in space.

    Channel 2 is twice channel 0.
    """
    torch_state = torch.Generator().manual_seed(seed)
    first = nn.Conv2d(1, 3, 3, padding=1, bias=False)
    first.weight.data.zero_()
    first.weight.data[0, 0, 1, 0] = 1.0
    first.weight.data[1, 0, 1, 2] = 1.0
    first.weight.data[2, 0, 1, 0] = 2.0
    second = nn.Conv2d(3, 4, 1)
    second.weight.data.normal_(generator=torch_state)
    return by_channel([first, nn.ReLU(), second])


def pictures(n=64, size=12, seed=0):
    """Return noise whose brightness differs from picture to picture, dark at its left and right ends."""
    generator = torch.Generator().manual_seed(seed)
    found = torch.rand(n, 1, size, size, generator=generator) * torch.rand(n, 1, 1, 1, generator=generator) * 3
    found[..., 0] = found[..., -1] = 0
    return found
