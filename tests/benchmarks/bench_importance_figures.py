"""Figures of importance and pruning at the sizes of the studies."""

import numpy as np
import pytest

from cnnvis.analysis import compare_importance
from cnnvis.core import Importance, PruneCurve
from cnnvis.report import agreement_matrix_figure, importance_bars, importance_grid, prune_curve_chart, to_rgb

pytestmark = pytest.mark.bench

SHARES = np.linspace(0, 1, 21)


@pytest.fixture(scope="module")
def importances():
    rng = np.random.default_rng(0)
    methods = ("gradient", "taylor", "ablation", "batchnorm", "weight", "activation")
    return {
        name: Importance({"conv1": rng.random(96), "conv2": rng.random(512), "fc": rng.random(2048)}, name)
        for name in methods
    }


def test_chart_of_8_orders_25_runs_each(benchmark):
    accuracy = 1 - SHARES**3
    runs = {
        f"method {index}": [
            PruneCurve(SHARES, accuracy, 1 - accuracy, np.tile(accuracy[:, None], 10), "x", n_total=130)
            for _ in range(25)
        ]
        for index in range(8)
    }
    picture = benchmark.pedantic(lambda: to_rgb(prune_curve_chart(runs)), rounds=5, warmup_rounds=1)
    assert picture.shape[1] == 1600


def test_grid_of_2656_channels(benchmark, importances):
    picture = benchmark.pedantic(lambda: to_rgb(importance_grid(importances["gradient"])), rounds=5, warmup_rounds=1)
    assert picture.shape[1] == 1600


def test_bars_of_512_channels_by_6_methods(benchmark, importances):
    picture = benchmark.pedantic(lambda: to_rgb(importance_bars(importances, "conv2")), rounds=3, warmup_rounds=1)
    assert picture.shape[1] == 1600


def test_agreement_of_6_methods_in_3_layers(benchmark, importances):
    def run():
        return to_rgb(agreement_matrix_figure(compare_importance(importances)))

    assert benchmark.pedantic(run, rounds=5, warmup_rounds=1).shape[1] == 1600
