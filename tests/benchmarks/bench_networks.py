"""Files of bundled networks at the size of the perceptron: 68,000 lines of 14 points, 10 classes."""

import pytest
from network_samples import sagging_network

from cnnvis.io import load, save

pytestmark = pytest.mark.bench


@pytest.fixture(scope="module")
def perceptron():
    return sagging_network((784, 81, 49, 10), samples=14, classes=10)


def test_save_a_network(benchmark, perceptron, tmp_path):
    benchmark(save, perceptron, tmp_path / "net.safetensors")
    assert benchmark.stats.stats.median < 1


def test_load_a_network(benchmark, perceptron, tmp_path):
    path = save(perceptron, tmp_path / "net.safetensors")
    assert len(benchmark(load, path).lines) == 67_963
    assert benchmark.stats.stats.median < 1


def test_write_vtm_of_a_network(benchmark, perceptron, tmp_path):
    benchmark(save, perceptron, tmp_path / "net.vtm")


def test_read_vtm_of_a_network(benchmark, perceptron, tmp_path):
    path = save(perceptron, tmp_path / "net.vtm")
    benchmark(load, path)
