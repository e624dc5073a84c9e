"""Small volumes with known pixels for the tests of figures."""

import numpy as np

from cnnvis.core import Provenance, Volume
from cnnvis.report import to_rgb

PROVENANCE = Provenance(model="tiny-net", weights="trained", inputs=("cat.png",))


def step_maps(channels, height=20, width=20):
    """Map k is k above and k + 0.5 below: neither constant nor symmetric, known everywhere."""
    maps = np.broadcast_to(np.arange(channels, dtype=np.float32)[:, None, None], (channels, height, width)).copy()
    maps[:, height // 2 :] += 0.5
    return maps


def step_volume(channels, *, order=None, groups=None, provenance=PROVENANCE, **options):
    order = np.arange(channels) if order is None else np.asarray(order)
    maps = step_maps(channels, **options)[order]
    return Volume(maps, "conv1", channels=order, groups=groups, method="test", provenance=provenance)


def texts(figure):
    """All text of a figure's sheet, with its place in pixels."""
    return [(text.get_text(), *text.get_position()) for text in figure.axes[0].texts]


def words(figure):
    return " | ".join(text for text, _, _ in texts(figure))


def pixels(figure):
    return to_rgb(figure).astype(int)
