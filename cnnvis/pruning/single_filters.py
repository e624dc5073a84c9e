"""The error of a network without its least and without its most important filter."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnvis.capture import Masking, channel_spaces
from cnnvis.capture.inputs import as_module
from cnnvis.capture.labelled import labelled_batches
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.state import evaluating
from cnnvis.core import FilterRow, FilterTable, Importance
from cnnvis.core.checks import require_shape
from cnnvis.pruning.measure import Measured, example_of, measure

ALL = "all classes"


def filter_table(model: Any, data: Any, importance: Importance, layer: str) -> FilterTable:
    """Return the errors initially, without the least and without the most important filter of a layer.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
        Left as it was.
    data : pair (inputs, labels), or a DataLoader of such pairs
    importance : Importance
        With scores by class, each class has filters of its own; else those that are important to all.
    layer : str

    Returns
    -------
    FilterTable
        For all classes, and for each class that has images; of an importance of some classes, for these.

    Raises
    ------
    LayerNotFoundError
        When the layer has no channels or no importance.
    InvalidInputError
        As `cnnvis.pruning.prune_curve`.

    Notes
    -----
    The table of CNN-VIS, there for one class at a time. Cost: one pass over the images per filter named.
    """
    module, batches = as_module(model), list(labelled_batches(model, data))
    spaces = channel_spaces(model, example_of(model, batches))
    size = spaces.of(layer).size
    require_shape(f"importance of {layer!r}", importance[layer], (size,))
    columns = (importance.per_class or {}).get(layer, np.empty((size, 0))).T
    by_class = dict(zip(importance.classes, columns, strict=False))
    found: dict[int | None, Measured] = {}
    with evaluating(ModuleTree(module)), Masking(model, spaces, layers=[layer]) as masking:

        def without(channel: int | None) -> Measured:
            if channel not in found:
                masking.keep({layer: np.arange(size) != (-1 if channel is None else channel)})
                found[channel] = measure(module, batches)
            return found[channel]

        whole = without(None)
        counts = whole.confusion.sum(axis=1)
        names = dict(enumerate(getattr(model, "class_names", None) or ()))
        names |= dict(zip(importance.classes, importance.class_names or (), strict=False))
        rows = []
        for index in [None, *(label for label in np.flatnonzero(counts).tolist() if label in by_class or not by_class)]:
            scores = by_class.get(index, importance[layer])
            least, most = int(np.argmin(scores)), int(np.argmax(scores))
            rows.append(
                FilterRow(
                    name=ALL if index is None else names.get(index, f"class {index}"),
                    images=int(counts.sum() if index is None else counts[index]),
                    error=_error(whole, index),
                    least=least,
                    without_least=_error(without(least), index),
                    most=most,
                    without_most=_error(without(most), index),
                )
            )
    return FilterTable(layer=layer, method=importance.method, rows=tuple(rows))


def _error(measured: Measured, index: int | None) -> float:
    """Return the share of wrong answers, on the images of one class or on all."""
    return 1 - measured.accuracy if index is None else float(measured.class_error[index])
