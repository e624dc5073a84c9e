"""Small volumes with known pixels for the tests of figures."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

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


def drawn_texts(figure):
    """Every text that is drawn, with its box in pixels: x0, y0, x1, y1 from the lower left corner."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    found = []
    for axes in figure.axes:
        parts = [*axes.texts]
        if axes.axison:
            for axis in (axes.xaxis, axes.yaxis):
                parts += [tick.label1 for tick in axis._update_ticks() if tick.label1.get_visible()]
                parts.append(axis.label)
                axis._update_label_position(renderer)
        found += [(text.get_text(), text.get_window_extent(renderer).extents) for text in parts if text.get_text()]
    return found


def assert_legible(figure, least=11):
    """Nothing written is cut off at the figure's edges, lies over another text, or is smaller than 11 pt."""
    found = drawn_texts(figure)
    width, height = figure.bbox.width, figure.bbox.height
    for text, (left, low, right, high) in found:
        assert left >= 0, text
        assert low >= 0, text
        assert right <= width + 1, text
        assert high <= height + 1, text
    for index, (text, box) in enumerate(found):
        for other, beside in found[:index]:
            across = min(box[2], beside[2]) - max(box[0], beside[0])
            down = min(box[3], beside[3]) - max(box[1], beside[1])
            assert min(across, down) < 3, f"{text!r} lies over {other!r}"
    sizes = {text.get_fontsize() for axes in figure.axes for text in axes.findobj(Text)}
    assert min(sizes) >= least
