"""Importance of channels as bars, and how it is distributed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.errors import InvalidInputError
from cnnvis.core.importance import Importance
from cnnvis.core.provenance import Provenance
from cnnvis.report.chart import add_axes
from cnnvis.report.parts import HEADER_HEIGHT, draw_header
from cnnvis.report.sheet import Sheet, text_width
from cnnvis.report.style import ACCENT, CHART_STYLE, INK, MARGIN, PANEL, QUIET, WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Order = Literal["original", "sorted"]

LEFT = MARGIN + 74
PANEL_TITLE, PANEL_HEIGHT, AXIS_HEIGHT = 44, 170, 84
LABEL_GAP = 16

ACROSS, PANEL_GAP, BINS = 4, 84, 20


def importance_bars(
    importances: Mapping[str, Importance],
    layer: str,
    *,
    order: Order = "sorted",
    title: str = "",
    provenance: Provenance | None = None,
) -> Figure:
    """Return a layer's channels as bars, one panel per method, each as a share of its own maximum.

    Parameters
    ----------
    importances : mapping of str to Importance
        By the name to show.
    layer : str
    order : {"sorted", "original"}
        Channels in the network's order, or from the most to the least important by the first method: in every panel
        the same, so that methods can be compared.
    title : str
    provenance : Provenance, optional

    Raises
    ------
    InvalidInputError
        When there is no method, or they score other numbers of channels.
    LayerNotFoundError
        When one has no scores of the layer.
    """
    if order not in ("sorted", "original"):
        raise InvalidInputError(f"order must be sorted or original, got {order!r}.")
    scores = {name: importance[layer] for name, importance in importances.items()}
    if len({values.size for values in scores.values()}) != 1 or not next(iter(scores.values())).size:
        raise InvalidInputError(f"Bars of layer {layer!r} need at least one method, all of the same channels.")
    first, values = next(iter(scores.items()))
    channels = np.argsort(-values, kind="stable") if order == "sorted" else np.arange(values.size)
    block = PANEL_TITLE + PANEL_HEIGHT
    sheet = Sheet(WIDTH, HEADER_HEIGHT + len(scores) * block + AXIS_HEIGHT)
    draw_header(sheet, title or f"{layer}: importance of {values.size} channels", provenance or Provenance())
    for row, (name, values) in enumerate(scores.items()):
        y = HEADER_HEIGHT + row * block + PANEL_TITLE / 2
        sheet.text(LEFT, y, name, size=PANEL, bold=True, room=WIDTH / 2)
        note = f"largest {values.max():.3g}; exactly 0: {np.count_nonzero(values == 0)} of {values.size}"
        sheet.text(WIDTH - MARGIN, y, note, align="right", colour=QUIET)
    figure = sheet.figure()
    from matplotlib import rc_context

    with rc_context(CHART_STYLE):
        for row, values in enumerate(scores.values()):
            top = HEADER_HEIGHT + row * block + PANEL_TITLE
            axes = add_axes(figure, sheet, (LEFT, top, WIDTH - MARGIN - LEFT, PANEL_HEIGHT - 24))
            _draw_bars(axes, values[channels] / (values.max() or 1.0))
            axes.tick_params(labelbottom=row + 1 == len(scores))
            _label_channels(axes, channels)
        sorting = f"most important by {first} first" if order == "sorted" else "in the network's order"
        axes.set_xlabel(f"channel, {sorting}; height: share of the method's largest")
    return figure


def _draw_bars(axes: Axes, shares: NDArray[np.float64]) -> None:
    gap = 0.2 if shares.size <= 200 else 0.0
    middle = np.arange(shares.size)
    edges = np.stack([middle - 0.5 + gap / 2, middle + 0.5 - gap / 2], axis=1).reshape(-1)
    # One shape for all bars and the gaps between them: hundreds of bars of their own take seconds.
    heights = np.stack([shares, np.zeros(shares.size)], axis=1).reshape(-1)[:-1]
    axes.stairs(heights, edges, fill=True, color=ACCENT)
    axes.set(xlim=(-0.6, shares.size - 0.4), ylim=(0, 1.04))
    axes.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.grid(axis="x", visible=False)


def _label_channels(axes: Axes, channels: NDArray[np.int64]) -> None:
    label = text_width(str(channels.size - 1)) + LABEL_GAP
    step = int(np.ceil(channels.size * label / (WIDTH - MARGIN - LEFT)))
    places = np.arange(0, channels.size, step)
    axes.set_xticks(places, [str(channel) for channel in channels[places]])


def importance_histogram(importance: Importance, *, title: str = "", provenance: Provenance | None = None) -> Figure:
    """Return how the importance of each layer's channels is distributed: 20 bins up to the layer's maximum.

    Parameters
    ----------
    importance : Importance
    title : str
    provenance : Provenance, optional

    Raises
    ------
    InvalidInputError
        When there is no layer.
    """
    layers = {layer: scores for layer, scores in importance.scores.items() if scores.size}
    if not layers:
        raise InvalidInputError("No importance to draw; give at least one layer with channels.")
    lines = -(-len(layers) // ACROSS)
    block = PANEL_TITLE + PANEL_HEIGHT + 44
    sheet = Sheet(WIDTH, HEADER_HEIGHT + lines * block + 60)
    draw_header(sheet, title or f"How importance by {importance.method} is distributed", provenance or Provenance())
    pitch = (WIDTH - MARGIN - LEFT + PANEL_GAP) / ACROSS
    boxes = {}
    for index, (layer, scores) in enumerate(layers.items()):
        x, y = LEFT + index % ACROSS * pitch, HEADER_HEIGHT + index // ACROSS * block
        boxes[layer] = (x, y + PANEL_TITLE, pitch - PANEL_GAP, PANEL_HEIGHT)
        sheet.text(x, y + PANEL_TITLE / 2, f"{layer} ({scores.size})", bold=True, room=pitch - PANEL_GAP)
    note = "across: share of the layer's largest importance; up: channels, their number in brackets; dark: exactly 0"
    sheet.text(LEFT, sheet.height - 34, note, colour=QUIET)
    figure = sheet.figure()
    from matplotlib import rc_context

    with rc_context(CHART_STYLE):
        for layer, scores in layers.items():
            _draw_histogram(add_axes(figure, sheet, boxes[layer]), scores / (scores.max() or 1.0))
    return figure


def _draw_histogram(axes: Axes, shares: NDArray[np.float64]) -> None:
    from matplotlib.ticker import MaxNLocator

    counts, edges = np.histogram(shares, bins=BINS, range=(0, 1))
    zeros = np.count_nonzero(shares == 0)
    axes.bar(edges[:-1], counts, width=1 / BINS, align="edge", color=ACCENT, edgecolor="white", linewidth=0.5)
    axes.bar([0], [zeros], width=1 / BINS, align="edge", color=INK, edgecolor="white", linewidth=0.5)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.grid(axis="x", visible=False)
