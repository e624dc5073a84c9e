"""Training the perceptron of the digits, as the study of pruning does with several seeds, and getting its images."""

import pytest

from cnnvis.models import labelled_images
from cnnvis.training import accuracy, train_perceptron

pytestmark = pytest.mark.bench


def test_read_7000_digits(benchmark):
    assert len(benchmark(labelled_images, "mnist", "train")) == 7000


def test_train_the_perceptron_20_epochs_on_7000_digits(benchmark):
    images, test = labelled_images("mnist", "train"), labelled_images("mnist", "test")
    network = benchmark.pedantic(lambda: train_perceptron(images, random_state=1), rounds=3)
    assert accuracy(network.module, (test.images, test.labels)) > 0.91
