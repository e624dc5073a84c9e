"""What gradients cost over 1,000 images, against plain forward and backward passes over the same batches.

The ratios (in extra_info) are to be at most 3 for "gradient", 1.3 for its "mean_first" and "taylor". The plain passes
take the gradients of all weights; batches are those of the methods. All are timed in turns, so that a busy moment of
the machine meets all of them.
"""

import statistics
import time

import pytest
import torch

from cnnvis.attribution import importance
from cnnvis.capture import record
from cnnvis.capture.labelled import BATCH_SIZE
from cnnvis.models import labelled_images, load

pytestmark = pytest.mark.bench
ROUNDS = 9
N_IMAGES = 1000
METHODS = {
    "gradient": {"method": "gradient"},
    "mean_first": {"method": "gradient", "reduce": "mean_first"},
    "scaling": {"method": "gradient", "measure": "scaling"},
    "taylor": {"method": "taylor"},
}


def plain(model, inputs, labels):
    parameters = list(model.parameters())
    for batch, classes in zip(inputs.split(BATCH_SIZE), labels.split(BATCH_SIZE), strict=True):
        logits = model(batch).gather(1, classes[:, None])
        torch.autograd.grad(logits.sum(), parameters)


def medians_of(works):
    times = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


@pytest.mark.parametrize(("name", "images"), [("fashion-cnn", "fashion-mnist"), ("mnist-mlp", "mnist")])
def test_importance_over_1000_images(benchmark, name, images):
    network, data = load(name), labelled_images(images, "importance")
    inputs, labels = data.images[:N_IMAGES], data.labels[:N_IMAGES]
    works = {"plain": lambda: plain(network.module, inputs, labels)}
    works |= {
        method: lambda options=options: importance(network, (inputs, labels), **options)
        for method, options in METHODS.items()
    }
    for work in works.values():
        work()
    medians = medians_of(works)
    benchmark.extra_info |= {f"{method}_ms": round(1000 * value, 1) for method, value in medians.items()}
    benchmark.extra_info |= {f"{method}_ratio": round(medians[method] / medians["plain"], 2) for method in METHODS}
    benchmark.pedantic(works["gradient"], rounds=3)


def test_recording_with_a_target(benchmark):
    network, data = load("fashion-cnn"), labelled_images("fashion-mnist", "importance")
    inputs, labels = data.images[:N_IMAGES], data.labels[:N_IMAGES]
    benchmark(record, network, inputs, ["conv1", "conv2", "conv3", "fc"], target=labels)
