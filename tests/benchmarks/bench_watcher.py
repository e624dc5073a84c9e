"""What watching costs a training: the loop of fashion-cnn with and without, in turn; and reading the run.

Both loops are run in turn in the same process, since the machine is shared: what they are compared by is the median of
the quotients of neighbours, beside that of the processor time, on which others at work have less influence. An epoch is
the 3,000 test images that come along, so weights and maps are kept 20 times as often as in a training on all of
Fashion-MNIST.
"""

import time
from itertools import count

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

import cnnvis
from cnnvis.models import labelled_images
from cnnvis.models.architectures import small_cnn
from cnnvis.training import Watcher

pytestmark = pytest.mark.bench

PAIRS, EPOCHS, STEPS, BATCH = 15, 2, 46, 64
MOST = 1.05


def loop(watcher, module, images):
    """Train, and return the seconds: of the clock, and of this process, its threads included."""
    optimiser = torch.optim.Adam(module.parameters())
    inputs, labels = images.images[: STEPS * BATCH], images.labels[: STEPS * BATCH]
    start = np.array([time.perf_counter(), time.process_time()])
    for _ in range(EPOCHS):
        for x, y in zip(inputs.split(BATCH), labels.split(BATCH), strict=True):
            logits = module(x)
            loss = cross_entropy(logits, y)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            if watcher is not None:
                watcher.step(loss=loss)
        if watcher is not None:
            watcher.epoch()
    if watcher is not None:
        watcher.close()  # what still waits to be written counts too
    return np.array([time.perf_counter(), time.process_time()]) - start


@pytest.mark.benchmark(group="watching")
def test_a_watched_loop_takes_at_most_a_twentieth_more(benchmark, tmp_path):
    images = labelled_images("fashion-mnist", "test")
    chosen, names = images.images[:8], count()
    quotients, seconds = [], []

    def watched():
        module = small_cnn()
        watcher = Watcher(module, tmp_path / str(next(names)), samples=chosen, labels=images.labels[:8])
        return loop(watcher, module, images)

    def plain():
        return loop(None, small_cnn(), images)

    def pair(number):
        first, second = (watched, plain) if number % 2 else (plain, watched)
        times = {first: first(), second: second()}
        quotients.append(times[watched] / times[plain])
        seconds.append(times[plain])

    watched()  # what is loaded on first use
    benchmark.pedantic(lambda: [pair(number) for number in range(PAIRS)], rounds=1)
    clock, process = np.median(quotients, axis=0)
    benchmark.extra_info["quotient"] = round(float(clock), 4)
    benchmark.extra_info["quartiles"] = np.quantile(quotients, (0.25, 0.75), axis=0)[:, 0].round(3).tolist()
    benchmark.extra_info["quotient of processor time"] = round(float(process), 4)
    benchmark.extra_info["ms per epoch without"] = round(1000 * float(np.median(seconds, axis=0)[0]) / EPOCHS, 1)
    assert clock < MOST


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a run of fashion-cnn of 10 epochs of 100 steps."""
    images = labelled_images("fashion-mnist", "test")
    folder = tmp_path_factory.mktemp("run")
    with Watcher(small_cnn(), folder, samples=images.images[:8], labels=images.labels[:8]) as watcher:
        for _ in range(10):
            for step in range(100):
                watcher.step(loss=step)
            watcher.epoch()
    return cnnvis.load(folder)


@pytest.mark.benchmark(group="reading a run")
def test_open(benchmark, run):
    assert len(benchmark(cnnvis.load, run.folder).epochs) == 11


@pytest.mark.benchmark(group="reading a run")
def test_look_whether_there_is_anything_new(benchmark, run):
    assert not benchmark(run.refresh)


@pytest.mark.benchmark(group="reading a run")
def test_recording_of_an_epoch(benchmark, run):
    assert len(benchmark(run.recording, 7)) == 4
