"""What it costs to switch units off, and to try each one: the digits perceptron and EfficientNet-Lite0.

`extra_info` has what the same passes take without masks: the difference is the price of following them.
"""

import time

import numpy as np
import pytest
import torch

import cnnvis
from cnnvis.attribution.ablation import by_ablation
from cnnvis.capture import Masking, channel_spaces
from cnnvis.models.architectures import perceptron

pytestmark = pytest.mark.bench


def random_masks(spaces, seed):
    random = np.random.default_rng(seed)
    return {space.name: random.random(space.size) > 0.5 for space in spaces.hidden}


def plain_ms(model, images, rounds=9):
    times = []
    with torch.no_grad():
        for _ in range(rounds):
            start = time.perf_counter()
            model(images)
            times.append(time.perf_counter() - start)
    return round(1000 * float(np.median(times)), 2)


def masked(benchmark, model, images):
    spaces = channel_spaces(model, images[:1])
    masks = random_masks(spaces, 0)
    benchmark.extra_info["plain_ms"] = plain_ms(model, images)

    def work():
        masking.keep(masks)
        model(images)

    with Masking(model, spaces) as masking, torch.no_grad():
        benchmark.pedantic(work, rounds=9, warmup_rounds=1)


@pytest.mark.benchmark(group="switching units off")
def test_perceptron_1000_images(benchmark):
    masked(benchmark, perceptron().eval(), torch.rand(1000, 1, 28, 28))


@pytest.mark.benchmark(group="switching units off")
def test_efficientnet_8_images(benchmark):
    masked(benchmark, cnnvis.models.load("efficientnet-lite0").module, torch.rand(8, 3, 224, 224))


@pytest.mark.benchmark(group="switching units off")
def test_finding_the_spaces_of_efficientnet(benchmark):
    benchmark(channel_spaces, cnnvis.models.load("efficientnet-lite0"))


@pytest.mark.benchmark(group="ablation")
def test_130_units_on_1000_images(benchmark):
    data = torch.rand(1000, 1, 28, 28), torch.arange(1000) % 10
    found = benchmark.pedantic(by_ablation, (perceptron(), data), rounds=3, warmup_rounds=1)
    assert sum(scores.size for scores in found.scores.values()) == 130
