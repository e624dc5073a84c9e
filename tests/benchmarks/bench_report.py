"""Figures of a report at the sizes of the demo: 3 orders of 96 maps of 112 x 112."""

import numpy as np
import pytest

from cnnvis.core import Ordering, Volume
from cnnvis.report import Page, mosaic, row_slices, to_png, to_rgb

pytestmark = pytest.mark.bench


@pytest.fixture(scope="module")
def volumes():
    rng = np.random.default_rng(0)
    volume = Volume(rng.normal(size=(96, 112, 112)).astype(np.float32), "blocks.1.expand_conv")
    groups = rng.integers(0, 20, 96)
    grouped = Ordering(np.argsort(groups, kind="stable"), "kmeans", groups=groups)
    shuffled = Ordering(rng.permutation(96), "pca")
    return {"original": volume, "k-means": volume.reordered(grouped), "PCA": volume.reordered(shuffled)}


def test_mosaic_96_maps_3_orders(benchmark, volumes):
    picture = benchmark.pedantic(lambda: to_rgb(mosaic(volumes)), rounds=5, warmup_rounds=1)
    assert picture.shape[1] == 1600


def test_row_slices_96_maps_3_orders(benchmark, volumes):
    picture = benchmark.pedantic(lambda: to_rgb(row_slices(volumes)), rounds=5, warmup_rounds=1)
    assert picture.shape[1] == 1600


def test_page_with_a_large_picture_and_a_4_mb_view(benchmark, volumes):
    png = to_png(mosaic(volumes))

    def build():
        page = Page("Activation volumes", "One sentence.")
        page.figure(png, "mosaic", alt="mosaic")
        page.view3d("<p>0123456789</p>" * 230_000, "view")
        return page.html()

    assert len(benchmark.pedantic(build, rounds=3)) > len(png)
