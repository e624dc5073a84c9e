"""Training the perceptron of the digits, as the study of pruning does with several seeds, and VGG-16; their images."""

import pytest

from cnnvis.models import labelled_images, load
from cnnvis.training import accuracy, train_perceptron, train_vgg16

pytestmark = pytest.mark.bench


def test_read_7000_digits(benchmark):
    assert len(benchmark(labelled_images, "mnist", "train")) == 7000


def test_train_the_perceptron_20_epochs_on_7000_digits(benchmark):
    images, test = labelled_images("mnist", "train"), labelled_images("mnist", "test")
    network = benchmark.pedantic(lambda: train_perceptron(images, random_state=1), rounds=3)
    assert accuracy(network.module, (test.images, test.labels)) > 0.91


@pytest.mark.parametrize("width", [0.125, 0.5])
def test_train_vgg16_on_1000_images(benchmark, width):
    images = labelled_images("fashion-mnist", "selection")
    network = benchmark.pedantic(lambda: train_vgg16(images, width=width, epochs=1), rounds=1)
    assert network.weights == "trained"


def test_load_vgg16_at_full_width(benchmark):
    assert benchmark(load, "vgg16-untrained").n_parameters == 14_985_546
