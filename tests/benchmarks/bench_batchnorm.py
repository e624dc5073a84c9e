"""Importance by batch norm, 2,000 steps for ten classes: all in one batch, and class by class by the same code.

To be reached on 2 idle cores: 40 s for the perceptron. The speed-up of one batch is reported (in extra_info), not
promised; the largest difference of a score between the two is, at 1e-4.
"""

import time

import numpy as np
import pytest

from cnnvis.attribution import _scale_groups, importance
from cnnvis.models import labelled_images, load

pytestmark = [pytest.mark.bench, pytest.mark.benchmark(group="importance by batch norm"), pytest.mark.timeout(1200)]

SECONDS = 40.0
EQUAL = 1e-4


def scores(name, data, **options):
    part = labelled_images(data, "importance")
    return importance(load(name), (part.images, part.labels), "batchnorm", **options)


def test_perceptron(benchmark, monkeypatch):
    scores("mnist-mlp", "mnist", steps=20)
    at_once = benchmark.pedantic(scores, args=("mnist-mlp", "mnist"), rounds=1)
    seconds = benchmark.stats.stats.median
    monkeypatch.setattr(_scale_groups, "GROUP_BYTES", 1)
    start = time.perf_counter()
    one_by_one = scores("mnist-mlp", "mnist")
    alone = time.perf_counter() - start
    difference = max(np.abs(at_once.per_class[layer] - one_by_one.per_class[layer]).max() for layer in at_once)
    benchmark.extra_info |= {
        "class_by_class_s": round(alone, 1),
        "speed_up": round(alone / seconds, 2),
        "difference": float(difference),
    }
    assert difference < EQUAL
    assert seconds < SECONDS


def test_convolutions(benchmark):
    """A tenth of the steps: the whole takes ten times as long."""
    benchmark.pedantic(scores, args=("fashion-cnn", "fashion-mnist"), kwargs={"steps": 200}, rounds=1)
