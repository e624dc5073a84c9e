"""What it costs to find and merge redundant channels, and what the network is afterwards.

Figure to reach: a quarter of the channels of the VGG-16 that comes with cnnvis for at most one point of accuracy. Pairs
are verified, rules chosen and merging ended on the 1,000 images of "selection"; test images are measured only.
"""

import time

import numpy as np
import pytest

from cnnvis.capture import SurveyOptions, survey
from cnnvis.core.errors import ModelNotFoundError
from cnnvis.models import labelled_images, load
from cnnvis.pruning import evaluate, find_redundant, merge_channels, merge_curve

pytestmark = pytest.mark.bench

NETWORKS = ("fashion-cnn", "vgg16-fashion")
OPTIONS = {"correlation_above": 0.7, "explained": 0.3}


@pytest.fixture(scope="module", params=NETWORKS)
def case(request):
    """A network, images to choose by, and the correlation of their averages."""
    try:
        model = load(request.param, device="cpu")
    except ModelNotFoundError as error:
        pytest.skip(str(error))
    images = labelled_images("fashion-mnist", "selection")
    found = survey(model, images.pair, options=SurveyOptions(maps=False))
    return model, images.pair, {name: layer.correlation for name, layer in found.layers.items()}


@pytest.fixture(scope="module")
def redundancy(case):
    model, data, correlation = case
    return find_redundant(model, data, correlation=correlation, **OPTIONS)


def test_verifying_pairs_against_a_plain_pass(benchmark, case):
    model, data, correlation = case
    start = time.perf_counter()
    evaluate(model, data)
    plain = time.perf_counter() - start
    found = benchmark.pedantic(find_redundant, (model, data), {"correlation": correlation, **OPTIONS}, rounds=1)
    above = [pair for pair in found.pairs if pair.correlation > 0.9]
    benchmark.extra_info |= {
        "plain pass, s": round(plain, 2),
        "proposed": len(found.pairs),
        "verified": len(found.verified),
        "averages above 0.9": len(above),
        "of these maps disagree": len(found.disagreeing()),
    }


def test_merging_in_twelve_steps(benchmark, case, redundancy):
    model, data, _ = case
    merged = benchmark.pedantic(merge_channels, (model, redundancy, data), {"max_drop": None}, rounds=1)
    benchmark.extra_info |= {
        "channels": len(merged.merges),
        "share": round(merged.steps[-1].share, 3),
        "parameters": merged.pruned.n_parameters,
        "multiply-adds": merged.pruned.multiply_adds,
    }


def test_accuracy_against_the_share(benchmark, case, redundancy):
    model, data, _ = case
    tests = labelled_images("fashion-mnist", "test")
    merged = merge_channels(model, redundancy, data, max_drop=None)
    curves = benchmark.pedantic(merge_curve, (model, merged, tests.pair), rounds=1)
    for name, runs in curves.items():
        removable = [curve.removable(0.01) for curve in runs]
        benchmark.extra_info[name] = {
            "removable for 1 point": f"{np.mean(removable):.1%}",
            "accuracy": [f"{value:.2%}" for value in np.mean([curve.accuracy for curve in runs], axis=0)],
        }
