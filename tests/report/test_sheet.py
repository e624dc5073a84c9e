"""A sheet's pixels are what the figure shows, at its own resolution and at others."""

import io

import numpy as np
import pytest
from matplotlib.image import AxesImage
from PIL import Image

from cnnvis.report import to_rgb
from cnnvis.report._pixels import Pixels
from cnnvis.report.sheet import Sheet
from cnnvis.report.style import DPI

COLOURS = np.random.default_rng(0).integers(0, 256, (90, 160, 3), dtype=np.uint8)


def sheet_figure():
    sheet = Sheet(160, 90)
    sheet.paste(0, 0, COLOURS)
    return sheet.figure()


def saved(figure, dpi):
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=dpi)
    return np.asarray(Image.open(file).convert("RGB"))


def test_every_pixel_arrives():
    np.testing.assert_array_equal(to_rgb(sheet_figure()), COLOURS)


@pytest.mark.parametrize("scale", [1, 0.5, 2])
def test_the_shortcut_shows_what_matplotlib_would(scale, monkeypatch):
    ours = saved(sheet_figure(), scale * DPI)
    monkeypatch.setattr(Pixels, "draw", AxesImage.draw)
    np.testing.assert_array_equal(ours, saved(sheet_figure(), scale * DPI))
    assert ours.shape == (90 * scale, 160 * scale, 3)
