"""The survey's views in the window at the size of VGG-16: 13 layers, 4,224 channels.

To be reached on 2 idle cores: all cells painted in 50 ms per image while images pass through.
"""

import numpy as np
import pytest

from cnnvis.core import LayerSurvey, Survey
from cnnvis.core.survey import LEVELS
from cnnvis.viewer.panels.survey import SurveyPanel
from cnnvis.viewer.workspace import Workspace

pytestmark = [pytest.mark.bench, pytest.mark.qt]
VGG_16 = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
N_IMAGES = 200


def layer(n_channels, random):
    window = random.gamma(2, size=(N_IMAGES, 20)) @ random.random((20, n_channels))
    return LayerSurvey(
        value="x",
        mean=window.mean(axis=0),
        std=window.std(axis=0),
        correlation=np.corrcoef(window.T),
        quantiles=np.quantile(window, LEVELS, axis=0).T,
        window=window,
        top_images=np.zeros((n_channels, 9), dtype=np.int64),
        top_averages=np.zeros((n_channels, 9)),
        n_missing=np.zeros(n_channels, dtype=np.int64),
    )


@pytest.fixture
def panel(qtbot):
    random = np.random.default_rng(0)
    layers = {f"features.{number}": layer(n_channels, random) for number, n_channels in enumerate(VGG_16)}
    workspace = Workspace()
    panel = SurveyPanel(workspace)
    qtbot.addWidget(panel)
    panel.resize(1280, 480)
    panel.show()
    qtbot.waitExposed(panel)
    images = {name: np.arange(N_IMAGES) for name in ("window_images", "window_labels", "window_answers")}
    workspace.show_survey(Survey(layers, signal="post", n_images=N_IMAGES, **images))
    qtbot.waitUntil(lambda: panel.bench.layer in panel.bench.groups, timeout=60_000)
    yield panel
    workspace.close()


@pytest.mark.benchmark(group="4,224 cells of another image")
def test_cells(benchmark, panel):
    assert panel.bench.survey.n_channels == 4224
    benchmark.pedantic(panel.grid.repaint, rounds=30, warmup_rounds=3)
    assert benchmark.stats.stats.median < 0.05


@pytest.mark.benchmark(group="cells, matrix and graph of another image")
def test_all_views(benchmark, panel):
    views = [panel.grid, panel.matrix, panel.graph]
    benchmark.pedantic(lambda: [view.repaint() for view in views], rounds=30, warmup_rounds=3)
