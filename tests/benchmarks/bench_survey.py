"""A survey beside the plain forward pass over the same images, at the size of VGG-16.

The ratio (in extra_info) of averages and correlation is to be at most 1.15, that of all statistics 2, in work done: on
one thread. On two the network is nearly twice as fast and the rest is not, which is reported. Both are taken in turn,
so that a busy moment meets both.
"""

import statistics
import time

import pytest
import torch

import cnnvis
from cnnvis.capture import SurveyOptions
from cnnvis.capture.labelled import image_batches
from cnnvis.models import load
from cnnvis.models.folders import labelled_parts

pytestmark = pytest.mark.bench
ROUNDS = 7


@pytest.fixture(scope="module")
def network():
    return load("vgg16-fashion", device="cpu")


@pytest.fixture(scope="module")
def images(network):
    return labelled_parts(network, None).importance.pair


def forward(network, batches):
    with torch.no_grad():
        for call in batches:
            network.module(*call.args, **call.kwargs)


@pytest.fixture(params=[1, 2])
def n_threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@pytest.mark.parametrize(("maps", "most"), [(False, 1.15), (True, 2.0)], ids=["averages", "full"])
def test_survey_of_vgg16(benchmark, network, images, n_threads, maps, most):
    batches, options = list(image_batches(network, images)), SurveyOptions(maps=maps)
    works = {
        "forward": lambda: forward(network, batches),
        "survey": lambda: cnnvis.survey(network, images, options=options),
    }
    times = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            times[name].append(seconds(work))
    medians = {name: statistics.median(values) for name, values in times.items()}
    ratio = medians["survey"] / medians["forward"]
    benchmark.extra_info |= {f"{name}_s": round(value, 3) for name, value in medians.items()} | {"ratio": ratio}
    benchmark.pedantic(works["survey"], rounds=1)
    assert n_threads > 1 or ratio < most
