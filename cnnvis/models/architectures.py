"""The small networks that come with cnnvis, as plain modules; torch's global random state decides their weights."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise

from torch import nn


def perceptron(sizes: Sequence[int] = (784, 81, 49, 10)) -> nn.Sequential:
    """Return a dense network for 28 x 28 images: ``flatten, fc1, relu1, fc2, relu2, fc3``; 68,103 parameters.

    The sizes are those of the digits network of nn_vis; inputs are (N, 1, 28, 28), outputs (N, 10) logits.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, hidden units, outputs.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
    for number, (inputs, outputs) in enumerate(pairwise(sizes), start=1):
        layers[f"fc{number}"] = nn.Linear(inputs, outputs)
        layers[f"relu{number}"] = nn.ReLU()
    layers.popitem()  # the last layer gives logits
    return nn.Sequential(layers)


def small_cnn(channels: Sequence[int] = (16, 32, 64), n_classes: int = 10) -> nn.Sequential:
    """Return a convolutional network for 28 x 28 grey images: ``conv1, bn1, relu1, pool1, ... flatten, fc``.

    3 x 3 convolutions without bias, batch norm, ReLU, and maxima of 2 x 2, which leave 14, 7 and 3 pixels a side;
    29,178 parameters. Inputs are (N, 1, 28, 28), outputs (N, n_classes) logits.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, (inputs, outputs) in enumerate(pairwise((1, *channels)), start=1):
        layers[f"conv{number}"] = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        layers[f"bn{number}"] = nn.BatchNorm2d(outputs)
        layers[f"relu{number}"] = nn.ReLU()
        layers[f"pool{number}"] = nn.MaxPool2d(2)
    side = 28 // 2 ** len(channels)
    return nn.Sequential(layers | OrderedDict(flatten=nn.Flatten(), fc=nn.Linear(channels[-1] * side**2, n_classes)))
