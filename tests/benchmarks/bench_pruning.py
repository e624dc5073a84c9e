"""What pruning costs: the curves of the perceptron (figure to reach: 10 s), and cutting networks.

The curves are those of 4 orders at 21 shares, accuracy overall and per class, on the 2,000 test digits.
"""

import pytest

from cnnvis.attribution import importance
from cnnvis.models import labelled_images, load
from cnnvis.pruning import curves_with_controls, prune, save_pruned

pytestmark = pytest.mark.bench


@pytest.fixture(scope="module")
def digits():
    test = labelled_images("mnist", "test")
    return test.images, test.labels


@pytest.mark.parametrize("kind", ["units", "links"])
@pytest.mark.parametrize("scope", ["global", "layer"])
def test_four_curves_of_the_perceptron(benchmark, digits, kind, scope):
    model = load("mnist-mlp", device="cpu")
    orders = {"weight": importance(model, method="weight")}
    options = {"n_random": 2, "kind": kind, "scope": scope}
    found = benchmark.pedantic(curves_with_controls, (model, digits, orders), options, rounds=3)
    assert sum(map(len, found.values())) == 4
    benchmark.extra_info |= {name: round(runs[0].area, 3) for name, runs in found.items()}


def test_a_curve_of_the_convolutional_network(benchmark):
    model = load("fashion-cnn", device="cpu")
    test = labelled_images("fashion-mnist", "test")
    orders = {"weight": importance(model, method="weight")}
    data = test.images[:500], test.labels[:500]
    benchmark.pedantic(curves_with_controls, (model, data, orders), {"n_random": 2}, rounds=1)


@pytest.mark.parametrize("name", ["fashion-cnn", "efficientnet-lite0"])
def test_cutting_a_network_in_half(benchmark, name):
    model = load(name, device="cpu")
    scores = importance(model, method="weight")
    found = benchmark.pedantic(prune, (model, scores), rounds=3)
    benchmark.extra_info |= {"parameters": found.n_parameters, "multiply_adds": found.multiply_adds}


def test_writing_the_files(benchmark, tmp_path):
    model = load("efficientnet-lite0", device="cpu")
    result = prune(model, importance(model, method="weight"))
    benchmark.pedantic(save_pruned, (result, tmp_path), rounds=1)
