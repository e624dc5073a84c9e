"""What it takes to make units and links of large networks: seconds and links (in extra_info), against stated limits.

Seen with one thread: VGG-16 in 0.2 s; EfficientNet-Lite0, 6.1 million links, in 1.3 s, and a second more where
they are ranked.
"""

from itertools import pairwise

import pytest
import torch
from torch import nn

import cnnvis
from cnnvis import connect

pytestmark = [pytest.mark.bench, pytest.mark.benchmark(group="connections")]

SECONDS = 10.0
SIZES = (64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512, "pool")


def vgg16():
    """VGG-16 as for CIFAR-10: 13 convolutions and one dense layer, 1.6 million links."""
    layers, n_channels = [], 3
    for size in SIZES:
        if size == "pool":
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [nn.Conv2d(n_channels, size, 3, padding=1), nn.BatchNorm2d(size), nn.ReLU()]
        n_channels = size
    return nn.Sequential(nn.Sequential(*layers), nn.Flatten(), nn.Linear(512, 10))


def test_vgg16(benchmark):
    model, example = vgg16(), torch.rand(1, 3, 32, 32)
    edges = benchmark.pedantic(connect, args=(model,), kwargs={"example": example}, rounds=3)
    sizes = [3, *(size for size in SIZES if size != "pool"), 10]
    assert len(edges) == sum(one * two for one, two in pairwise(sizes)) == 1_639_616
    benchmark.extra_info["links"] = len(edges)
    assert benchmark.stats.stats.median < SECONDS


@pytest.mark.parametrize("options", [{}, {"top_k": 100_000}, {"fold": "_blocks.*"}], ids=["all", "top_k", "folded"])
def test_efficientnet(benchmark, options):
    network = cnnvis.models.load("efficientnet-lite0")
    scores = cnnvis.importance(network, None, "weight")
    edges = benchmark.pedantic(connect, args=(network, scores), kwargs=options, rounds=3)
    benchmark.extra_info["links"] = len(edges)
    assert benchmark.stats.stats.median < SECONDS
