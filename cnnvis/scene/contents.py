"""What the `add_` methods of a scene make of core objects: data to show, and the state that suits them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.core import FeatureMaps, Importance, Ordering, Volume, as_volume
from cnnvis.core.errors import InvalidInputError
from cnnvis.scene.transfer import SOLID, TransferFunction

GRID_ASPECT = 1.6
"""Width / height that the grid of a layer's channels comes near to: about that of a picture."""

MAX_ASPECT = 3.0
"""Width / height up to which a grid without empty cells is preferred."""


def volume_to_show(
    maps: Volume | FeatureMaps | ArrayLike,
    ordering: Ordering | None = None,
    importance: Importance | ArrayLike | None = None,
) -> Volume:
    """Return what `add_volume` shows: a Volume of the first image, in the given order, with weights.

    Weights are given in the network's own channel order.
    """
    if ordering is not None and not isinstance(ordering, Ordering):
        raise InvalidInputError(
            f"An ordering is what cnnvis.order(maps, method) returns, got {ordering!r}; "
            "order the maps first and pass the result."
        )
    volume = as_volume(maps if isinstance(maps, Volume | FeatureMaps) else np.asarray(maps))
    if importance is not None:
        volume = volume.weighted(importance)
    return volume if ordering is None else volume.reordered(ordering)


def matrix_to_show(values: ArrayLike) -> NDArray[np.floating]:
    """Return what `add_matrix` shows: the array itself where it is float32 or float64, else as float64.

    Raises
    ------
    InvalidInputError
        When the values are no real numbers.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise InvalidInputError(f"A matrix holds real numbers, got {array.dtype} of shape {array.shape}.")
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


def importance_grid(
    importance: Importance, layer: str, columns: int | None
) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Return the scores of a layer's channels on a near-rectangular grid, row after row, and its item's state.

    Channel = label of the row + label of the column. Cells after the last channel are NaN, and do not exist.
    """
    scores = importance[layer]
    width = _grid_columns(scores.size) if columns is None else columns
    if not 1 <= width <= scores.size:
        raise InvalidInputError(f"Layer {layer!r} has {scores.size} channels for 1 to as many columns, got {columns}.")
    height = math.ceil(scores.size / width)
    values = np.full(height * width, np.nan)
    values[: scores.size] = scores
    return values.reshape(height, width), {
        "n_cells": scores.size,
        "cell_text": "number",
        "rows": tuple(str(first) for first in range(0, scores.size, width)),
        "columns": tuple(f"+{step}" for step in range(width)),
        "row_name": "channel",
        "column_name": "",
        **_importance_state(importance, layer, scores),
    }


def importance_by_class(
    importance: Importance, layer: str, classes: Sequence[str | int] | Literal["all"]
) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Return the scores of a layer as class x channel, and the state of its item: classes go by name.

    Raises
    ------
    InvalidInputError
        When the method gave no importance by class, or there is no such class.
    """
    importance[layer]  # says which layers there are
    if importance.per_class is None or layer not in importance.per_class:
        raise InvalidInputError(f"Importance by {importance.method!r} has no classes in layer {layer!r}.")
    n_classes = importance.per_class[layer].shape[1]
    wanted = range(n_classes) if classes == "all" else classes
    chosen = [importance.of_class(each) for each in wanted]
    if not chosen:
        raise InvalidInputError(f"There are no classes to show of layer {layer!r}: classes is empty.")
    values = np.stack([each[layer] for each in chosen])
    return values, {
        "rows": tuple(str(each.options["class"]) for each in chosen),
        "row_name": "class",
        "column_name": "channel",
        "cell": (1.0, max(1.0, values.shape[1] / values.shape[0] / GRID_ASPECT)),  # a strip would not show its names
        **_importance_state(importance, layer, values),
    }


def _importance_state(importance: Importance, layer: str, scores: NDArray[np.float64]) -> dict[str, Any]:
    """Return title, quantity and colours: from zero, since a score is an amount."""
    of_class = f" for {importance.options['class']}" if "class" in importance.options else ""
    span = (0.0, float(scores.max(initial=0.0)) or 1.0)
    return {
        "title": f"{layer}: importance by {importance.method}{of_class}",
        "quantity": "importance",
        "transfer": TransferFunction(span=span, opacity=SOLID),
    }


def _grid_columns(n: int) -> int:
    """Return the columns of a grid of `n` cells: no empty ones where the shape stays near to GRID_ASPECT."""
    full = [width for width in range(1, n + 1) if n % width == 0 and 1 <= width * width / n <= MAX_ASPECT]
    return min(full, key=lambda width: abs(math.log(width * width / n / GRID_ASPECT)), default=0) or math.ceil(
        math.sqrt(GRID_ASPECT * n)
    )
